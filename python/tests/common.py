"""What the tests have in common."""

import contextlib
import http.server
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
TINY = FIXTURES / "tiny"
BUNDLED = ROOT / "public" / "models" / "tiny-ioi"
TEXT = "When Mary and John went to the store, John gave a drink to"


def there(module):
    """Whether a module is installed."""
    return importlib.util.find_spec(module) is not None


def command_line(*arguments):
    """What the command line prints to its standard output."""
    done = subprocess.run([os.environ["KEYSIDE"], *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def interruptible():
    """Done in a process before its program starts: what runs the tests in the background has its processes ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def arrays_of(command, *options, text=TEXT, model=TINY):
    """The arrays that a command about a sentence writes, and the rest of what it writes."""
    written = json.loads(command_line(command, "--model", model, "--text", text, "--json", "-", *options))
    return {name: shaped(array) for name, array in written.pop("arrays").items()}, written


def shaped(array):
    """An array as files have it."""
    return np.asarray(array["data"], dtype=np.float32).reshape(array["shape"])


def golden(name):
    """The arrays of a file of golden numbers."""
    return {key: shaped(array) for key, array in json.loads((FIXTURES / name).read_text())["arrays"].items()}


@contextlib.contextmanager
def folder():
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


@contextlib.contextmanager
def served(path):
    """The URL at which a folder is served."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(path))

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """A reader that has what it wants breaks off."""

    with Server(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def processes():
    """All processes that run: their parents and what they are called, by their numbers."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            state, parent, *_ = (path / "stat").read_text().rpartition(")")[2].split()
            if state != "Z":
                found[int(path.name)] = int(parent), (path / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except (OSError, ValueError):
            continue
    return found


def below(process):
    """The processes that a process has started, and those that these have."""
    everything = processes()
    found = {process}
    while True:
        more = {number for number, (parent, _) in everything.items() if parent in found} - found
        if not more:
            return {number: everything[number][1] for number in found - {process}}
        found |= more


def wait_until_gone(started):
    """Waits until processes have ended, of which `below` has told."""
    # A minute after the rest of Ray by themselves.
    agents = [number for number, name in started.items() if name in ("ray::DashboardAgent", "ray::RuntimeEnvAgent")]
    end = time.monotonic() + 30
    while left := {number: name for number, name in started.items() if number in processes() and number not in agents}:
        assert time.monotonic() < end, f"processes are left: {left}"
        time.sleep(0.05)
    for number in agents:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def ended(process):
    """Ends a process and what it has started."""
    started = below(process.pid)
    process.terminate()
    process.wait(60)
    wait_until_gone(started)


def free_port():
    """A port of this machine that no program listens at."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def ray_environment(place, **more):
    """The environment of a person who has not used Ray: whether Ray asks for a token depends on files in the home folder."""
    home = place / "home"
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    return {**kept, "HOME": str(home), "RAY_USAGE_STATS_ENABLED": "0", **more}


@contextlib.contextmanager
def ray_machine(place, name, words, environment):
    """A machine of a cluster: ``ray start`` with a core of its own, in the foreground, so that it ends with the test."""
    files = [f"--temp-dir={place}/ray"] if "--head" in words else []
    command = [str(Path(sys.executable).parent / "ray"), *words[1:], "--block", "--num-cpus=1", *files]
    log = place / f"{name}.log"
    with open(log, "w") as out:
        machine = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)
    try:
        while "runtime started" not in log.read_text():
            assert machine.poll() is None, log.read_text()
            time.sleep(0.1)
        yield
    finally:
        ended(machine)
