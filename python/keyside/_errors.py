"""Errors with cause, expectation and advice."""

from __future__ import annotations


class Error(Exception):
    """The base class: one sentence with cause, expectation and advice.

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
    """An invalid argument for the model or the result: head, position, setting, token."""


class PromptError(Error, ValueError):
    """A text that the model's tokenizer or context can't hold."""


class ModelError(Error, ValueError):
    """Invalid model files."""


class SourceError(Error, OSError):
    """Failed input or output: a missing path, a server that does not answer."""

    # The method of OSError would interpret the arguments.
    def __str__(self) -> str:
        return Error.__str__(self)


class ResultFileError(Error, ValueError):
    """An invalid result file, or one with inconsistent parts."""


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
    """The exception for an error of this kind."""
    return _OF_KIND.get(kind, Error)(kind, cause, expected, advice)
