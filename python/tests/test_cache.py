"""keyside.from_cache against keyside's own numbers: of a forward pass in NumPy, and of TransformerLens where it is installed."""

import importlib.util
import json
import struct
import types
import unittest

import numpy as np
from common import TEXT, TINY

import keyside

A, B = 657, 529
TOLERANCE = 1e-4


def weights():
    """The tensors of the tiny checkpoint, in double precision."""
    raw = (TINY / "model.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    header.pop("__metadata__", None)
    found = {}
    for name, about in header.items():
        begin, end = about["data_offsets"]
        data = np.frombuffer(raw[8 + length + begin : 8 + length + end], dtype={"F32": "<f4", "F16": "<f2"}[about["dtype"]])
        found[name.removeprefix("transformer.")] = data.reshape(about["shape"]).astype(np.float64)
    return found


class Decoded:
    """A tokenizer, as far as a model of TransformerLens needs one here."""

    bos_token_id = None

    def __init__(self, texts):
        self.texts = texts

    def decode(self, tokens):
        return "".join(self.texts[token] for token in tokens)


def lens(text):
    """The tiny checkpoint without processing as TransformerLens has it: model, tokens, cache."""
    model = keyside.load(TINY)
    config, w = model.config, weights()
    layers, heads, width = config["n_layer"], config["n_head"], config["d_model"]
    of_head = width // heads
    named = model.tokens(text)
    tokens, count = [token for token, _ in named], len(named)

    def norm(x, name):
        centered = x - x.mean(-1, keepdims=True)
        scale = np.sqrt((centered**2).mean(-1, keepdims=True) + config["layer_norm_epsilon"])
        return centered / scale * w[f"{name}.weight"] + w[f"{name}.bias"]

    cache = {"hook_embed": w["wte.weight"][tokens], "hook_pos_embed": w["wpe.weight"][:count]}
    stream = cache["hook_embed"] + cache["hook_pos_embed"]
    stacked = {name: [] for name in ("W_Q", "b_Q", "W_K", "b_K", "W_V", "b_V", "W_O", "b_O")}
    blocks = []
    for layer in range(layers):
        at = f"blocks.{layer}"
        cache[f"{at}.hook_resid_pre"] = stream
        matrix, bias = w[f"h.{layer}.attn.c_attn.weight"], w[f"h.{layer}.attn.c_attn.bias"]
        for index, side in enumerate("QKV"):
            part = slice(index * width, (index + 1) * width)
            stacked[f"W_{side}"].append(matrix[:, part].reshape(width, heads, of_head).transpose(1, 0, 2))
            stacked[f"b_{side}"].append(bias[part].reshape(heads, of_head))
        stacked["W_O"].append(w[f"h.{layer}.attn.c_proj.weight"].reshape(heads, of_head, width))
        stacked["b_O"].append(w[f"h.{layer}.attn.c_proj.bias"])
        normalized = norm(stream, f"h.{layer}.ln_1")
        q, k, v = (
            np.einsum("pm,hmd->phd", normalized, stacked[f"W_{side}"][-1]) + stacked[f"b_{side}"][-1] for side in "QKV"
        )
        scores = np.einsum("qhd,khd->hqk", q, k) / np.sqrt(of_head)
        scores = np.where(np.tril(np.ones((count, count), dtype=bool)), scores, -np.inf)
        pattern = np.exp(scores - scores.max(-1, keepdims=True))
        pattern /= pattern.sum(-1, keepdims=True)
        z = np.einsum("hqk,khd->qhd", pattern, v)
        stream = stream + np.einsum("qhd,hdm->qm", z, stacked["W_O"][-1]) + stacked["b_O"][-1]
        hidden = norm(stream, f"h.{layer}.ln_2") @ w[f"h.{layer}.mlp.c_fc.weight"] + w[f"h.{layer}.mlp.c_fc.bias"]
        hidden = 0.5 * hidden * (1 + np.tanh(np.sqrt(2 / np.pi) * (hidden + 0.044715 * hidden**3)))
        out = hidden @ w[f"h.{layer}.mlp.c_proj.weight"] + w[f"h.{layer}.mlp.c_proj.bias"]
        stream = stream + out
        cache |= {
            f"{at}.attn.hook_attn_scores": scores,
            f"{at}.attn.hook_pattern": pattern,
            f"{at}.attn.hook_v": v,
            f"{at}.attn.hook_z": z,
            f"{at}.hook_mlp_out": out,
            f"{at}.hook_resid_post": stream,
        }
        blocks.append(types.SimpleNamespace(ln1=types.SimpleNamespace(w=w[f"h.{layer}.ln_1.weight"], b=w[f"h.{layer}.ln_1.bias"])))
    cfg = types.SimpleNamespace(
        n_layers=layers,
        n_heads=heads,
        d_model=width,
        d_head=of_head,
        d_mlp=config["d_mlp"],
        d_vocab=config["d_vocab"],
        n_ctx=config["n_ctx"],
        eps=config["layer_norm_epsilon"],
        act_fn="gelu_new",
        model_name="tiny",
        positional_embedding_type="standard",
    )
    tensors = {name: np.stack(values) for name, values in stacked.items()}
    of_model = types.SimpleNamespace(
        cfg=cfg,
        blocks=blocks,
        ln_final=types.SimpleNamespace(w=w["ln_f.weight"], b=w["ln_f.bias"]),
        W_U=w["wte.weight"].T,
        b_U=np.zeros(config["d_vocab"]),
        tokenizer=Decoded(dict(named)),
        **tensors,
    )
    # As many texts as are asked for are known; others are named by their ids.
    of_model.tokenizer.texts = Texts(of_model.tokenizer.texts)
    batched = {name: values[None] for name, values in cache.items()}
    return of_model, tokens, batched


class Texts(dict):
    def __missing__(self, token):
        return f"[{token}]"


class Caches(unittest.TestCase):
    def agrees(self, found, model):
        """With what keyside finds itself."""
        own = {
            **{kind: model.effects(TEXT, head="2.1", src=1, a=A, b=B)[kind] for kind in ("attention", "next", "pair", "lens", "effects")},
            "layer": model.attention(TEXT, head="2.1", src=1)["layer"],
        }
        compared = 0
        for kind in found.sections:
            for name, expected in own[kind].items():
                values = found[kind][name]
                if isinstance(expected, np.ndarray):
                    self.assertEqual(values.shape, expected.shape, f"{kind}.{name}")
                if isinstance(expected, (np.ndarray, float)):
                    np.testing.assert_allclose(values, expected, atol=TOLERANCE, err_msg=f"{kind}.{name}")
                    compared += 1
                elif name == "tokens":
                    self.assertEqual([one["token"] for one in values], [one["token"] for one in expected])
                    compared += 1
                elif name == "layers":
                    for one, other in zip(values, expected, strict=True):
                        self.assertAlmostEqual(one["logprob_a"], other["logprob_a"], delta=TOLERANCE)
                        self.assertAlmostEqual(one["logprob_b"], other["logprob_b"], delta=TOLERANCE)
                        compared += 1
                elif name in ("head", "dest", "src", "components", "layer"):
                    self.assertEqual(values, expected, f"{kind}.{name}")
        return compared

    def test_a_pass_in_numpy_gives_keysides_numbers(self):
        of_model, tokens, cache = lens(TEXT)
        found = keyside.from_cache(cache, of_model, tokens, head=(2, 1), src="Mary", a=A, b=B)
        self.assertEqual(found.sections, ["attention", "next", "lens", "pair", "layer", "effects"])
        self.assertEqual(found.processing, dict.fromkeys(found.processing, False))
        model = keyside.load(TINY, processing=keyside.Processing.none())
        self.assertGreaterEqual(self.agrees(found, model), 14)
        self.assertIn("table", found.figures)
        self.assertTrue(found.figure("table").svg().startswith("<svg"))
        with self.subTest("the source that the head looks most to"):
            without = keyside.from_cache(cache, of_model, tokens, head="2.1", a=A, b=B)
            expected = model.pair(TEXT, head="2.1")
            self.assertEqual(without["pair"]["src"], expected["pair"]["src"])

    def test_a_part_of_a_cache_gives_what_it_is_enough_for(self):
        of_model, tokens, cache = lens(TEXT)
        only = lambda *parts: {name: cache[name] for name in cache if name.endswith(parts)}
        one = {"blocks.2.attn.hook_pattern": cache["blocks.2.attn.hook_pattern"]}
        found = keyside.from_cache(one, of_model, tokens, head="2.1", src=1)
        self.assertEqual(found.sections, ["attention", "layer"])
        self.assertEqual(found["attention"]["heads"], ["2.0", "2.1", "2.2", "2.3"])
        own = keyside.load(TINY).pair(TEXT, head="2.1", src=1)
        np.testing.assert_allclose(found["attention"]["pattern"], own["attention"]["pattern"], atol=TOLERANCE)
        written = only("hook_embed", "hook_pos_embed", "hook_z", "hook_mlp_out")
        self.assertEqual(keyside.from_cache(written, of_model, tokens, head="2.1", src=1).sections, ["pair"])
        with self.assertRaisesRegex(keyside.RequestError, "too little.*hook_pattern"):
            keyside.from_cache(only("hook_z"), of_model, tokens, head="2.1", src=1)

    def test_what_does_not_belong_together_is_said(self):
        of_model, tokens, cache = lens(TEXT)
        make = lambda cache=cache, model=of_model, tokens=tokens, **given: keyside.from_cache(
            cache, model, tokens, **{"head": "2.1", "src": 1, **given}
        )
        for call, part in (
            (lambda: make(tokens=tokens[:-1]), "another model or of other tokens: its hook_embed has the shape"),
            (lambda: make({**cache, "blocks.3.hook_resid_pre": cache["blocks.2.hook_resid_pre"]}), "the model 3 layers"),
            (lambda: make({**cache, "blocks.1.hook_mlp_out": cache["blocks.0.hook_mlp_out"]}), "does not add up to its residual stream"),
            (lambda: make({**cache, "blocks.2.attn.hook_attn_scores": -cache["blocks.2.attn.hook_attn_scores"]}), "its score of head 2.1"),
            (lambda: make(head="3.0"), "head 3.0 does not exist"),
            (lambda: make(src="John"), "stands 2 times in the text, at positions 3 and 9"),
            (lambda: make(src=20), "outside of 14 tokens"),
            (lambda: make(src=9, dest=3), "A head looks back"),
            (lambda: make(a=A, b=A), "the same token"),
            (lambda: make(prompt=1), "there is no prompt 1"),
            (lambda: make(model=object()), "TransformerBridge"),
        ):
            with self.subTest(part), self.assertRaises(keyside.RequestError) as caught:
                call()
            self.assertIn(part, str(caught.exception))
        rotary = types.SimpleNamespace(**{**vars(of_model.cfg), "positional_embedding_type": "rotary"})
        with self.assertRaisesRegex(keyside.RequestError, "rotary.*GPT-2"):
            make(model=types.SimpleNamespace(**{**vars(of_model), "cfg": rotary}))

    @unittest.skipUnless(importlib.util.find_spec("transformer_lens"), "TransformerLens is not installed")
    def test_transformer_lens_gives_keysides_numbers(self):
        import torch
        from transformer_lens.model_bridge import TransformerBridge

        for processed in (True, False):
            with self.subTest(processed=processed):
                bridge = TransformerBridge.boot_transformers(str(TINY), device="cpu", dtype=torch.float32)
                if processed:
                    bridge.enable_compatibility_mode()
                tokens = bridge.to_tokens(TEXT, prepend_bos=False)
                _, cache = bridge.run_with_cache(tokens)
                found = keyside.from_cache(cache, bridge, tokens, head="2.1", src="Mary", a=A, b=" John")
                processing = keyside.Processing() if processed else keyside.Processing.none()
                self.assertEqual(keyside.Processing(**found.processing), processing)
                self.assertGreaterEqual(self.agrees(found, keyside.load(TINY, processing=processing)), 14)
                with_bos = keyside.from_cache(bridge.run_with_cache(TEXT)[1], bridge, TEXT, head="2.1", src="Mary")
                self.assertEqual(with_bos["pair"]["src"], 2)
                self.assertTrue(with_bos.prompt_set["prepend_bos"])


if __name__ == "__main__":
    unittest.main()
