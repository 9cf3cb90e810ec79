"""The lines of the README and the examples of docstrings run."""

import contextlib
import doctest
import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import unittest

from common import ROOT, folder

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
        (lines,) = blocks(README, "In Python", "python")
        self.assertGreaterEqual(len([line for line in lines.splitlines() if line and not line.startswith("#")]), 10)
        with at_the_root() as place:
            # As a reader runs them: a script of their own.
            (place / "lines.py").write_text(lines)
            done = subprocess.run([sys.executable, "-I", "lines.py"], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(keyside.validate("result.json"), [])
            self.assertTrue((place / "heatmap.svg").read_text().startswith("<svg"))

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
