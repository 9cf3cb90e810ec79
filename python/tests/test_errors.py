"""Bad input: an exception that says what is the matter, what was expected, what to do."""

import os
import unittest

from common import ROOT, TEXT, TINY, folder

import keyside


class Errors(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = keyside.load(TINY)

    def raises(self, kind, parts, call):
        with self.assertRaises(kind) as caught:
            call()
        error = caught.exception
        for part in parts:
            self.assertIn(part, str(error))
        self.assertTrue(error.cause in str(error) and error.kind and error.expected + error.advice, error)

    def test_models_that_are_not_there(self):
        self.raises(keyside.SourceError, ["there is no folder ./no/such"], lambda: keyside.load("./no/such"))
        self.assertTrue(issubclass(keyside.SourceError, OSError) and issubclass(keyside.SourceError, keyside.Error))
        self.raises(keyside.SourceError, ["there is no config.json in"], lambda: keyside.load(ROOT / "docs"))
        self.raises(keyside.RequestError, ["gpt3", "gpt2-xl"], lambda: keyside.load("hub:gpt3"))
        self.raises(keyside.SourceError, ["http://127.0.0.1:1", "Check the URL"], lambda: keyside.load("http://127.0.0.1:1/gpt2"))
        with folder() as place:
            for name in ("config.json", "tokenizer.json"):
                (place / name).write_bytes((TINY / name).read_bytes())
            (place / "model.safetensors").write_bytes(b"no weights")
            self.raises(keyside.ModelError, ["model.safetensors"], lambda: keyside.load(place))
        self.raises(keyside.RequestError, ["fold_everything", "fold_ln"], lambda: keyside.load(TINY, processing={"fold_everything": True}))
        self.raises(keyside.RequestError, ["abacus"], lambda: keyside.load(TINY, engine="abacus"))

    @unittest.skipIf(os.environ.get("KEYSIDE_NETWORK"), "with a network there is a hub")
    def test_the_hub_without_a_network(self):
        old = {name: os.environ.pop(name, None) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY")}
        os.environ["HTTPS_PROXY"] = "http://127.0.0.1:1"
        try:
            self.raises(keyside.SourceError, ["openai-community/gpt2", "config.json can't be read", "connection"], lambda: keyside.load("hub:gpt2"))
        finally:
            del os.environ["HTTPS_PROXY"]
            os.environ.update({name: value for name, value in old.items() if value is not None})

    def test_heads(self):
        pair = lambda head: lambda: self.model.pair(TEXT, head=head, src=1)
        tables = [self.model.pair(TEXT, head=head, src=1)["pair"]["table"] for head in ("2.1", (2, 1), [2, 1])]
        self.assertTrue((tables[0] == tables[1]).all() and (tables[0] == tables[2]).all())
        self.raises(keyside.RequestError, ["head is the number 2.1", '"10.7"', "(10, 7)"], pair(2.1))
        self.raises(keyside.RequestError, ["head is (2, 1, 0)"], pair((2, 1, 0)))
        self.raises(keyside.RequestError, ["head 9.9 does not exist", "a layer from 0 to 2"], pair("9.9"))
        self.raises(keyside.RequestError, ["two"], pair("two"))
        self.raises(keyside.RequestError, ["head is missing", "such as"], lambda: self.model.analyze())
        self.raises(keyside.RequestError, ["earlier_head is missing"], lambda: self.model.analyze("2.1"))
        self.raises(keyside.RequestError, ["no earlier layer"], lambda: self.model.analyze("0.1", earlier_head="0.0"))

    def test_positions(self):
        pair = lambda **given: lambda: self.model.pair(TEXT, head="2.1", **given)
        self.raises(
            keyside.RequestError,
            ['src is "John", which stands 2 times in the text, at positions 3 and 9', "such as 9"],
            pair(src="John"),
        )
        with_bos = lambda: self.model.pair(TEXT, head="2.1", src="John", bos=True)
        self.raises(keyside.RequestError, ["at positions 4 and 10"], with_bos)
        self.raises(keyside.RequestError, ['"Maria", which does not stand in the text'], pair(src="Maria"))
        self.raises(keyside.RequestError, ["src is 14, outside of 14 tokens", "from -14 to 13"], pair(src=14))
        self.raises(keyside.RequestError, ["dest is -15"], pair(src=0, dest=-15))
        self.raises(keyside.RequestError, ["the source 5 is after"], pair(src=5, dest="and"))
        self.raises(keyside.PromptError, ["no word"], lambda: self.model.pair("", head="2.1", src=0))

    def test_settings_and_targets(self):
        run = lambda **given: lambda: self.model.analyze("2.1", earlier_head="1.3", **given)
        self.raises(keyside.RequestError, ["batch_size: ", "whole number"], run(prompts=keyside.ioi(1, "many")))
        self.raises(keyside.RequestError, ["the batch size is 0"], run(prompts=keyside.ioi(1, 0)))
        self.raises(keyside.RequestError, ["keyside.texts"], run(prompts=["When Mary"]))
        self.raises(keyside.RequestError, ["intervention", "query without 9.9"], run(intervention="query from W_Q"))
        self.raises(keyside.PromptError, ["line 1", "no mark"], run(prompts=keyside.texts(["When Mary and John went"])))
        self.raises(keyside.PromptError, ["can't be read"], lambda: keyside.texts(TINY / "no.txt"))
        self.raises(keyside.PromptError, ["prompt 2 is several lines"], lambda: keyside.texts(["a", "b\nc"]))
        effects = lambda **given: lambda: self.model.effects(TEXT, head="2.1", src=1, **given)
        self.raises(keyside.RequestError, ["Mary and", "tokens"], effects(a="Mary and"))
        intervene = lambda: self.model.intervene(TEXT, [{"explode": {}}], head="2.1", src=1)
        self.raises(keyside.RequestError, ["explode"], intervene)

    def test_results(self):
        self.raises(keyside.SourceError, ["no.json can't be read"], lambda: keyside.open("no.json"))
        self.raises(keyside.ResultFileError, ["not JSON"], lambda: keyside.open(ROOT / "Cargo.toml"))
        result = self.model.pair(TEXT, head="2.1", src=1)
        self.raises(keyside.RequestError, ['no figure "histogram"', "table"], lambda: result.figure("histogram"))
        self.raises(keyside.RequestError, ["blue", "light or dark"], lambda: result.figure("table", theme="blue").svg())
        self.raises(keyside.RequestError, ["no table 'x'"], lambda: result.figure("table").to_dataframe("x"))
        self.raises(keyside.SourceError, ["there is no folder"], lambda: result.save("no/such/folder/r.json"))
        self.raises(keyside.RequestError, [".svg"], lambda: result.figure("table").save("figure.gif"))
        with self.assertRaisesRegex(KeyError, "no section 'causal'.*pair"):
            result["causal"]
        broken = result.to_dict()
        broken["sections"][2]["score"] = "much"
        self.raises(keyside.ResultFileError, ["sections[2]"], lambda: keyside.Result.from_dict(broken))

    def test_what_was_there_is_not_lost(self):
        result = self.model.pair(TEXT, head="2.1", src=1)
        with folder() as place:
            file = place / "result.json"
            result.save(file)
            before = file.read_bytes()
            (place / f"result.json.{os.getpid()}.part").mkdir()
            self.assertRaises(keyside.SourceError, result.save, file)
            self.assertEqual(file.read_bytes(), before)

    def test_the_model_can_be_used_on(self):
        for _ in range(3):
            self.assertRaises(keyside.RequestError, self.model.pair, TEXT, head="9.9", src=1)
        self.assertEqual(self.model.pair(TEXT, head="2.1", src=1).head, "2.1")


if __name__ == "__main__":
    unittest.main()
