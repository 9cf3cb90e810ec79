"""Results."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _keyside
from ._errors import RequestError, SourceError
from ._figure import Figure
from ._frames import frame
from ._write import write_text


class Result:
    """A result: the document that ``keyside analyze --out`` writes and the page opens.

    ``result["pair"]`` is the section of that kind, as in docs/result-file.md, its arrays as NumPy arrays of single precision. An array is
    made once, when its section is first asked for, and can't be written to.

    Examples
    --------
    >>> import keyside
    >>> result = keyside.open("public/recorded/gpt2-small-10.7.json")
    >>> result
    <keyside.Result GPT-2 small: head 10.7, 1200 prompts; substitution, contributions>
    >>> result["contributions"]["heatmaps"]["key"]["mean"].shape
    (133,)
    """

    def __init__(self, native: _keyside.Result) -> None:
        self._native = native
        self._sections: dict[str, dict[str, Any]] = {}

    @property
    def sections(self) -> list[str]:
        """The kinds of its sections."""
        return self._native.kinds()

    def __getitem__(self, kind: str) -> dict[str, Any]:
        if kind not in self._sections:
            section = self._native.section(kind)
            if section is None:
                raise KeyError(f"the result has no section {kind!r}; it has {', '.join(self.sections)}")
            self._sections[kind] = section
        return self._sections[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self.sections

    @property
    def head(self) -> str | None:
        """The analyzed head, such as ``"10.7"``."""
        return self._native.head()

    @property
    def earlier_head(self) -> str | None:
        """The earlier head, whose output is one of the substituted vectors."""
        return self._native.earlier_head()

    @property
    def model(self) -> dict[str, Any]:
        """Name and source of the model, the dtype of its weights, notes."""
        found: dict[str, Any] = self._native.field("model")
        return found

    @property
    def config(self) -> dict[str, Any]:
        """The model's shape."""
        found: dict[str, Any] = self._native.field("config")
        return found

    @property
    def processing(self) -> dict[str, bool]:
        """The weight processing that was applied."""
        found: dict[str, bool] = self._native.field("processing")
        return found

    @property
    def prompt_set(self) -> dict[str, Any] | None:
        """The source of the prompts."""
        found: dict[str, Any] | None = self._native.field("prompt_set")
        return found

    @property
    def prompts(self) -> list[dict[str, Any]]:
        """The prompts, with tokens and positions, in the order of all values; none in recorded runs."""
        found: list[dict[str, Any]] = self._native.field("prompts")
        return found

    @property
    def timing(self) -> dict[str, Any] | None:
        """The duration of the run."""
        found: dict[str, Any] | None = self._native.field("timing")
        return found

    @property
    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """All arrays of all sections by path: ``"pair/table"``, ``"contributions/heatmaps/key/mean"``."""
        found: dict[str, NDArray[np.float32]] = {}

        def look(at: str, value: Any) -> None:
            if isinstance(value, np.ndarray):
                found[at] = value
            elif isinstance(value, dict):
                for key, part in value.items():
                    look(f"{at}/{key}", part)

        for kind in self.sections:
            look(kind, self[kind])
        return found

    def summary(self) -> str:
        """The summary that the command line prints: means, comparisons, identities, time."""
        return self._native.summary()

    @property
    def figures(self) -> list[str]:
        """The names of the result's figures."""
        return self._native.figures()

    def figure(
        self,
        name: str,
        *,
        theme: str = "light",
        width: int | None = None,
        height: int | None = None,
        bins: int | None = None,
        log: bool = False,
        zoom: tuple[float, float] | None = None,
        order: str = "mean",
        show: Sequence[str] = (),
        hide: Sequence[str] = (),
        prompt: int | None = None,
        as_in_notebook: bool = False,
    ) -> Figure:
        """A figure, which a notebook displays.

        Parameters
        ----------
        name : str
            One of `figures`.
        theme : {"light", "dark"}
            Colors.
        width, height : int, optional
            Size in pixels; by default 1000 times 600, more for large heatmaps.
        bins : int, optional
            Most bins of a histogram; by default 120 for scores, 100 for probabilities.
        log : bool
            Whether a histogram's axis of counts is logarithmic.
        zoom : (float, float), optional
            Range of values that a histogram shows.
        order : {"mean", "median", "label"}
            Order of a histogram's series.
        show, hide : sequence of str
            Series, by label, that are shown although they are hidden at first, and hidden ones.
        prompt : int, optional
            A prompt, counted from 1, whose values are marked, and whose cells are drawn where they are known.
        as_in_notebook : bool
            Whether the column b_O is left out of heatmaps, as in the notebook.

        Returns
        -------
        Figure

        Raises
        ------
        RequestError
            For a figure that the result does not have (with the names of those that it has), and options out of range.
        """
        native = self._native.figure(
            name, bins, log, zoom, order, list(show), list(hide), prompt, as_in_notebook
        )
        return Figure(native, theme, width, height)

    def to_dict(self) -> dict[str, Any]:
        """The result file as plain dictionaries, lists and numbers, as `json` reads it."""
        document: dict[str, Any] = json.loads(self.to_json())
        return document

    def to_json(self) -> str:
        """The result file as JSON."""
        return self._native.to_json()

    def to_dataframe(self, figure: str | None = None, table: str | None = None, *, library: str | None = None) -> Any:
        """The values as a data frame.

        Parameters
        ----------
        figure : str, optional
            One of `figures`, of which a table is wanted. By default, of a run over many prompts, a row for each prompt with the values of
            all series (``"keys_fixed_scores: W_U[IO]"``, ...); of anything else, the first figure.
        table : str, optional
            One of the figure's tables; see `Figure.tables`.
        library : {"pandas", "polars"}, optional
            Which data frame; by default of whichever is installed, pandas first.

        Returns
        -------
        pandas.DataFrame or polars.DataFrame

        Raises
        ------
        RequestError
            For a figure or a table that there is not.
        ImportError
            Where the library is not installed.
        """
        if figure is None and table is None and "substitution" in self:
            return frame(self._by_prompt(), library)
        if figure is None:
            figure = self.figures[0]
        return self.figure(figure).to_dataframe(table, library=library)

    def _by_prompt(self) -> dict[str, list[Any]]:
        """The values of all histograms, prompt by prompt."""
        columns: dict[str, list[Any]] = {}
        for name in self.figures:
            for table, _, of_table in self.figure(name)._native.tables():
                if table != "values":
                    continue
                # The columns up to the text identify the prompt.
                of_prompt = list(of_table)
                of_prompt = of_prompt[: of_prompt.index("text") + 1] if "text" in of_prompt else []
                for column, values in of_table.items():
                    columns.setdefault(column if column in of_prompt else f"{name}: {column}", values)
        return columns

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the result file.

        Raises
        ------
        SourceError
            For a file that can't be written. What was there before stays.
        """
        write_text(path, self.to_json())

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Result:
        """The result of a dictionary made by `to_dict`.

        Raises
        ------
        ResultFileError
            Where it is none, or its parts do not fit each other.
        """
        return cls(_keyside.Result.from_json(json.dumps(document).encode()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Result) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_json, (self.to_json(),)

    def __repr__(self) -> str:
        about = [f"head {self.head}"] if self.head else []
        count = self._native.prompt_count()
        about += [f"{count} prompts" if count != 1 else "1 prompt"] if count else []
        return f"<keyside.Result {self.model['name']}: {', '.join(about)}; {', '.join(self.sections)}>"


def _from_json(text: str) -> Result:
    return Result(_keyside.Result.from_json(text.encode()))


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as cause:
        raise SourceError(
            "source",
            f"{os.fspath(path)} can't be read ({cause.strerror})",
            "a result file",
            'Write one with Result.save, with keyside analyze --out, or with "Download result" in the page.',
        ) from cause


def open_result(path: str | os.PathLike[str]) -> Result:
    """Opens a result file of any version.

    Parameters
    ----------
    path : path
        The file: from `Result.save`, ``keyside analyze --out`` or the page's "Download result".

    Returns
    -------
    Result

    Raises
    ------
    SourceError
        For a file that can't be read.
    ResultFileError
        For one that is no result.
    """
    return Result(_keyside.Result.from_json(_read(path)))


def schema() -> dict[str, Any]:
    """The JSON schema of the result file, which is also in the package as ``result.schema.json``."""
    text = resources.files(__package__).joinpath("result.schema.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def validate(path: str | os.PathLike[str]) -> list[str]:
    """The errors of a result file, by the JSON schema and by the reader.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    list of str
        Sentences that name the place; empty for a file that is as it should be.

    Raises
    ------
    SourceError
        For a file that can't be read.
    """
    return _keyside.faults(_read(path))


def _checked_head(head: Any, name: str = "head") -> str:
    """A head as text, ``"10.7"``, from any accepted form."""
    if isinstance(head, str):
        return head
    if isinstance(head, Sequence) and len(head) == 2 and all(_is_whole(number) for number in head):
        return f"{int(head[0])}.{int(head[1])}"
    what = f"the number {head!r}" if isinstance(head, (int, float)) else repr(head)
    raise RequestError(
        "request",
        f"{name} is {what}",
        'a text such as "10.7" or a layer and a head such as (10, 7)',
        "As a number 1.10 would be head 1.1." if isinstance(head, float) else "",
    )


def _is_whole(number: Any) -> bool:
    return isinstance(number, (int, np.integer)) and not isinstance(number, bool)
