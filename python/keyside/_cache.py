"""Results from runs of TransformerLens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._errors import RequestError
from ._result import Result, _checked_head

_Array = NDArray[np.float64]

#: Likeliest next tokens of a section.
_NEXT = 20
#: Those after each layer.
_LENS = 5
#: Most rows of a small pattern.
_LAYER_ROWS = 128
#: How far what was written may be from the stream that it adds up to, relative to the stream: single precision.
_TOLERANCE = 1e-3


def from_cache(
    cache: Mapping[str, Any],
    model: Any,
    tokens: str | Sequence[int] | Any,
    *,
    head: str | Sequence[int],
    dest: int | str = -1,
    src: int | str | None = None,
    a: str | int | None = None,
    b: str | int | None = None,
    prompt: int = 0,
) -> Result:
    """Makes a result from a run of TransformerLens, with the sections that its cache has the activations for.

    Parameters
    ----------
    cache : ActivationCache, or mapping from names of hooks to arrays
        What ``model.run_with_cache`` has given, or a part of it.
    model : TransformerBridge or HookedTransformer
        The model that was run, of the GPT-2 architecture: its ``cfg``, weights and tokenizer are read.
    tokens : str or sequence of int
        What was run: the tokens, ``[pos]`` or ``[batch, pos]``, or a text, which is taken to begin with BOS as ``run_with_cache`` has it.
    head : str or (int, int)
        The head, ``"10.7"`` or ``(10, 7)``.
    dest : int or str
        Where it looks from: a position, from the end where it is negative, or the text of a token that is there once.
    src : int or str, optional
        The key position; by default the most attended position other than 0.
    a, b : str or int, optional
        The two next tokens whose logits are compared: a text that is one token, or an id; by default the two most likely.
    prompt : int
        Which prompt of a batch.

    Returns
    -------
    Result
        With those of these sections that the cache has enough for. ``attention``: ``hook_attn_scores`` or ``hook_pattern`` of the head's
        layer, and of the others that are to be seen; ``layer``: the same of the head's. ``next``: ``hook_resid_post`` of the last layer.
        ``lens``: of all layers, and ``hook_resid_pre`` of the first. ``pair``: ``hook_embed``, ``hook_pos_embed``, and of all layers before
        the head's ``hook_mlp_out`` and ``hook_z`` (or ``hook_result``). ``effects``: the same of all layers, and ``hook_v`` and the pattern
        of the head's.

    Raises
    ------
    RequestError
        For a cache of another model or of other tokens, a model of another architecture, a head or a position that there is not, and a cache
        that has too little for any section.

    Examples
    --------
    With TransformerLens installed::

        bridge = TransformerBridge.boot_transformers("gpt2")
        bridge.enable_compatibility_mode()  # weights processed as keyside does by default
        _, cache = bridge.run_with_cache("When Mary and John went to the store, John gave a drink to")
        keyside.from_cache(cache, bridge, text, head="10.7", src=" Mary").figure("table")
    """
    run = _Run(cache, model, tokens, prompt)
    layer, number = run.head(_checked_head(head))
    dest = run.place("dest", dest)
    patterns = {index: run.pattern(index) for index in range(run.n_layer)}
    own = patterns[layer]
    if src is None:
        if own is None:
            raise RequestError("request", "src is missing, and the cache has no pattern of the head", "a position")
        row = own[number, dest, : dest + 1].copy()
        row[0] = -1 if dest else row[0]
        src = int(row.argmax())
    src = run.place("src", src)
    if src > dest:
        raise RequestError("request", f"the source {src} is after the destination {dest}", f"a source from 0 to {dest}", "A head looks back.")
    at = {"head": f"{layer}.{number}", "dest": dest, "src": src}
    sections: list[dict[str, Any]] = []
    if own is not None:
        sections.append(_attention(run, (patterns, own), number, at))
    logits = run.logits(run.stream(run.n_layer, dest))
    targets = run.targets(logits, a, b)
    if logits is not None:
        sections.append({"kind": "next", "dest": dest, "tokens": run.likeliest(logits, _NEXT)})
    if targets is not None and (lens := _lens(run, dest, targets)) is not None:
        sections.append(lens)
    if (pair := _pair(run, layer, number, at)) is not None:
        sections.append(pair)
    if own is not None:
        sections.append(_layer(own, layer))
    if targets is not None and (effects := _effects(run, own, layer, number, at, targets)) is not None:
        sections.append(effects)
    if not sections:
        raise RequestError(
            "request",
            "the cache has too little for any section",
            f"blocks.{layer}.attn.hook_pattern at least",
            "Run the model with run_with_cache without a filter of names.",
        )
    return Result.from_dict(run.document(sections, dest, src, targets))


class _Run:
    """An activation cache with its model and tokens."""

    def __init__(self, cache: Mapping[str, Any], model: Any, tokens: Any, prompt: int) -> None:
        self.cache, self.model, self.prompt = cache, model, prompt
        cfg = getattr(model, "cfg", None)
        if cfg is None:
            raise RequestError("request", f"model is {type(model).__name__}", "the TransformerBridge or HookedTransformer that was run")
        self.cfg = cfg
        others = {
            "positional_embedding_type": ("standard", None),
            "parallel_attn_mlp": (False, None),
            "attn_only": (False, None),
            "n_key_value_heads": (None, getattr(cfg, "n_heads", None)),
            "gated_mlp": (False, None),
            "final_rms": (False, None),
        }
        for name, usual in others.items():
            if getattr(cfg, name, usual[0]) not in usual:
                raise RequestError(
                    "request", f"the model's {name} is {getattr(cfg, name)!r}", "a model of the GPT-2 architecture, whose components are added"
                )
        self.n_layer, self.n_head = int(cfg.n_layers), int(cfg.n_heads)
        self.tokens = self._tokens(tokens)
        self.count = len(self.tokens)
        self._check_shapes()

    def _tokens(self, tokens: Any) -> list[int]:
        if isinstance(tokens, str):
            tokens = self.model.to_tokens(tokens)
        found = _numbers(tokens).astype(int)
        if found.ndim == 2:
            if not 0 <= self.prompt < len(found):
                raise RequestError("request", f"there is no prompt {self.prompt} in {len(found)}", f"0 to {len(found) - 1}")
            found = found[self.prompt]
        if found.ndim != 1 or not found.size:
            raise RequestError("request", f"the tokens have the shape {found.shape}", "[pos] or [batch, pos]")
        return [int(token) for token in found]

    def _check_shapes(self) -> None:
        """Checks that the cache belongs to this model and these tokens."""
        wanted = {
            "hook_embed": (self.count, self.cfg.d_model),
            **{f"blocks.{layer}.hook_resid_pre": (self.count, self.cfg.d_model) for layer in range(self.n_layer)},
            **{f"blocks.{layer}.attn.hook_pattern": (self.n_head, self.count, self.count) for layer in range(self.n_layer)},
        }
        later = f"blocks.{self.n_layer}."
        if any(str(name).startswith(later) for name in self.cache.keys()):
            raise self.other(f"it has {later}*, and the model {self.n_layer} layers")
        for name, shape in wanted.items():
            found = self.get(name)
            if found is not None and found.shape != shape:
                raise self.other(f"its {name} has the shape {list(found.shape)}, that of the model and of the tokens is {list(shape)}")

    @staticmethod
    def other(cause: str) -> RequestError:
        return RequestError(
            "request",
            f"the cache is of another model or of other tokens: {cause}",
            "the cache, the model and the tokens of one run",
            "Give what one call of run_with_cache was given and has given.",
        )

    def get(self, name: str) -> _Array | None:
        """The prompt's activation of this name; None where the cache lacks it."""
        if name not in self.cache.keys():
            return None
        found = _numbers(self.cache[name])
        dimensions = {"attn_scores": 3, "pattern": 3, "z": 3, "v": 3, "q": 3, "k": 3, "result": 3}
        wanted = dimensions.get(name.rpartition("hook_")[2], 2)
        if found.ndim == wanted + 1:
            if not 0 <= self.prompt < len(found):
                raise RequestError("request", f"there is no prompt {self.prompt} in {len(found)}", f"0 to {len(found) - 1}")
            found = found[self.prompt]
        return found

    def weight(self, name: str) -> _Array:
        """A tensor of the model, such as ``W_Q``."""
        return _numbers(getattr(self.model, name))

    def head(self, name: str) -> tuple[int, int]:
        layer, _, number = name.strip().partition(".")
        if not (layer.isdigit() and number.isdigit() and int(layer) < self.n_layer and int(number) < self.n_head):
            raise RequestError(
                "request",
                f"head {name} does not exist in this model",
                f"a layer from 0 to {self.n_layer - 1} and a head from 0 to {self.n_head - 1}",
            )
        return int(layer), int(number)

    def place(self, name: str, place: int | str) -> int:
        """A position counted from 0."""
        if isinstance(place, str):
            at = [index for index in range(self.count) if self.text(self.tokens[index]).strip() == place.strip()]
            if len(at) == 1:
                return at[0]
            if not at:
                raise RequestError("request", f"{name} is {place!r}, which is no token of the text", "a token's text, or a position")
            where = ", ".join(map(str, at[:-1])) + f" and {at[-1]}"
            raise RequestError(
                "request",
                f"{name} is {place!r}, which stands {len(at)} times in the text, at positions {where}",
                "a token that stands there once, or a position",
                f"Say which one is meant by its position, such as {at[-1]}.",
            )
        position = int(place) + self.count if place < 0 else int(place)
        if not 0 <= position < self.count:
            raise RequestError(
                "request", f"{name} is {place}, outside of {self.count} tokens", f"a position from {-self.count} to {self.count - 1}"
            )
        return position

    def text(self, token: int) -> str:
        tokenizer = getattr(self.model, "tokenizer", None)
        return f"[{token}]" if tokenizer is None else str(tokenizer.decode([token]))

    def named(self, token: int) -> dict[str, Any]:
        return {"token": token, "text": self.text(token)}

    # Activations.

    def pattern(self, layer: int) -> _Array | None:
        """Attention patterns of all heads of a layer, ``[head, dest, src]``."""
        found = self.get(f"blocks.{layer}.attn.hook_pattern")
        scores = self.get(f"blocks.{layer}.attn.hook_attn_scores")
        if found is not None or scores is None:
            return found
        seen = np.tril(np.ones((self.count, self.count), dtype=bool))
        return _softmax(np.where(seen, scores, -np.inf))

    def stream(self, layer: int, position: int) -> _Array | None:
        """The residual stream before a layer, or after the last one."""
        names = [f"blocks.{layer}.hook_resid_pre"] if layer < self.n_layer else []
        names += [f"blocks.{layer - 1}.hook_resid_post"] if layer > 0 else []
        for name in names:
            if (found := self.get(name)) is not None:
                return np.asarray(found[position])
        return None

    def written(self, layers: int, position: int) -> tuple[list[str], _Array] | None:
        """The outputs of the embeddings and of all components of the first layers at a position; None where the cache lacks one."""
        embeddings = [found for found in map(self.get, ("hook_embed", "hook_pos_embed")) if found is not None]
        if len(embeddings) < 2:
            return None
        names = ["W_E", "W_pos"]
        vectors = [found[position] if len(found) > 1 else found[0] for found in embeddings]
        for layer in range(layers):
            mlp = self.get(f"blocks.{layer}.hook_mlp_out")
            heads = self.get(f"blocks.{layer}.attn.hook_result")
            if heads is None and (z := self.get(f"blocks.{layer}.attn.hook_z")) is not None:
                heads = np.einsum("phd,hdm->phm", z[position : position + 1], self.weight("W_O")[layer])
            elif heads is not None:
                heads = heads[position : position + 1]
            if mlp is None or heads is None:
                return None
            names += [f"{layer}.{head}" for head in range(self.n_head)] + [f"MLP{layer}", f"b_O{layer}"]
            vectors += [*heads[0], mlp[position], self.weight("b_O")[layer]]
        all_written = np.stack(vectors)
        stream = self.stream(layers, position)
        if stream is not None:
            off = np.abs(all_written.sum(axis=0) - stream).max() / max(np.abs(stream).max(), 1e-12)
            if off > _TOLERANCE:
                raise self.other(
                    f"what its components write at position {position} does not add up to its residual stream (off by {off:.1g} of it)"
                )
        return names, all_written

    # LayerNorm and unembedding.

    def affine(self, norm: Any) -> tuple[_Array, _Array]:
        """Weight and bias of a LayerNorm; 1 and 0 where they are folded into the following weights."""
        weight, bias = getattr(norm, "w", None), getattr(norm, "b", None)
        one, zero = np.ones(self.cfg.d_model), np.zeros(self.cfg.d_model)
        return (one if weight is None else _numbers(weight)), (zero if bias is None else _numbers(bias))

    def scale(self, stream: _Array) -> float:
        centered = stream - stream.mean()
        return float(np.sqrt((centered**2).mean() + self.cfg.eps))

    def logits(self, stream: _Array | None) -> _Array | None:
        """Next-token logits for a residual stream."""
        if stream is None:
            return None
        weight, bias = self.affine(self.model.ln_final)
        normalized = (stream - stream.mean()) / self.scale(stream) * weight + bias
        return np.asarray(normalized @ self.weight("W_U") + self.weight("b_U"))

    def likeliest(self, logits: _Array, count: int) -> list[dict[str, Any]]:
        logprobs = _log_softmax(logits)
        tokens = np.argsort(-logprobs, kind="stable")[:count]
        return [{**self.named(int(token)), "logprob": float(np.float32(logprobs[token]))} for token in tokens]

    def targets(self, logits: _Array | None, a: str | int | None, b: str | int | None) -> tuple[int, int] | None:
        """The two target tokens."""
        given = [None if token is None else self._token(name, token) for name, token in (("a", a), ("b", b))]
        if logits is None and None in given:
            return None
        likeliest = [] if logits is None else [int(token) for token in np.argsort(-logits, kind="stable")[:3]]
        for index in (0, 1):
            if given[index] is None:
                given[index] = next(token for token in likeliest if token != given[1 - index])
        if given[0] == given[1]:
            raise RequestError("target", f"a and b are the same token, {given[0]}", "two tokens")
        return given[0], given[1]  # type: ignore[return-value]

    def _token(self, name: str, token: str | int) -> int:
        if isinstance(token, str):
            found = _numbers(self.model.to_tokens(token, prepend_bos=False)).astype(int).ravel()
            if len(found) != 1:
                parts = ", ".join(repr(self.text(int(part))) for part in found)
                raise RequestError("target", f"{name} is {token!r}, which is {len(found)} tokens: {parts}", "one token")
            token = int(found[0])
        if not 0 <= token < self.cfg.d_vocab:
            raise RequestError("target", f"{name} is {token}, which is no token", f"0 to {self.cfg.d_vocab - 1}")
        return token

    def document(self, sections: list[dict[str, Any]], dest: int, src: int, targets: tuple[int, int] | None) -> dict[str, Any]:
        """The result file."""
        cfg = self.cfg
        tokenizer = getattr(self.model, "tokenizer", None)
        bos = getattr(tokenizer, "bos_token_id", None)
        has_bos = bos is not None and self.tokens[0] == bos
        text = "".join(self.text(token) for token in self.tokens[int(has_bos) :])
        prompt: dict[str, Any] = {"text": text, "tokens": self.tokens, "positions": {"dest": dest, "src": src}}
        if targets is not None:
            prompt["targets"] = dict(zip("ab", targets, strict=True))
        norms = [block.ln1 for block in self.model.blocks]
        folded = all(np.allclose(weight, 1) and np.allclose(bias, 0) for weight, bias in map(self.affine, norms))
        name = str(getattr(cfg, "model_name", "model")).rstrip("/").rpartition("/")[2]
        config = {
            "n_layer": self.n_layer,
            "n_head": self.n_head,
            "d_model": int(cfg.d_model),
            "d_mlp": int(cfg.d_mlp),
            "d_vocab": int(cfg.d_vocab),
            "n_ctx": int(cfg.n_ctx),
            "layer_norm_epsilon": float(cfg.eps),
            "bos_token_id": bos,
            "activation_function": {"gelu_pytorch_tanh": "gelu_new"}.get(cfg.act_fn, cfg.act_fn),
            "scale_attn_weights": bool(getattr(cfg, "use_attn_scale", True)),
            "scale_attn_by_inverse_layer_idx": bool(getattr(cfg, "scale_attn_by_inverse_layer_idx", False)),
        }
        return {
            "format": "keyside-result/2",
            "model": {"name": name, "source": "a cache of TransformerLens", "notes": []},
            "config": config,
            "processing": {
                "fold_ln": bool(folded),
                "center_writing_weights": _is_zero(self.weight("W_O").mean(axis=-1)),
                "center_unembed": _is_zero(self.weight("W_U").mean(axis=-1)),
                "fold_value_biases": _is_zero(self.weight("b_V")),
            },
            "prompt_set": {"maker": "text", "prompts": 1, "prepend_bos": has_bos, "seed": 0},
            "prompts": [prompt],
            "sections": sections,
        }

    def divisor(self, layer: int) -> float:
        """The attention scale, by which the product of query and key is divided."""
        width = np.sqrt(self.cfg.d_head) if getattr(self.cfg, "use_attn_scale", True) else 1.0
        return float(width * (layer + 1 if getattr(self.cfg, "scale_attn_by_inverse_layer_idx", False) else 1))


