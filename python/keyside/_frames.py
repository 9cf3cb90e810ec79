"""Data frames of pandas or polars, whichever is installed."""

from __future__ import annotations

import importlib
from typing import Any

from ._errors import RequestError

_LIBRARIES = ("pandas", "polars")


def frame(columns: dict[str, list[Any]], library: str | None) -> Any:
    """``columns`` as a data frame of ``library``, or of the first that is installed."""
    if library is not None and library not in _LIBRARIES:
        raise RequestError("request", f"there are no data frames of {library!r}", " or ".join(_LIBRARIES))
    for name in _LIBRARIES if library is None else (library,):
        try:
            return importlib.import_module(name).DataFrame(columns)
        except ModuleNotFoundError as missing:
            if missing.name != name:
                raise
    wanted = library or "pandas or polars"
    raise ImportError(f"data frames need {wanted}, which is not installed. Run: pip install {library or 'pandas'}")
