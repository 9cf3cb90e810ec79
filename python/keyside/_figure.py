"""Figures of a result."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ._errors import RequestError
from ._frames import frame
from ._write import write_text

if TYPE_CHECKING:
    from . import _keyside


class Figure:
    """A figure of a result with its view; see `Result.figure`. A notebook displays it.

    Attributes
    ----------
    name : str
        Its name, such as ``"heatmap_key"``.
    """

    def __init__(
        self,
        native: _keyside.Figure,
        theme: str = "light",
        width: int | None = None,
        height: int | None = None,
    ) -> None:
        self._native = native
        self._theme = theme
        self._size = (width, height)
        self.name: str = native.name

    def svg(self) -> str:
        """The figure as SVG.

        Returns
        -------
        str
            A whole SVG document.
        """
        return self._native.svg(self._theme, *self._size)

    def html(self) -> str:
        """The figure as a fragment of HTML that needs no network: values on hover, tap and keys, a legend, light and dark theme.

        Returns
        -------
        str
            ``<div>`` to ``</div>``, which stands in any page as often as wanted. It is what a notebook shows, and keeps.
        """
        return self._native.html()

    def summary(self) -> str:
        """A description of the data in the figure."""
        return self._native.summary()

    def markdown(self) -> str:
        """The shorter tables of the figure in Markdown."""
        return self._native.markdown()

    def script(self, file: str = "result.json") -> str:
        """A Python script that redraws the figure with json and matplotlib alone.

        Parameters
        ----------
        file : str
            The result file that the script reads; see `Result.save`.
        """
        return self._native.script(file, self._theme)

    @property
    def tables(self) -> list[str]:
        """The names of the figure's tables."""
        return [name for name, _, _ in self._native.tables()]

    def to_dataframe(self, table: str | None = None, *, library: str | None = None) -> Any:
        """One of the figure's tables, as a data frame.

        Parameters
        ----------
        table : str, optional
            One of `tables`; the first by default.
        library : {"pandas", "polars"}, optional
            Which data frame; by default of whichever is installed, pandas first.

        Returns
        -------
        pandas.DataFrame or polars.DataFrame

        Raises
        ------
        RequestError
            For a table that there is not.
        ImportError
            Where the library is not installed.
        """
        tables = {name: columns for name, _, columns in self._native.tables()}
        if table is None:
            table = next(iter(tables))
        if table not in tables:
            raise RequestError("request", f"the figure {self.name} has no table {table!r}", ", ".join(tables))
        return frame(tables[table], library)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the figure to a file in the format of its extension: ``.html`` (a web page in one file), ``.svg``, ``.csv`` (one file per table), ``.md`` or ``.py``.

        Parameters
        ----------
        path : path
            The file. The tables of ``figure.csv`` are ``figure-values.csv``, ...; of one table ``figure.csv`` itself.

        Raises
        ------
        RequestError
            For another ending.
        SourceError
            For a file that can't be written.
        """
        stem, ending = os.path.splitext(os.fspath(path))
        if ending == ".html":
            write_text(path, self._native.web_page())
        elif ending == ".svg":
            write_text(path, self.svg())
        elif ending == ".md":
            write_text(path, self.markdown())
        elif ending == ".py":
            write_text(path, self.script())
        elif ending == ".csv":
            tables = self._native.csv()
            for name, text in tables:
                write_text(path if len(tables) == 1 else f"{stem}-{name}.csv", text)
        else:
            raise RequestError("request", f"a figure can't be written as {ending or 'a file without ending'!r}", ".html, .svg, .csv, .md or .py")

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"<keyside.Figure {self.name}: {self.summary()}>"