def _attention(
    run: _Run, of_layers: tuple[dict[int, _Array | None], _Array], number: int, at: dict[str, Any]
) -> dict[str, Any]:
    """The attention of the cached heads from ``dest``."""
    dest, (patterns, own) = at["dest"], of_layers
    all_scores = [run.get(f"blocks.{layer}.attn.hook_attn_scores") for layer in range(run.n_layer)]
    scores = [found for found in all_scores if found is not None]
    section = {
        "kind": "attention",
        **at,
        "texts": [run.text(token) for token in run.tokens],
        "pattern": _packed(np.concatenate([own[number, row, : row + 1] for row in range(run.count)])),
    }
    if len(scores) == run.n_layer:
        section["scores"] = _packed(np.stack([found[:, dest, : dest + 1] for found in scores]))
        return section
    known = {layer: pattern for layer, pattern in patterns.items() if pattern is not None}
    probs = np.concatenate([pattern[:, dest, : dest + 1] for pattern in known.values()])
    if len(known) < run.n_layer:
        section["heads"] = [f"{layer}.{head}" for layer in known for head in range(run.n_head)]
        section["probs"] = _packed(probs)
    else:
        section["probs"] = _packed(probs.reshape(run.n_layer, run.n_head, dest + 1))
    return section


def _layer(pattern: _Array, layer: int) -> dict[str, Any]:
    """The patterns of all heads of a layer, downsampled: each block of positions by its maximum."""
    heads, count, _ = pattern.shape
    block = max(1, -(-count // _LAYER_ROWS))
    rows = -(-count // block)
    small = np.zeros((heads, rows, rows))
    for row in range(count):
        for column in range(row + 1):
            cell = small[:, row // block, column // block]
            np.maximum(cell, pattern[:, row, column], out=cell)
    cells = np.stack([np.concatenate([head[row, : row + 1] for row in range(rows)]) for head in small])
    section = {"kind": "layer", "layer": layer, "patterns": _packed(cells)}
    return section if block == 1 else {**section, "block": block}


def _pair(run: _Run, layer: int, number: int, at: dict[str, Any]) -> dict[str, Any] | None:
    """The score as components of the query times components of the key."""
    of_dest, of_src = run.written(layer, at["dest"]), run.written(layer, at["src"])
    if of_dest is None or of_src is None:
        return None
    names, _ = of_dest
    norm_weight, norm_bias = run.affine(run.model.blocks[layer].ln1)
    ends: list[tuple[_Array, _Array]] = []
    for (_, vectors), side in zip((of_dest, of_src), "QK", strict=True):
        weight = run.weight(f"W_{side}")[layer, number]
        bias = run.weight(f"b_{side}")[layer, number] + norm_bias @ weight
        weight = norm_weight[:, None] * weight
        scale = run.scale(vectors.sum(axis=0))
        parts = (vectors - vectors.mean(axis=1, keepdims=True)) / scale @ weight
        ends.append((np.vstack([parts, bias]), parts.sum(axis=0) + bias))
    (queries, query), (keys, key) = ends
    divisor = run.divisor(layer)
    score = float(query @ key / divisor)
    known = run.get(f"blocks.{layer}.attn.hook_attn_scores")
    if known is not None:
        there = float(known[number, at["dest"], at["src"]])
        if abs(there - score) > _TOLERANCE * max(1.0, abs(score), np.abs(queries @ keys.T / divisor).max()):
            raise run.other(f"its score of head {layer}.{number} is {there:.4f}, and what was written gives {score:.4f}")
    table = queries @ keys.T / divisor
    return {"kind": "pair", **at, "components": [*names, "b_Q"], "score": _single(score), "table": _packed(table)}


def _lens(run: _Run, dest: int, targets: tuple[int, int]) -> dict[str, Any] | None:
    """The logit lens: next tokens after each layer."""
    layers = []
    for layer in range(run.n_layer + 1):
        logits = run.logits(run.stream(layer, dest))
        if logits is None:
            return None
        logprobs = _log_softmax(logits)
        of_targets = {f"logprob_{name}": _single(logprobs[token]) for name, token in zip("ab", targets, strict=True)}
        layers.append({"tokens": run.likeliest(logits, _LENS), **of_targets})
    named = {name: run.named(token) for name, token in zip("ab", targets, strict=True)}
    return {"kind": "lens", "dest": dest, **named, "layers": layers}


def _effects(
    run: _Run, pattern: _Array | None, layer: int, number: int, at: dict[str, Any], targets: tuple[int, int]
) -> dict[str, Any] | None:
    """Direct effects of all components on the difference of two logits."""
    dest, values = at["dest"], run.get(f"blocks.{layer}.attn.hook_v")
    written = run.written(run.n_layer, dest)
    if written is None or pattern is None or values is None:
        return None
    names, vectors = written
    norm_weight, norm_bias = run.affine(run.model.ln_final)
    a, b = targets
    direction = run.weight("W_U")[:, a] - run.weight("W_U")[:, b]
    bias = float(run.weight("b_U")[a] - run.weight("b_U")[b] + norm_bias @ direction)
    scale = run.scale(vectors.sum(axis=0))
    along: Callable[[_Array], _Array] = lambda of: (of - of.mean(axis=1, keepdims=True)) / scale @ (norm_weight * direction)
    effects = along(vectors)
    shares = pattern[number, dest, : dest + 1, None] * values[: dest + 1, number]
    return {
        "kind": "effects",
        "head": at["head"],
        "dest": dest,
        "a": run.named(a),
        "b": run.named(b),
        "components": names,
        "effects": _packed(effects),
        "bias": _single(bias),
        "difference": _single(effects.sum() + bias),
        "by_source": _packed(along(shares @ run.weight("W_O")[layer, number])),
    }


def _numbers(tensor: Any) -> _Array:
    """A torch tensor, or anything that NumPy accepts, as a float64 array."""
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu().double().numpy()
    return np.asarray(tensor, dtype=np.float64)


def _softmax(scores: _Array) -> _Array:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _log_softmax(logits: _Array) -> _Array:
    shifted = logits - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


def _is_zero(values: _Array) -> bool:
    return bool(np.abs(values).max() < 1e-5)


def _single(value: Any) -> float:
    return float(np.float32(value))


def _packed(values: _Array) -> dict[str, Any]:
    """An array in the form of result files."""
    return {"shape": list(values.shape), "data": np.ravel(values).astype(np.float32).tolist()}
