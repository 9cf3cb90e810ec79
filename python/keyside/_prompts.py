"""Prompt makers for runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from ._errors import PromptError


@dataclass(frozen=True)
class Ioi:
    """Draws from the dataset of indirect object identification; see `ioi`."""

    batches: int = 30
    batch_size: int = 40
    seed: int = 0
    bos: bool = False

    def _settings(self) -> dict[str, str]:
        return {
            "batches": str(self.batches),
            "size": str(self.batch_size),
            "seed": str(self.seed),
            "bos": str(int(self.bos)),
        }

    def _text(self) -> str | None:
        return None

    def _maker(self) -> dict[str, object]:
        return {
            "ioi": {
                "seed": self.seed,
                "batches": self.batches,
                "batch_size": self.batch_size,
                "prepend_bos": self.bos,
            }
        }


@dataclass(frozen=True)
class Texts:
    """Prompts given as texts; see `texts`."""

    text: str
    csv: bool = False
    dest: int | None = None
    src: int | None = None
    seed: int = 0
    bos: bool = False

    def _settings(self) -> dict[str, str]:
        given = {"dest": self.dest, "src": self.src}
        return {
            "csv": str(int(self.csv)),
            "seed": str(self.seed),
            "bos": str(int(self.bos)),
            **{key: str(value) for key, value in given.items() if value is not None},
        }

    def _text(self) -> str | None:
        return self.text

    def _maker(self) -> dict[str, object]:
        return {
            "text": {
                "text": self.text,
                "format": "csv" if self.csv else "lines",
                "dest": self.dest,
                "src": self.src,
                "prepend_bos": self.bos,
                "seed": self.seed,
            }
        }


def ioi(batches: int = 30, batch_size: int = 40, seed: int = 0, *, bos: bool = False) -> Ioi:
    """Prompts drawn from the dataset of indirect object identification, as the notebook drew them.

    Parameters
    ----------
    batches : int
        Number of batches; batch ``i`` has the seed ``seed + i``.
    batch_size : int
        Prompts per batch.
    seed : int
        Seed of the first batch, and of the random tokens that are substituted.
    bos : bool
        Whether the BOS token stands before every prompt.

    Returns
    -------
    Ioi
        For `Model.analyze`.
    """
    return Ioi(batches=batches, batch_size=batch_size, seed=seed, bos=bos)


def texts(
    source: str | os.PathLike[str] | Iterable[str],
    *,
    csv: bool | None = None,
    dest: int | None = None,
    src: int | None = None,
    seed: int = 0,
    bos: bool = False,
) -> Texts:
    """Prompts given as texts, up to 1,000.

    ``When [[Mary]] and John went, John gave a drink [[to]]`` marks the source, which the head looks to, and the destination, which it
    looks from; with one mark the destination is the last token. ``\\[[`` stands for brackets that are no mark.

    Parameters
    ----------
    source : str, path or iterable of str
        A list of prompts, a text with one on each line, or the path of a file (as `pathlib.Path`) with such a text.
    csv : bool, optional
        Whether the text is CSV with the header ``text,dest,src,a,b``. By default a file whose name ends in ``.csv`` is.
    dest, src : int, optional
        Positions in prompts that do not say them, counted from 0, BOS included.
    seed : int
        Seed of the random tokens that are substituted.
    bos : bool
        Whether the BOS token stands before every prompt.

    Returns
    -------
    Texts
        For `Model.analyze`.

    Raises
    ------
    PromptError
        For a file that can't be read or is not UTF-8, and a prompt of a list that is several lines.
    """
    if isinstance(source, os.PathLike):
        text = _read(source)
        csv = os.fspath(source).lower().endswith(".csv") if csv is None else csv
    elif isinstance(source, str):
        text = source
    else:
        lines = list(source)
        for number, line in enumerate(lines, 1):
            if "\n" in line or "\r" in line:
                raise PromptError("prompt", f"prompt {number} is several lines", "a line each", "Give each prompt by itself.")
        text = "\n".join(lines)
    return Texts(text=text, csv=bool(csv), dest=dest, src=src, seed=seed, bos=bos)


def _read(path: os.PathLike[str]) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8-sig")
    except OSError as cause:
        raise PromptError(
            "prompt",
            f"the prompts {os.fspath(path)} can't be read ({cause.strerror})",
            "a file of prompts, a line each or CSV",
        ) from cause
    except UnicodeDecodeError as cause:
        raise PromptError("prompt", f"{os.fspath(path)} is not UTF-8", "", "Save the file as UTF-8.") from cause
