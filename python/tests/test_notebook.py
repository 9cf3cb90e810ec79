"""The notebook of docs/: it runs, its export shows its figures without a network, and cells that are run again leave nothing."""

import copy
import os
import re
import shutil
import subprocess
import unittest

from common import ROOT, folder, there

NOTEBOOK = ROOT / "docs" / "notebook.ipynb"
EXTRAS = ("ipykernel", "nbclient", "nbconvert")
# Where chromium may be, as the end-to-end tests have it.
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
RUNS = 30

MEMORY = """
import gc, os
gc.collect()
print(int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
"""


@unittest.skipUnless(all(map(there, EXTRAS)), f"{', '.join(EXTRAS)} are not all installed")
class Notebook(unittest.TestCase):
    def setUp(self):
        import nbclient
        import nbformat

        self.notebook = nbformat.read(NOTEBOOK, as_version=4)
        self.client = nbclient.NotebookClient(self.notebook, timeout=120, resources={"metadata": {"path": str(NOTEBOOK.parent)}})

    def figures(self):
        """The HTML of all figures that its cells show."""
        outputs = [output for cell in self.notebook.cells for output in cell.get("outputs", [])]
        shown = [output["data"]["text/html"] for output in outputs if "text/html" in output.get("data", {})]
        return [html for html in shown if "<svg" in html]

    def test_its_export_shows_its_figures_without_a_network(self):
        import nbconvert
        import nbformat

        self.assertEqual([cell.outputs for cell in self.notebook.cells if cell.cell_type == "code"], [[]] * 5, "it is kept without outputs")
        empty = copy.deepcopy(self.notebook)
        self.client.execute()
        figures = self.figures()
        self.assertEqual(len(figures), 4)
        with folder() as place:
            # Saved and opened again, as its reader does it.
            nbformat.write(self.notebook, place / "saved.ipynb")
            saved = nbformat.read(place / "saved.ipynb", as_version=4)
            exporter = nbconvert.HTMLExporter()
            for name, notebook in (("notebook.html", saved), ("empty.html", empty)):
                (place / name).write_text(exporter.from_notebook_node(notebook)[0], encoding="utf-8")
            page = (place / "notebook.html").read_text(encoding="utf-8")
            for html in figures:
                self.assertIn(html.strip(), page)
            size = sum(len(html.encode()) for html in figures)
            print(f"{len(figures)} figures, {size // 1024} KiB of {len(page.encode()) // 1024} KiB", end=" ... ", flush=True)
            missing = [what for what, is_there in (
                ("node", shutil.which("node")),
                ("Chromium", os.path.exists(CHROMIUM)),
                ("tests/e2e/node_modules", (ROOT / "tests" / "e2e" / "node_modules").exists()),
            ) if not is_there]
            if missing:
                self.skipTest(f"it was exported and not looked at: there is no {', '.join(missing)}")
            # The page that the harness serves is not asked for here.
            environment = {**os.environ, "KEYSIDE_NOTEBOOK": str(place), "KEYSIDE_PAGE": str(place)}
            looked = subprocess.run(
                ["node", str(ROOT / "tests" / "e2e" / "run.mjs"), "notebook"], env=environment, capture_output=True, text=True, check=False
            )
            self.assertEqual(looked.returncode, 0, looked.stdout + looked.stderr)
            passed = re.search(r"^(\d+) passed, 0 failed$", looked.stdout, re.MULTILINE)
            self.assertGreaterEqual(int(passed[1]), 2, looked.stdout)

    def test_a_cell_that_is_run_again_leaves_nothing(self):
        import nbformat

        def memory():
            return int(self.client.execute_cell(probe, len(self.notebook.cells) - 1).outputs[0]["text"])

        probe = nbformat.v4.new_code_cell(MEMORY)
        self.notebook.cells.append(probe)
        code = [index for index, cell in enumerate(self.notebook.cells) if cell.cell_type == "code"][:-1]
        with self.client.setup_kernel():
            for index in code:
                self.client.execute_cell(self.notebook.cells[index], index)
            for index, what, most in ((code[1], "a figure's cell", 1 << 20), (code[0], "a run's cell", 2 << 20)):
                cell = self.notebook.cells[index]
                # The allocator has its pages after a few.
                for _ in range(5):
                    self.client.execute_cell(cell, index)
                before = memory()
                for _ in range(RUNS):
                    self.client.execute_cell(cell, index)
                after = memory()
                growth = (after - before) / RUNS
                print(f"{what} {RUNS} times: {before / 2**20:.1f} to {after / 2**20:.1f} MiB, {growth / 1024:+.0f} KiB a run", end="; ", flush=True)
                self.assertLess(growth, most, what)
                self.assertEqual(len(cell.outputs), 1)


if __name__ == "__main__":
    unittest.main()
