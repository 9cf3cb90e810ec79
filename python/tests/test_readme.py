"""The lines of the README and the examples of docstrings run."""

import contextlib
import doctest
import importlib
import os
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from common import ROOT, command_line, folder, free_port, ray_environment, ray_machine, there

import keyside

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(document, title, language):
    """The blocks of a language in a section of a document."""
    section = document.split(f"\n## {title}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


@contextlib.contextmanager
def at_the_root():
    """A folder in which paths of the README lead where they lead at the project's root."""
    with folder() as place:
        for name in ("public", "tests"):
            (place / name).symlink_to(ROOT / name)
        before = os.getcwd()
        os.chdir(place)
        try:
            yield place
        finally:
            os.chdir(before)


class Readme(unittest.TestCase):
    def test_the_lines_in_python_run(self):
        first, more = blocks(README, "In Python", "python")
        count = lambda lines: len([line for line in lines.splitlines() if line])
        self.assertTrue(4 <= count(first) <= 7 and count(more) >= 5, (count(first), count(more)))
        lines = first + more
        with at_the_root() as place:
            # As a reader runs them: a script of their own.
            (place / "lines.py").write_text(lines)
            done = subprocess.run([sys.executable, "-I", "lines.py"], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(keyside.validate("result.json"), [])
            self.assertTrue((place / "heatmap.html").read_text().startswith("<!doctype html>"))
            command_line("sweep", "--models", "public/models/tiny-ioi", "--heads", "1.*,2.0", "--seeds", "0..3", "--out", "command")
            self.assertEqual((place / "sweep" / "rows.jsonl").read_bytes(), (place / "command" / "rows.jsonl").read_bytes())

    @unittest.skipUnless(there("ray"), "Ray is not installed")
    def test_the_lines_about_a_cluster_run(self):
        (shell,), (lines,) = blocks(README, "On a cluster", "sh"), blocks(README, "On a cluster", "python")
        install, head, other = (shlex.split(line, comments=True) for line in shell.splitlines())
        self.assertEqual((install[:2], head[:2], other[:2]), (["pip", "install"], ["ray", "start"], ["ray", "start"]))
        port = free_port()
        here = lambda text: text.replace("HEAD:6379", f"127.0.0.1:{port}").replace("--port=6379", f"--port={port}")
        with at_the_root() as place, contextlib.ExitStack() as machines:
            # What is named is there already; a wheel is named by its own folder.
            wheels = Path(os.environ["KEYSIDE"]).parent.parent / "wheels"
            named = [str(next(wheels.glob(Path(word).name))) if word.endswith(".whl") else word for word in install[2:]]
            subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *named], check=True)
            environment = ray_environment(place)
            for name, words in (("head", head), ("other", other)):
                machines.enter_context(ray_machine(place, name, [here(word) for word in words], environment))
            (place / "lines.py").write_text(here(lines))
            done = subprocess.run([sys.executable, "-I", "lines.py"], capture_output=True, text=True, check=False, env=environment)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("96 rows of 8 shards", done.stdout)
            command_line("sweep", "--models", "public/models/tiny-ioi", "--seeds", "0..8", "--out", "command")
            self.assertEqual((place / "sweep" / "rows.jsonl").read_bytes(), (place / "command" / "rows.jsonl").read_bytes())
            self.assertTrue((place / "sweep" / "rows.parquet").is_file())

    def test_the_packages_own_readme_runs(self):
        text = (ROOT / "python" / "README.md").read_text(encoding="utf-8")
        (lines,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        # The bundled model in place of one that takes a network.
        lines = lines.replace("hub:gpt2", "public/models/tiny-ioi").replace("10.7", "2.0").replace("9.9", "1.1")
        with at_the_root() as place:
            exec(compile(lines.replace("batches=30", "batches=1"), "README.md", "exec"), {})
            self.assertTrue((place / "result.json").is_file())

    def test_examples_of_docstrings_run(self):
        attempted = 0
        with at_the_root():
            for module in pkgutil.iter_modules(keyside.__path__):
                if module.name == "_keyside":
                    continue
                done = doctest.testmod(importlib.import_module(f"keyside.{module.name}"))
                self.assertEqual(done.failed, 0, module.name)
                attempted += done.attempted
            attempted += doctest.testmod(keyside).attempted
        self.assertGreaterEqual(attempted, 10)

    def test_what_is_installed_is_the_wheel(self):
        self.assertNotIn(str(ROOT / "python"), keyside.__file__)
        self.assertIsNone(shutil.which("keyside-python"))


if __name__ == "__main__":
    unittest.main()
