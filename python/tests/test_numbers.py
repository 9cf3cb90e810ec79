"""The numbers are the command line's bit for bit, and the golden ones within 1e-4."""

import json
import unittest

import numpy as np
from common import BUNDLED, FIXTURES, TEXT, TINY, arrays_of, command_line, folder, golden, served

import keyside

TOLERANCE = 1e-4


def same(test, found, expected, what):
    """Bit for bit."""
    found, expected = np.asarray(found, dtype=np.float32), np.asarray(expected, dtype=np.float32)
    test.assertEqual(found.shape, expected.shape, what)
    test.assertEqual(found.tobytes(), expected.tobytes(), what)


class Runs(unittest.TestCase):
    def test_a_run_is_the_command_lines(self):
        model = keyside.load(TINY)
        cases = [
            (
                {"prompts": keyside.ioi(batches=2, batch_size=5, seed=7, bos=True)},
                ["--batches", 2, "--batch-size", 5, "--seed", 7, "--bos"],
            ),
            (
                {
                    "prompts": keyside.texts(["When [[Mary]] and John went, John gave it [[to]]", "Then [[Jim]] ran"], seed=3),
                    "exact_ln": True,
                    "writes": True,
                    "intervention": "query without 1.3",
                },
                ["--prompts", "PROMPTS", "--seed", 3, "--exact-ln", "--writes", "--intervention", "query without 1.3"],
            ),
        ]
        for given, options in cases:
            with self.subTest(options), folder() as place:
                prompts = place / "prompts.txt"
                prompts.write_text("When [[Mary]] and John went, John gave it [[to]]\nThen [[Jim]] ran\n")
                options = [prompts if option == "PROMPTS" else option for option in options]
                out = place / "result.json"
                heads = ["--head", "2.1", "--earlier-head", "1.3"]
                command_line("analyze", "--model", TINY, *heads, *options, "--out", out)
                expected = json.loads(out.read_text())
                found = model.analyze("2.1", earlier_head=(1, 3), **given).to_dict()
                del expected["timing"], found["timing"]
                self.assertEqual(json.dumps(found), json.dumps(expected))

    def test_without_processing_and_on_other_engines(self):
        off = keyside.Processing.none()
        plain = keyside.load(TINY, processing=off).analyze("2.1", earlier_head="1.3", prompts=keyside.ioi(1, 4))
        self.assertEqual(plain.processing, dict.fromkeys(plain.processing, False))
        whole = keyside.load(TINY).analyze("2.1", earlier_head="1.3", prompts=keyside.ioi(1, 4))
        series = "substitution/true_score"
        np.testing.assert_allclose(plain["substitution"]["true_score"], whole["substitution"]["true_score"], atol=TOLERANCE, err_msg=series)
        packed = keyside.load(TINY, engine="packed on 2").analyze("2.1", earlier_head="1.3", prompts=keyside.ioi(1, 4))
        self.assertEqual(packed.timing["engine"], "packed")
        for name, values in whole.arrays.items():
            np.testing.assert_allclose(packed.arrays[name], values, atol=TOLERANCE, err_msg=name)

    def test_golden_numbers(self):
        expected = golden("tiny-golden.json")
        model = keyside.load(TINY)
        compared = 0
        for head in ("2.1", "2.3"):
            run = model.analyze(head, earlier_head="1.3", prompts=keyside.ioi(batches=3, batch_size=10))
            found = run["substitution"]
            for side, short in (("query", "q"), ("key", "k")):
                for label, values in found["series"][side].items():
                    for measure, kind in (("scores", "scores"), ("probabilities", "probs")):
                        wanted = expected.get(f"hist/{head}/{short}_{kind}/{label}")
                        if wanted is not None:
                            np.testing.assert_allclose(values[measure], wanted, atol=TOLERANCE, err_msg=f"{head} {label}")
                            compared += 1
            np.testing.assert_allclose(found["true_score"], expected[f"hist/{head}/true/score"], atol=TOLERANCE)
            np.testing.assert_allclose(found["true_prob"], expected[f"hist/{head}/true/prob"], atol=TOLERANCE)
            first = model.analyze(head, earlier_head="1.3", prompts=keyside.ioi(batches=1, batch_size=10))
            score = first["contributions"]["heatmaps"]["key"]["per_prompt"].sum(axis=1)
            np.testing.assert_allclose(score, expected[f"heat/{head}/true_score"], atol=TOLERANCE)
        self.assertGreaterEqual(compared, 36)

    def test_a_url_is_a_folder(self):
        with served(TINY) as url:
            there = keyside.load(url).pair(TEXT, head="2.1", src=1)
        here = keyside.load(TINY).pair(TEXT, head="2.1", src=1)
        self.assertEqual(there.model["source"], url)
        same(self, there["pair"]["table"], here["pair"]["table"], "table")

    def test_heads_come_from_the_card(self):
        model = keyside.load(BUNDLED)
        run = model.analyze(prompts=keyside.ioi(1, 2), progress=False)
        self.assertEqual((run.head, run.earlier_head), (model.card["head"], model.card["earlier_head"]))


