"""Errors: what is the matter, what was expected, what to do."""

from __future__ import annotations


class Error(Exception):
    """What went wrong, as one sentence with what was expected and what to do.

    Attributes
    ----------
    kind : str
        What it is about, such as ``"request"``, ``"prompt"`` or ``"source"``.
    cause : str
        What is the matter, naming the file, argument or value.
    expected : str
        What was expected instead; may be empty.
    advice : str
        What to do about it, a sentence; may be empty.
    """

    def __init__(self, kind: str, cause: str, expected: str = "", advice: str = "") -> None:
        super().__init__(kind, cause, expected, advice)
        self.kind = kind
        self.cause = cause
        self.expected = expected
        self.advice = advice

    def __str__(self) -> str:
        expected = f"; expected {self.expected}" if self.expected else ""
        advice = f" {self.advice}" if self.advice else ""
        return f"{self.cause}{expected}.{advice}"


class RequestError(Error, ValueError):
    """An argument that makes no sense for the model or the result: head, position, setting, token."""


class PromptError(Error, ValueError):
    """A text that does not fit the model's tokenizer or its context."""


class ModelError(Error, ValueError):
    """A model's files that are not what they should be."""


class SourceError(Error, OSError):
    """Bytes that can't be read or written: a path that is not there, a server that does not answer."""

    # OSError's own would take the arguments apart.
    def __str__(self) -> str:
        return Error.__str__(self)


class ResultFileError(Error, ValueError):
    """A file that is no result, or whose parts do not fit each other."""


_OF_KIND: dict[str, type[Error]] = {
    "request": RequestError,
    "target": RequestError,
    "plot": RequestError,
    "prompt": PromptError,
    "config": ModelError,
    "checkpoint": ModelError,
    "tokenizer": ModelError,
    "changed": ModelError,
    "source": SourceError,
    "missing": SourceError,
    "storage": SourceError,
    "result_file": ResultFileError,
}


def of_kind(kind: str, cause: str, expected: str = "", advice: str = "") -> Error:
    """The exception of a kind."""
    return _OF_KIND.get(kind, Error)(kind, cause, expected, advice)
