"""Writes a GPT-2 checkpoint as an ONNX graph: python make_onnx.py CHECKPOINT_FOLDER OUT.onnx

Token numbers [batch, pos] in, the residual stream after the last block [batch, pos, d_model] out: what keyside's forward pass
computes, without the unembedding. Nothing is simplified by hand; ONNX Runtime optimizes the graph when it loads it.
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def tensors(path):
    """The tensors of a safetensors file, as float32."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        start = 8 + length
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            dtype = {"F32": np.float32, "F16": np.float16}[entry["dtype"]]
            begin, end = entry["data_offsets"]
            file.seek(start + begin)
            values = np.frombuffer(file.read(end - begin), dtype).reshape(entry["shape"])
            yield name.removeprefix("transformer."), values.astype(np.float32)


class Graph:
    """Nodes and constants, with names made up as they come."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def add(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name


def main(folder, out):
    config = json.loads((Path(folder) / "config.json").read_text())
    d, heads, layers = config["n_embd"], config["n_head"], config["n_layer"]
    d_head, eps = d // heads, config.get("layer_norm_epsilon", 1e-5)
    weights = dict(tensors(Path(folder) / "model.safetensors"))
    graph = Graph()
    weight = lambda name: graph.constant(name, weights[name])

    shape = graph.add("Shape", ["tokens"], "shape")
    count = graph.add("Gather", [shape, graph.constant("one", np.int64(1))], "count", axis=0)
    zero = graph.constant("zero", np.int64(0))
    positions = graph.add("Range", [zero, count, "one"], "positions")
    embedded = graph.add("Gather", [weight("wte.weight"), "tokens"], "embedded", axis=0)
    at = graph.add("Gather", [weight("wpe.weight"), positions], "at", axis=0)
    x = graph.add("Add", [embedded, at], "x")
    # Later positions are not seen.
    column = graph.add("Unsqueeze", [positions, graph.constant("last", np.array([1]))], "column")
    later = graph.add("Less", [column, positions], "later")
    mask = graph.add("Where", [later, graph.constant("hidden", np.float32(-1e9)), graph.constant("seen", np.float32(0))], "mask")
    by_head = graph.constant("by_head", np.array([0, 0, heads, d_head]))
    whole = graph.constant("whole", np.array([0, 0, d]))
    scale = graph.constant("scale", np.float32(d_head**-0.5))

    def linear(x, name, of):
        product = graph.add("MatMul", [x, weight(f"{name}.weight")], f"{of}_product")
        return graph.add("Add", [product, weight(f"{name}.bias")], of)

    def norm(x, name, of):
        return graph.add("LayerNormalization", [x, weight(f"{name}.weight"), weight(f"{name}.bias")], of, epsilon=eps)

    for layer in range(layers):
        block, of = f"h.{layer}", f"b{layer}"
        qkv = linear(norm(x, f"{block}.ln_1", f"{of}_ln1"), f"{block}.attn.c_attn", f"{of}_qkv")
        parts = [f"{of}_{part}" for part in "qkv"]
        graph.nodes.append(helper.make_node("Split", [qkv], parts, name=f"{of}_split", axis=-1, num_outputs=3))

        def heads_of(part, perm):
            shaped = graph.add("Reshape", [part, by_head], f"{part}_heads")
            return graph.add("Transpose", [shaped], f"{part}_t", perm=perm)

        q, k, v = heads_of(parts[0], [0, 2, 1, 3]), heads_of(parts[1], [0, 2, 3, 1]), heads_of(parts[2], [0, 2, 1, 3])
        scores = graph.add("Mul", [graph.add("MatMul", [q, k], f"{of}_qk"), scale], f"{of}_scores")
        pattern = graph.add("Softmax", [graph.add("Add", [scores, mask], f"{of}_masked")], f"{of}_pattern", axis=-1)
        z = graph.add("Transpose", [graph.add("MatMul", [pattern, v], f"{of}_z_heads")], f"{of}_z_t", perm=[0, 2, 1, 3])
        z = graph.add("Reshape", [z, whole], f"{of}_z")
        x = graph.add("Add", [x, linear(z, f"{block}.attn.c_proj", f"{of}_attn_out")], f"{of}_mid")
        hidden = linear(norm(x, f"{block}.ln_2", f"{of}_ln2"), f"{block}.mlp.c_fc", f"{of}_pre")
        hidden = graph.add("Gelu", [hidden], f"{of}_post", approximate="tanh")
        x = graph.add("Add", [x, linear(hidden, f"{block}.mlp.c_proj", f"{of}_mlp_out")], f"{of}_out")

    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "gpt2",
            [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", "pos"])],
            [helper.make_tensor_value_info(x, TensorProto.FLOAT, ["batch", "pos", d])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 20)],
        ir_version=9,
    )
    onnx.save(model, out)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