class Sentences(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = keyside.load(TINY)

    def test_a_pair_is_the_command_lines(self):
        options = ["--head", "2.1", "--src", "Mary"]
        arrays, written = arrays_of("pair", *options, "--earlier", "1.3", "--minus", 3)
        found = self.model.pair(TEXT, head=(2, 1), src="Mary", earlier="1.3")
        same(self, found["pair"]["table"], arrays["table"], "table")
        self.assertEqual(found["pair"]["components"], [*written["components"], "b_Q"])
        by_source = [value for _, value in found["down"]["opened"]["parts"]]
        same(self, by_source, arrays["earlier_head_by_source"][: len(by_source)], "by source")
        for relative, name in (("mean", "mean"), ("attention", "attention"), (3, "position")):
            found = self.model.pair(TEXT, head="2.1", src=1, relative=relative)
            same(self, found["pair"]["table"], arrays[f"table_minus_{name}"], name)
        arrays, _ = arrays_of("attention", *options)
        found = self.model.attention(TEXT, head="2.1", src="Mary", dest=-1)
        same(self, found["attention"]["scores"], arrays["scores_all_heads_at_dest"], "scores")
        self.assertEqual(len(found["layer"]["patterns"]), 4)

    def test_effects_and_directions_are_the_command_lines(self):
        options = ["--head", "2.1", "--src", 1]
        arrays, written = arrays_of("effects", *options, "--a", 657, "--b", 529)
        found = self.model.effects(TEXT, head="2.1", src=1, a=657, b=" John")
        same(self, found["effects"]["effects"], arrays["direct_effects"], "effects")
        same(self, [found["effects"]["bias"]], arrays["direct_effect_b_U"], "b_U")
        same(self, [one["value"] for one in found["writes"]["raised"]], arrays["ov_top"], "raised")
        self.assertEqual(found["effects"]["components"], written["all_components"])
        arrays, _ = arrays_of("directions", *options)
        found = self.model.directions(TEXT, head="2.1", src=1)
        same(self, found["directions"]["values"], arrays["svd_singular_values"], "singular values")
        same(self, found["directions"]["contributions"], arrays["svd_contributions"], "contributions")

    def test_what_is_recomputed_is_the_command_lines(self):
        options = ["--head", "2.1", "--src", 1, "--a", 657, "--b", 529]
        arrays, _ = arrays_of("causal", *options)
        found = self.model.causal(TEXT, head="2.1", src=1, a=657, b=529)["causal"]
        for side in ("query", "key"):
            for what, name in (("recomputed", "causal"), ("predicted", "causal_predicted")):
                for measure, values in found[side][what].items():
                    same(self, values, arrays[f"{name}/{side}/{measure}"], f"{side} {what} {measure}")
        arrays, _ = arrays_of("effects", *options, "--earlier", "1.3", "--second", TEXT.replace("Mary", "John"))
        asked = [
            {"set": {"head": "2.1", "activation": "z", "to": "zero", "at": "all"}},
            {"set": {"head": "2.1", "activation": "v", "to": "second", "at": "all"}},
            {"substitute": {"side": "query", "vector": {"unembedding": 657}}},
        ]
        second = TEXT.replace("Mary", "John")
        found = self.model.intervene(TEXT, asked, head="2.1", src=1, a=657, b=529, second=second)["intervention"]
        for effect, name in zip(found["effects"], ("zero head", "v of second", "query=W_U[a]"), strict=True):
            after = effect["after"]
            reported = [after["row"][1], after["logit_difference"], after["logprob_a"]]
            same(self, reported, arrays[f"effect/{name}"], name)

    def test_what_comes_next_is_the_command_lines(self):
        listed = json.loads(command_line("next", "--model", TINY, "--text", TEXT, "--json", "-"))
        found = self.model.next(TEXT)
        self.assertEqual([one.token for one in found], [one["token"] for one in listed])
        same(self, [one.logprob for one in found], [one["logprob"] for one in listed], "log-probabilities")
        options = ["--count", 8, "--temperature", 0.7, "--top-k", 50, "--top-p", 0.9, "--seed", 5]
        drawn = json.loads(command_line("next", "--model", TINY, "--text", TEXT, "--json", "-", *options))
        found = self.model.go_on(TEXT, 8, temperature=0.7, top_k=50, top_p=0.9, seed=5)
        self.assertEqual(found._asdict(), drawn)

    def test_a_recording_is_the_command_lines(self):
        with folder() as place:
            out = place / "recording.json"
            command_line("record", "--model", TINY, "--text", TEXT, "--pair", "2.1:-1:Mary", "--source", "here", "--out", out)
            saved = place / "saved.json"
            found = self.model.record([TEXT], pairs=[((2, 1), -1, "Mary")], source="here", save=saved)
            self.assertEqual(found, json.loads(out.read_text()))
            self.assertEqual(saved.read_text(), out.read_text())
            prompts = [
                {"text": "When Mary and John went, John gave it to", "answer": " Mary", "other": " John"},
                {"text": "When John and Mary went, Mary gave it to", "answer": " John", "other": " Mary"},
            ]
            given = place / "prompts.json"
            given.write_text(json.dumps(prompts))
            out = place / "effects.json"
            command_line("record", "--model", TINY, "--effects", given, "--without", "1.3", "--out", out)
            found = self.model.head_effects(prompts, without="1.3")
            self.assertEqual(found.to_json(), out.read_text())

    def test_golden_pairs(self):
        compared = 0
        for one in json.loads((FIXTURES / "pairs-golden.json").read_text())[:3]:
            case, arrays = one["case"], one["arrays"]
            found = self.model.pair(case["text"], head=case["head"], dest=case["dest"], src=case["src"], bos=case["bos"])
            expected = np.asarray(arrays["scores_all_heads_at_dest"]["data"]).reshape(3, 4, -1)[..., : case["dest"] + 1]
            np.testing.assert_allclose(found["attention"]["scores"], expected, atol=TOLERANCE)
            expected = np.asarray(arrays["table"]["data"]).reshape(arrays["table"]["shape"])
            np.testing.assert_allclose(found["pair"]["table"], expected, atol=TOLERANCE)
            compared += 1
        self.assertEqual(compared, 3)


if __name__ == "__main__":
    unittest.main()
