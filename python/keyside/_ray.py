"""Sweeps on Ray: each shard is a task whose rows are returned to this process, the only one that writes."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from . import _keyside
from ._errors import Error, RequestError, SourceError, of_kind

#: How often a shard is begun again whose worker, or whose machine, was lost.
_RETRIES = 5

#: Seconds in which a machine of a cluster answers.
_TIMEOUT = 10.0

#: In a worker: what it does shards of, so that a model is opened once for all of its shards.
_open: dict[str, _keyside.Sweep] = {}


class _Failed(NamedTuple):
    """An error in a worker, as data, since Ray wraps exceptions in its own."""

    kind: str
    cause: str
    expected: str
    advice: str


def _rows(version: str, task: str, shard: int, threads: int) -> tuple[str, str] | _Failed:
    """Runs in a worker: the pair of strings that `Sweep.rows` returns for a shard, or the failure."""
    here = socket.gethostname()
    if version != _keyside.VERSION:
        cause = f"{here} has keyside {_keyside.VERSION}, and the sweep is one of keyside {version}"
        return _Failed("request", cause, "the same version everywhere", f"Run on every machine of the cluster: pip install keyside=={version}")
    # Read when the first product is computed. By default a shard uses the cores that Ray has assigned.
    os.environ.setdefault("RAYON_NUM_THREADS", str(threads))
    try:
        if task not in _open:
            _open.clear()
            _open[task] = _keyside.Sweep.of_task(task)
        return _open[task].rows(shard, None)
    except Error as error:
        return _Failed(error.kind, f"{error.cause} (on {here})", error.expected, error.advice)


def run(
    sweep: _keyside.Sweep,
    missing: list[int],
    keep: Callable[[int, str, str], None],
    address: str | None,
    cpus: int,
) -> None:
    """Runs the ``missing`` shards on Ray; each is passed to ``keep`` when it is finished."""
    if not isinstance(cpus, int) or cpus < 1:
        raise RequestError("request", f"cpus is {cpus!r}", "a number of cores, 1 or more")
    import ray

    with _connected(ray, address):
        task = ray.put(sweep.task())
        rows = ray.remote(_rows).options(name="keyside.sweep", num_cpus=cpus, max_retries=_RETRIES)
        waiting = iter(missing)
        running: dict[Any, int] = {}
        try:
            while True:
                for shard in itertools.islice(waiting, max(0, _ahead(ray, cpus) - len(running))):
                    running[rows.remote(_keyside.VERSION, task, shard, cpus)] = shard
                if not running:
                    return
                for done in ray.wait(list(running))[0]:
                    shard = running.pop(done)
                    keep(shard, *_answer(ray, done, shard))
        except ray.exceptions.RayError as cause:
            raise _lost(f"Ray has failed ({_first_line(cause)})") from cause


def _ahead(ray: Any, cpus: int) -> int:
    """How many shards Ray has at a time: twice those that the cluster does at once, so that none of its cores waits for this process.

    Ray drops them when this process ends its connection. In a connection that was there before, they are still done, for nothing, when the sweep is
    stopped: ``ray.cancel`` can abort this process where a short task ends at that moment (Ray 2.60, "Tried to complete task that was not pending").
    """
    return 2 * max(1, int(ray.cluster_resources().get("CPU", 0)) // cpus)


def _answer(ray: Any, done: Any, shard: int) -> tuple[str, str]:
    """The result of a worker's task."""
    try:
        found = ray.get(done)
    except ray.exceptions.RayTaskError as cause:
        version = _keyside.VERSION
        advice = f"Every machine of the cluster needs keyside {version}: pip install keyside=={version}"
        raise SourceError("source", f"a worker can't do shard {shard} ({_first_line(cause.cause or cause)})", "", advice) from cause
    except ray.exceptions.RayError as cause:
        raise _lost(f"shard {shard} was begun {_RETRIES + 1} times, and its worker lost each time ({_first_line(cause)})") from cause
    if isinstance(found, _Failed):
        raise of_kind(*found)
    rows, finished = found
    return rows, finished


def _lost(cause: str) -> Error:
    advice = "Look whether the machines have enough memory; the same call goes on with what is left."
    return SourceError("source", cause, "", advice)


def _chain(cause: BaseException | None) -> Iterator[BaseException]:
    """An exception, and those that it was raised from or during: Ray wraps its own."""
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _first_line(cause: BaseException) -> str:
    return next((line.strip() for line in str(cause).splitlines() if line.strip()), type(cause).__name__)


@contextlib.contextmanager
def _connected(ray: Any, address: str | None) -> Iterator[None]:
    """A connection to Ray, closed afterwards unless it existed before."""
    if ray.is_initialized():
        if address is not None:
            raise RequestError("request", f"this process is connected to Ray, and the address {address} is given", "one of them", "Leave the address out, or call ray.shutdown() before.")
        yield
        return
    # A local Ray instance would send usage statistics.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        if address is not None:
            _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", **({} if address else {"include_dashboard": False}))
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as cause:
        where = "on this machine" if address is None else f"at {address}"
        if any("InvalidAuthToken" in str(within) for within in _chain(cause)):
            raise SourceError(
                "source",
                f"Ray {where} asks for a token, and this process has none, or another one",
                "the token of the machine that ran ray start --head",
                "Copy ~/.ray/auth_token from that machine to this one, and set RAY_AUTH_MODE=token.",
            ) from cause
        raise SourceError(
            "source",
            f"Ray {where} does not answer ({_first_line(cause)})",
            "the address that ray start --head prints, such as 10.0.0.1:6379, and the same versions of Ray and Python everywhere",
            'Nothing that was finished is lost. runner="local" does without Ray.',
        ) from cause
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises an error within seconds where no server listens; Ray itself waits for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_TIMEOUT).close()
