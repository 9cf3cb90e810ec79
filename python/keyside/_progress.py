"""Progress of a run: a bar of tqdm where that is installed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from ._optional import there

#: What is called while a run goes on, with the share that is over (0 to 1) and what is being done.
ProgressCallback = Callable[[float, str], None]

#: True for tqdm's bar where there is a reader for it, False for none, or a function of one's own.
Progress = bool | ProgressCallback


@contextlib.contextmanager
def reporting(progress: Progress) -> Iterator[ProgressCallback | None]:
    """The progress callback for the body of the `with` statement."""
    if callable(progress):
        yield progress
        return
    bar = _bar() if progress else None
    if bar is None:
        yield None
        return

    def tell(share: float, doing: str) -> None:
        bar.n = round(100 * share)
        bar.set_description_str(doing, refresh=False)
        bar.refresh()

    try:
        yield tell
    finally:
        bar.close()


def _bar() -> Any:
    """A progress bar of tqdm; None without tqdm, and where the output is not shown to anyone."""
    if not there("tqdm"):
        return None
    # In a notebook without ipywidgets tqdm writes lines of text, which stay in the saved file.
    if not (there("ipywidgets") if _in_notebook() else sys.stderr.isatty()):
        return None
    from tqdm.auto import tqdm

    return tqdm(total=100, bar_format="{l_bar}{bar}| {elapsed}", leave=False)


def _in_notebook() -> bool:
    """Whether a notebook's kernel runs this."""
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    return running is not None and "IPKernelApp" in running.config
