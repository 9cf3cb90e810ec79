"""Results in Python: dictionaries, arrays, data frames, figures, files."""

import copy
import inspect
import json
import pickle
import unittest
from importlib import resources

import numpy as np
from common import FIXTURES, ROOT, TEXT, TINY, command_line, folder, there

import keyside

RECORDED = ROOT / "public" / "recorded" / "gpt2-small-10.7.json"


class Results(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = keyside.load(TINY)
        cls.run_ = cls.model.analyze("2.1", earlier_head="1.3", prompts=keyside.ioi(2, 4))
        cls.pair = cls.model.pair(TEXT, head="2.1", src="Mary", substituted=True)

    def test_files(self):
        with folder() as place:
            file = place / "result.json"
            self.run_.save(file)
            opened = keyside.open(file)
            self.assertEqual(opened, self.run_)
            self.assertEqual(opened.to_dict(), json.loads(file.read_text()))
            self.assertEqual(keyside.Result.from_dict(opened.to_dict()), self.run_)
            self.assertEqual(pickle.loads(pickle.dumps(opened)), self.run_)
            self.assertEqual(copy.copy(opened), self.run_)
            self.assertNotEqual(opened, self.pair)
            self.assertEqual(keyside.validate(file), [])
            told = command_line("validate", file)
            self.assertIn("all of whose parts fit", told)
            self.assertEqual(opened.summary(), self.run_.summary())
        old = keyside.open(FIXTURES / "result-version-1.json")
        self.assertEqual(old.to_dict()["format"], "keyside-result/2")

    def test_arrays_are_numpys(self):
        arrays = self.run_.arrays
        self.assertGreater(len(arrays), 50)
        for name, array in arrays.items():
            self.assertEqual(array.dtype, np.float32, name)
            self.assertFalse(array.flags.writeable, name)
        section = self.run_["contributions"]
        self.assertIs(self.run_["contributions"], section)
        self.assertEqual(section["heatmaps"]["key"]["per_prompt"].shape, (4, 15))
        plain = self.run_.to_dict()["sections"][1]["heatmaps"]["key"]["per_prompt"]
        np.testing.assert_array_equal(section["heatmaps"]["key"]["per_prompt"].ravel(), np.float32(plain["data"]))
        self.assertIn("pair", self.pair)
        self.assertNotIn("causal", self.pair)
        self.assertEqual(self.pair.prompts[0]["positions"], {"dest": 13, "src": 1})
        self.assertEqual(self.pair.config["n_layer"], 3)
        self.assertTrue(self.pair.processing["fold_ln"])

    def test_figures_are_the_command_lines(self):
        with folder() as place:
            file = place / "result.json"
            self.run_.save(file)
            options = ["--theme", "dark", "--bins", 20, "--log", "--order", "label", "--show", "W_U[S]", "--prompt", 2]
            command_line("plot", file, "--out", place / "plots", *options)
            written = {path.name: path for path in (place / "plots").iterdir()}
            given = {"theme": "dark", "bins": 20, "log": True, "order": "label", "show": ["W_U[S]"], "prompt": 2}
            compared = 0
            for name in self.run_.figures:
                figure = self.run_.figure(name, **given)
                stem = figure._native.stem
                self.assertEqual(figure.svg(), written.pop(f"{stem}.svg").read_text(), name)
                self.assertEqual(figure.markdown(), written.pop(f"{stem}.md").read_text(), name)
                self.assertEqual(figure.script(str(file)), written.pop(f"{stem}.py").read_text(), name)
                figure.save(place / "own.csv")
                for table in figure.tables:
                    own = place / ("own.csv" if len(figure.tables) == 1 else f"own-{table}.csv")
                    self.assertEqual(own.read_bytes(), written.pop(f"{stem}-{table}.csv").read_bytes(), table)
                compared += 1
            self.assertGreater(compared, 20)
            self.assertEqual(list(written), [])

    def test_a_figure_shows_itself(self):
        figure = self.run_.figure("heatmap_key", width=700)
        self.assertTrue(figure._repr_svg_().startswith("<svg"))
        shown = figure._repr_html_()
        self.assertTrue(shown.startswith("<div") and shown.rstrip().endswith("</div>") and "<script>" in shown)
        self.assertNotIn("http://127", shown)
        self.assertIn('width="700"', figure.svg())
        self.assertIn("heatmap_key", repr(figure))
        with folder() as place:
            figure.save(place / "x.html")
            page = (place / "x.html").read_text()
            self.assertTrue(page.startswith("<!doctype html>") and figure.html() in page)
            figure.save(place / "x.svg")
            self.assertEqual((place / "x.svg").read_text(), figure.svg())

    def test_recorded_runs_open(self):
        recorded = keyside.open(RECORDED)
        self.assertEqual((recorded.head, recorded.prompts), ("10.7", []))
        self.assertTrue(recorded.figure("keys_fixed_scores").svg().startswith("<svg"))

    def test_the_schema_is_in_the_package(self):
        published = resources.files("keyside").joinpath("result.schema.json").read_text(encoding="utf-8")
        self.assertEqual(published, (ROOT / "docs" / "result.schema.json").read_text())
        self.assertEqual(published, command_line("validate", "--schema"))
        self.assertEqual(keyside.schema(), json.loads(published))
        with folder() as place:
            broken = self.pair.to_dict()
            broken["sections"][2]["score"] = "much"
            (place / "broken.json").write_text(json.dumps(broken))
            found = keyside.validate(place / "broken.json")
            self.assertTrue(any(fault.startswith("/sections/2") for fault in found), found)

    @unittest.skipUnless(there("pandas"), "pandas is not installed")
    def test_data_frames_of_pandas(self):
        self.frames("pandas")
        self.assertEqual(type(self.run_.to_dataframe()).__module__.partition(".")[0], "pandas")

    @unittest.skipUnless(there("polars"), "polars is not installed")
    def test_data_frames_of_polars(self):
        self.frames("polars")

    def frames(self, library):
        frame = self.run_.to_dataframe(library=library)
        self.assertEqual(frame.shape[0], 8)
        found = np.asarray(frame["keys_fixed_scores: W_U[IO]"], dtype=np.float32)
        np.testing.assert_array_equal(found, self.run_["substitution"]["series"]["query"]["W_U[IO]"]["scores"])
        self.assertEqual(list(frame["text"]), [prompt["text"] for prompt in self.run_.prompts])
        cells = self.run_.to_dataframe("heatmap_key", "components", library=library)
        self.assertEqual(cells.shape[0], 15)
        self.assertGreater(self.pair.to_dataframe(library=library).shape[0], 0)

    @unittest.skipIf(there("pandas") or there("polars"), "there are data frames here")
    def test_without_data_frames_it_is_said_what_to_install(self):
        with self.assertRaisesRegex(ImportError, "pip install pandas"):
            self.run_.to_dataframe()
        with self.assertRaisesRegex(ImportError, "pip install polars"):
            self.run_.to_dataframe(library="polars")


class Documentation(unittest.TestCase):
    def test_everything_public_is_documented(self):
        looked_at = 0
        for name in keyside.__all__:
            thing = getattr(keyside, name)
            if name == "__version__":
                continue
            self.assertTrue(inspect.getdoc(thing), name)
            for method, member in inspect.getmembers(thing) if inspect.isclass(thing) else []:
                if not method.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
                    self.assertTrue(inspect.getdoc(member), f"{name}.{method}")
                    looked_at += 1
        self.assertGreater(looked_at, 40)

    def test_the_version_is_the_command_lines(self):
        self.assertEqual(command_line("--version").split(), ["keyside", keyside.__version__])

    def test_the_package_is_typed(self):
        self.assertTrue(resources.files("keyside").joinpath("py.typed").is_file())
        self.assertTrue(resources.files("keyside").joinpath("_keyside.pyi").is_file())


if __name__ == "__main__":
    unittest.main()
