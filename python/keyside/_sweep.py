"""Sweeps over heads, models, revisions, seeds and sets of prompts, with one row for each combination."""

from __future__ import annotations

import contextlib
import json
import numbers
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from . import _keyside, _parquet, _ray
from ._errors import RequestError
from ._frames import frame
from ._model import Head
from ._optional import need, there
from ._progress import Progress, ProgressCallback, reporting
from ._prompts import Ioi
from ._result import _checked_head, _is_whole

#: Drawn prompts, unless `ioi` says how many.
_DRAWN = Ioi(batches=1, batch_size=40)


class Sweep:
    """The rows of a sweep in its folder; see `sweep`.

    Attributes
    ----------
    path : pathlib.Path
        The folder.
    rows : pathlib.Path
        ``rows.jsonl``: a line of JSON for each head and set of prompts, or each prompt, sorted; without times.
    parquet : pathlib.Path or None
        ``rows.parquet``: the same rows and columns; None without pyarrow.
    maps : pathlib.Path
        ``maps.html``: the heads of each set as a map, a web page of one file.
    times : pathlib.Path
        ``times.jsonl``: how long each shard took.
    shards : int
        Number of shards: a model, a set of prompts and a seed each.
    there_before : int
        How many of them were there already.
    """

    def __init__(
        self,
        path: Path,
        rows: Path,
        maps: Path,
        parquet: Path | None,
        count: int,
        shards: int,
        there_before: int,
    ) -> None:
        self.path = path
        self.rows = rows
        self.maps = maps
        self.times = path / "times.jsonl"
        self.parquet = parquet
        self.shards = shards
        self.there_before = there_before
        self._count = count

    def __len__(self) -> int:
        return self._count

    def to_dicts(self) -> list[dict[str, Any]]:
        """The rows in order.

        Returns
        -------
        list of dict
            With ``model``, ``revision``, ``head``, ``prompts``, ``seed``, ``prompt``, ``count``, ``batch_size``, ``prepend_bos``,
            ``score``, ``score_sd``, ``prob``, ``prob_sd`` and ``largest``, which the README explains.
        """
        with open(self.rows, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def to_dataframe(self, *, library: str | None = None) -> Any:
        """The rows as a data frame.

        Parameters
        ----------
        library : {"pandas", "polars"}, optional
            Which data frame; by default of whichever is installed, pandas first.

        Returns
        -------
        pandas.DataFrame or polars.DataFrame

        Raises
        ------
        ImportError
            Where the library is not installed.
        """
        rows = self.to_dicts()
        return frame({name: [row[name] for row in rows] for name in rows[0]}, library)

    def __repr__(self) -> str:
        return f"<keyside.Sweep {self.path}: {self._count} rows of {self.shards} shards>"


def sweep(
    models: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    out: str | os.PathLike[str],
    heads: Head | Iterable[Head] = "*",
    revisions: str | Iterable[str] = (),
    prompts: str | os.PathLike[str] | Ioi | Iterable[str | os.PathLike[str] | Ioi] = "ioi",
    seeds: int | str | Iterable[int] | None = None,
    bos: bool = False,
    per_prompt: bool = False,
    engine: str = "auto",
    runner: str | None = None,
    address: str | None = None,
    cpus: int = 1,
    parquet: bool | None = None,
    progress: Progress = True,
) -> Sweep:
    """Runs many heads, models, revisions, seeds and sets of prompts, as ``keyside sweep`` does, with the same rows in the same files.

    All heads of a model share one pass over the prompts. A sweep that was stopped, in whatever way, goes on where it was when it is asked
    for again, also by the command line; what was finished is kept.

    Parameters
    ----------
    models : str or path, or several
        Folders (also with ``*`` and ``?``), http(s) URLs, or ``hub:NAME``. On a cluster all machines must find them there.
    out : path
        The folder of the sweep: a new one, or that of the same sweep, which then goes on.
    heads : str or (int, int), or several
        ``"10.7"``, ``(10, 7)``, or with stars for any layer or head ``"9.*,10.7"``; all heads by default.
    revisions : str, or several
        Branches, tags or commits of models on the hub; by default the known commit.
    prompts : str, path or Ioi, or several
        ``"ioi"``, which is ``keyside.ioi(batches=1, batch_size=40)``, or another `ioi`; files with a prompt on each line, or CSV (also with
        ``*`` and ``?``).
    seeds : int or str, or several
        Seeds of drawn prompts: ``range(3)``, ``[0, 7]``, ``"0..3"``; by default the seed of `ioi`.
    bos : bool
        Whether the BOS token stands before every prompt; also where `ioi` says so.
    per_prompt : bool
        Whether there is a row for each prompt, not one for each set.
    engine : str
        What computes, as in `load`.
    runner : {"ray", "local"}, optional
        What does the shards: Ray's workers, or this process, one after the other on all cores. By default Ray where it is installed.
    address : str, optional
        Of a Ray cluster, as ``ray start --head`` prints it: ``"10.0.0.1:6379"``, or ``"ray://10.0.0.1:10001"``. By default what this
        process is connected to already, what ``RAY_ADDRESS`` says, else Ray on this machine, until the sweep is done.
    cpus : int
        Cores that Ray gives a shard.
    parquet : bool, optional
        Whether the rows are written as Parquet, too; by default where pyarrow is installed.
    progress : bool or callable
        As in `Model.analyze`.

    Returns
    -------
    Sweep
        Where the rows are.

    Raises
    ------
    RequestError
        For names and heads that there are not, and a folder with another sweep or something else, which is not touched.
    PromptError
        For prompts that can't be read or do not fit the model.
    SourceError
        For a model that can't be read, a cluster that does not answer, and workers that are lost again and again.
    ImportError
        Where Ray or pyarrow was asked for and is not installed.

    Examples
    --------
    >>> import keyside, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> done = keyside.sweep("public/models/tiny-ioi", heads="2.*", seeds=range(2), out=folder, runner="local")
    >>> len(done), done.shards
    (8, 2)
    >>> [row["seed"] for row in done.to_dicts() if row["head"] == "2.0"]
    [0, 1]
    """
    runner = _runner(runner, address)
    if parquet:
        need("pyarrow", "Parquet")
    write_parquet = there("pyarrow") if parquet is None else parquet
    sets = _several(prompts)
    drawn = [one for one in sets if isinstance(one, Ioi)]
    if len(drawn) > 1:
        raise RequestError("request", f"prompts has keyside.ioi {len(drawn)} times", "one draw", "Give seeds for several, and a sweep of its own for each size.")
    (ioi,) = drawn or [_DRAWN]
    plan = _keyside.Sweep.plan(
        [os.fspath(model) for model in _several(models)],
        list(_several(revisions)),
        _patterns(heads),
        ["ioi" if isinstance(one, Ioi) else os.fspath(one) for one in sets],
        _seeds(ioi.seed if seeds is None else seeds),
        _size(ioi.batches, "batches"),
        _size(ioi.batch_size, "batch_size"),
        bos or ioi.bos,
        per_prompt,
        engine,
    )
    with contextlib.closing(_keyside.SweepFolder.open(out, plan)) as folder, reporting(progress) as tell:
        missing, shards = folder.missing(), plan.count()
        count = _Count(shards, shards - len(missing), tell)

        def keep(shard: int, rows: str, finished: str) -> None:
            folder.keep(shard, rows, finished)
            count.one_more()

        count.tell()
        if runner == "ray" and missing:
            _ray.run(plan, missing, keep, address, cpus)
        else:
            for shard in missing:
                keep(shard, *plan.rows(shard, count.within))
        rows, maps, rows_count = folder.finish()
        written = Path(out) / "rows.parquet" if write_parquet else None
        if written is not None:
            _parquet.write(rows, written)
    return Sweep(Path(out), rows, maps, written, rows_count, shards, shards - len(missing))


class _Count:
    """Reports the number of finished shards to the progress callback."""

    def __init__(self, shards: int, done: int, tell: ProgressCallback | None) -> None:
        self._shards = shards
        self._done = done
        self._tell = tell
        #: What is told of a shard's own progress.
        self.within: Callable[[float, str], None] | None = None if tell is None else self._within

    def tell(self, share: float = 0.0, doing: str = "") -> None:
        if self._tell is not None:
            told = f"{self._done} of {self._shards} shards"
            self._tell((self._done + share) / self._shards, f"{told}: {doing}" if doing else told)

    def one_more(self) -> None:
        self._done += 1
        self.tell()

    def _within(self, share: float, doing: str) -> None:
        self.tell(share, doing)


def _runner(runner: str | None, address: str | None) -> str:
    if runner not in (None, "ray", "local"):
        raise RequestError("request", f"there is no runner {runner!r}", '"ray" or "local"')
    if runner == "local" and address is not None:
        raise RequestError("request", f"a local sweep has no use for the address {address!r}", 'runner="ray", or no address')
    if runner == "ray" or address is not None:
        need("ray", "a sweep on Ray")
        return "ray"
    return "ray" if runner is None and there("ray") else "local"


def _several(given: Any) -> list[Any]:
    """A list of one or several values."""
    if isinstance(given, (str, os.PathLike, Ioi)):
        return [given]
    try:
        return list(given)
    except TypeError:
        raise RequestError("request", f"a sweep of {given!r} makes no sense", "a text, or a list of texts") from None


def _patterns(given: Head | Iterable[Head]) -> list[str]:
    """Heads in the syntax of the command line."""
    if isinstance(given, str):
        return given.split(",")
    if isinstance(given, Sequence) and len(given) == 2 and all(map(_is_whole, given)):
        return [_checked_head(given, "heads")]
    found = []
    for one in _several(given):
        found.extend(one.split(",") if isinstance(one, str) else [_checked_head(one, "heads")])
    return found


def _seeds(given: int | str | Iterable[int]) -> str:
    """Seeds in the syntax of the command line."""
    if isinstance(given, str):
        return given
    return ",".join(map(str, [given] if isinstance(given, numbers.Integral) else _several(given)))


def _size(given: Any, name: str) -> int:
    if not _is_whole(given) or given < 0:
        raise RequestError("request", f"{name} is {given!r}", "a whole number")
    return int(given)
