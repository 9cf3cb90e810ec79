"""What the tests have in common."""

import contextlib
import http.server
import json
import os
import subprocess
import tempfile
import threading
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
TINY = FIXTURES / "tiny"
BUNDLED = ROOT / "public" / "models" / "tiny-ioi"
TEXT = "When Mary and John went to the store, John gave a drink to"


def command_line(*arguments):
    """What the command line prints to its standard output."""
    done = subprocess.run([os.environ["KEYSIDE"], *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


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
