"""The notebook's run with TransformerLens, and its forward pass with plain PyTorch, on a few batches: python notebook.py CHECKPOINT_FOLDER

Prints JSON: seconds of a batch of 40 prompts, the median of a few, and that of 30 batches, which is extrapolated. Each of the notebook's
two functions runs the model with all activations kept; TransformerLens' part is these two runs and nothing else, so that it is a lower
bound of the notebook's time. Weights are loaded before the clock starts.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch

from make_onnx import tensors

BATCHES, TIMES, PROMPTS, TOKENS, HEAD_LAYER = 30, 3, 40, 20, 10


def seconds(run):
    run()
    times = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        run()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def pytorch(weights, config, tokens):
    """The residual stream after the last block, written out."""
    heads, eps, d = config["n_head"], config["layer_norm_epsilon"], config["n_embd"]
    w = {name: torch.from_numpy(np.array(values)) for name, values in weights.items()}
    linear = lambda x, name: torch.addmm(w[f"{name}.bias"], x.reshape(-1, x.shape[-1]), w[f"{name}.weight"]).reshape(*x.shape[:-1], -1)
    norm = lambda x, name: torch.nn.functional.layer_norm(x, (d,), w[f"{name}.weight"], w[f"{name}.bias"], eps)

    def run():
        batch, pos = tokens.shape
        x = w["wte.weight"][tokens] + w["wpe.weight"][:pos]
        for layer in range(config["n_layer"]):
            block = f"h.{layer}"
            qkv = linear(norm(x, f"{block}.ln_1"), f"{block}.attn.c_attn").split(d, dim=-1)
            q, k, v = (part.reshape(batch, pos, heads, -1).transpose(1, 2) for part in qkv)
            z = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(batch, pos, d)
            x = x + linear(z, f"{block}.attn.c_proj")
            hidden = torch.nn.functional.gelu(linear(norm(x, f"{block}.ln_2"), f"{block}.mlp.c_fc"), approximate="tanh")
            x = x + linear(hidden, f"{block}.mlp.c_proj")
        return x

    return seconds(run)


def transformer_lens(weights, config, tokens):
    """Two runs with all activations kept."""
    from transformer_lens import HookedTransformer, HookedTransformerConfig
    from transformer_lens.pretrained.weight_conversions import convert_gpt2_weights
    from transformers import GPT2Config, GPT2LMHeadModel

    hf = GPT2LMHeadModel(GPT2Config(**{key: config[key] for key in ("n_embd", "n_head", "n_layer", "vocab_size", "n_positions", "layer_norm_epsilon")}))
    hf.load_state_dict({f"transformer.{name}": torch.from_numpy(np.array(values)) for name, values in weights.items()}, strict=False)
    cfg = HookedTransformerConfig(
        n_layers=config["n_layer"], d_model=config["n_embd"], n_ctx=config["n_positions"], d_head=config["n_embd"] // config["n_head"],
        n_heads=config["n_head"], d_mlp=4 * config["n_embd"], d_vocab=config["vocab_size"], act_fn="gelu_new", eps=config["layer_norm_epsilon"],
        normalization_type="LN",
    )
    model = HookedTransformer(cfg)
    model.load_and_process_state_dict(convert_gpt2_weights(hf, cfg))

    def run():
        for _ in range(2):
            model.run_with_cache(tokens)

    return seconds(run)


@torch.no_grad()
def main(folder):
    config = json.loads((Path(folder) / "config.json").read_text())
    weights = dict(tensors(Path(folder) / "model.safetensors"))
    tokens = torch.from_numpy(np.random.default_rng(0).integers(0, config["vocab_size"], (PROMPTS, TOKENS)))
    flop = PROMPTS * TOKENS * config["n_layer"] * 24 * config["n_embd"] ** 2
    plain = pytorch(weights, config, tokens)
    report = {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "pytorch_seconds_of_a_batch": plain,
        "pytorch_gflops": flop / plain / 1e9,
    }
    try:
        both = transformer_lens(weights, config, tokens)
        import importlib.metadata

        report |= {
            "transformer_lens": importlib.metadata.version("transformer_lens"),
            "transformer_lens_seconds_of_a_batch": both,
            "transformer_lens_seconds_of_the_run_extrapolated": BATCHES * both,
        }
    except ImportError as error:
        report["transformer_lens"] = f"not measured: {error}"
    print(json.dumps(report))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
