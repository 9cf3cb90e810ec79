"""Products and blocks with PyTorch in f32, for bench_gpu: python gpu.py JSON

Prints JSON: the device, seconds of each product and of rows through blocks, and of as many rows as the notebook's run has through the blocks
before its head, without anything that is made of them. TF32 is off; a GPU is used where there is one.
"""

import json
import sys
import time

import torch

asked = json.loads(sys.argv[1])
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
on_gpu = torch.cuda.is_available()
device = torch.device("cuda" if on_gpu else "cpu")
d, heads = asked["d_model"], asked["n_head"]
generator = torch.Generator(device=device).manual_seed(0)


def random(*shape, size=1.0):
    return (torch.rand(*shape, generator=generator, device=device) * 2 - 1) * size


def wait():
    if on_gpu:
        torch.cuda.synchronize()


def least(run, times=1):
    """Seconds of one run: the least mean of some rounds, the first of which warms up."""
    best, started = float("inf"), time.perf_counter()
    times = times if on_gpu else 1
    for number in range(asked["rounds"] + 1):
        if number > 1 and time.perf_counter() - started > asked["seconds"]:
            break
        wait()
        begun = time.perf_counter()
        for _ in range(times):
            run()
        wait()
        if number:
            best = min(best, (time.perf_counter() - begun) / times)
    return best


def product(rows, inner, outer):
    x, w = random(rows, inner), random(inner, outer)
    out = torch.empty(rows, outer, device=device)
    return least(lambda: torch.mm(x, w, out=out), asked["times"])


weights = {"qkv": (d, 3 * d), "o": (d, d), "in": (d, 4 * d), "out": (4 * d, d)}
w = {name: random(*shape, size=0.05) for name, shape in weights.items()}
b = {name: random(shape[1], size=0.05) for name, shape in weights.items()}


def block(x):
    batch, length, _ = x.shape
    linear = lambda x, name: torch.addmm(b[name], x.reshape(-1, x.shape[-1]), w[name]).reshape(batch, length, -1)
    norm = lambda x: torch.nn.functional.layer_norm(x, (d,))
    q, k, v = (part.reshape(batch, length, heads, -1).transpose(1, 2) for part in linear(norm(x), "qkv").split(d, dim=-1))
    z = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(batch, length, d)
    x = x + linear(z, "o")
    return x + linear(torch.nn.functional.gelu(linear(norm(x), "in"), approximate="tanh"), "out")


def blocks(batch, length, count):
    """The residual stream begins and ends in this process's memory, as it does there."""
    here = torch.rand(batch, length, d)

    def run():
        x = here.to(device)
        for _ in range(count):
            x = block(x)
        return x.cpu()

    return least(run)


def forward(batches, batch, length, count):
    def run():
        for _ in range(batches):
            x = here.to(device)
            for _ in range(count):
                x = block(x)
            x.cpu()

    here = torch.rand(batch, length, d)
    return least(run)


with torch.inference_mode():
    print(
        json.dumps(
            {
                "device": torch.cuda.get_device_name() if on_gpu else f"CPU, {torch.get_num_threads()} threads",
                "products": {name: product(*shape) for name, shape in asked["products"]},
                "blocks": {name: blocks(*shape) for name, shape in asked["blocks"]},
                "forward": forward(*asked["forward"]),
            }
        )
    )
