"""Writing files."""

from __future__ import annotations

import contextlib
import os

from ._errors import SourceError


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Writes ``text`` to ``path``; line ends stay as they are.

    A file of that name is replaced once the new one is whole: what was there before is not lost where something goes wrong.
    """
    path = os.fspath(path)
    half = f"{path}.{os.getpid()}.part"
    try:
        with open(half, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        os.replace(half, path)
    except OSError as cause:
        with contextlib.suppress(OSError):
            os.remove(half)
        folder = os.path.dirname(path) or "."
        reason = cause.strerror if os.path.isdir(folder) else f"there is no folder {folder}"
        raise SourceError(
            "source", f"{path} can't be written ({reason})", "", "Check the path and the space on the disk."
        ) from cause
