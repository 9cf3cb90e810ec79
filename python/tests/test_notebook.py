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
import ctypes, gc, os
gc.collect()
ctypes.CDLL(None).malloc_trim(0)
print(int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
"""

# What IPython remembers of every cell for as long as its kernel runs: what was shown, and the object.
FORGET = """
get_ipython().history_manager.outputs.clear()
get_ipython().run_line_magic("reset", "-f out")
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

        added = {source: nbformat.v4.new_code_cell(source) for source in (MEMORY, FORGET)}
        cells = [cell for cell in self.notebook.cells if cell.cell_type == "code"]
        self.notebook.cells.extend(added.values())

        def run(cell, times=1):
            for _ in range(times):
                self.client.execute_cell(cell, self.notebook.cells.index(cell))

        def memory():
            run(added[MEMORY])
            return int(added[MEMORY].outputs[0]["text"])

        with self.client.setup_kernel():
            for cell in cells:
                run(cell)
            for cell, what, most in ((cells[1], "a figure's cell", 16 << 10), (cells[0], "a run's cell", 128 << 10)):
                # The allocator has its pages after a few.
                run(cell, 15)
                run(added[FORGET])
                before = memory()
                run(cell, RUNS)
                after = memory()
                run(added[FORGET])
                left = (memory() - before) / RUNS
                told = f"{before / 2**20:.1f} to {after / 2**20:.1f} MiB, {(after - before) / RUNS / 1024:+.0f} KiB a run"
                print(f"{what} {RUNS} times: {told}, {left / 1024:+.1f} KiB without IPython's history", end="; ", flush=True)
                self.assertLess(left, most, what)
                self.assertEqual([output.output_type for output in cell.outputs], ["execute_result"])


if __name__ == "__main__":
    unittest.main()
