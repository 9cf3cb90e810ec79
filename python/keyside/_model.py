"""Models and their methods."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from . import _keyside
from ._errors import RequestError
from ._progress import Progress, reporting
from ._prompts import Ioi, Texts
from ._result import Result, _checked_head
from ._write import write_text

#: A head: ``"10.7"``, or a layer and a head, ``(10, 7)``.
Head = str | Sequence[int]

#: A position: a number, counted from 0 (BOS included) or from the end where it is negative, or a word that stands once in the text.
Place = int | str


@dataclass(frozen=True)
class Processing:
    """The weight processing, with the names of TransformerLens. Every step is applied by default.

    None of it changes log-probabilities; it does change what single components are.

    Parameters
    ----------
    fold_ln : bool
        LayerNorm's weights and biases move into the maps that read the residual stream.
    center_writing_weights : bool
        Maps that write to the residual stream lose their mean.
    center_unembed : bool
        ``W_U`` loses its mean over the vocabulary.
    fold_value_biases : bool
        ``b_V`` moves into ``b_O``.
    """

    fold_ln: bool = True
    center_writing_weights: bool = True
    center_unembed: bool = True
    fold_value_biases: bool = True

    @classmethod
    def none(cls) -> Processing:
        """No weight processing."""
        return cls(False, False, False, False)


class Next(NamedTuple):
    """A candidate for the next token."""

    token: int
    text: str
    logprob: float


class Continuation(NamedTuple):
    """A continuation of a text."""

    #: The text's tokens, up to the position that is gone on from.
    tokens: list[int]
    #: Those that follow.
    continuation: list[int]
    #: Their text.
    text: str


def load(
    source: str | os.PathLike[str],
    *,
    processing: Processing | Mapping[str, bool] | None = None,
    engine: str | None = None,
) -> Model:
    """Opens a model. Weights are read when they are first needed.

    Parameters
    ----------
    source : str or path
        A folder with ``config.json``, ``model.safetensors`` and ``tokenizer.json``, the http(s) URL of one, or ``hub:NAME`` for a
        published model (``hub:gpt2``, ``hub:gpt2-medium@main``). Of a URL only the weights that are needed are downloaded.
    processing : Processing or mapping, optional
        Which weight processing is applied; all by default.
    engine : str, optional
        The compute engine: ``"gemm"`` (the default), ``"packed"``, also with a number of threads, ``"packed on 2"``, or ``"gpu"``. The numbers
        are the same to rounding.

    Returns
    -------
    Model

    Raises
    ------
    SourceError
        For a missing path or a server that does not answer.
    ModelError
        For invalid model files.
    RequestError
        For a name that the hub does not have.

    Examples
    --------
    >>> import keyside
    >>> model = keyside.load("public/models/tiny-ioi")
    >>> model.config["n_layer"], model.config["n_head"]
    (3, 4)
    """
    return Model(os.fspath(source), _processing(processing), engine)


def _processing(given: Processing | Mapping[str, bool] | None) -> Processing:
    if given is None:
        return Processing()
    if isinstance(given, Processing):
        return given
    known = list(asdict(Processing()))
    if not isinstance(given, Mapping):
        raise RequestError("request", f"processing is {given!r}", "a keyside.Processing or a mapping", f"Its switches are {', '.join(known)}.")
    for key in given:
        if key not in known:
            raise RequestError("request", f"processing has no switch {key!r}", ", ".join(known))
    return Processing(**{key: bool(value) for key, value in given.items()})


class Model:
    """A model of the GPT-2 architecture; see `load`.

    It computes on a thread of its own, without Python's lock: other threads go on. Calls from several threads come one after the other.
    Ctrl-C ends a call; the model itself stops within a block, and can be used on.

    Attributes
    ----------
    source : str
        Folder, URL or ``hub:NAME``, as it was given.
    """

    def __init__(self, source: str, processing: Processing, engine: str | None) -> None:
        self.source = source
        self._processing = processing
        self._engine = engine
        self._native = _keyside.Model.open(source, json.dumps(asdict(processing)), engine)

    @property
    def name(self) -> str:
        """The model's name."""
        name: str = self._native.info()["name"]
        return name

    @property
    def info(self) -> dict[str, Any]:
        """Name, source, dtype of the weights, and notes about contradictions between its files."""
        return self._native.info()

    @property
    def config(self) -> dict[str, Any]:
        """The model's shape, ``n_layer`` and ``n_head`` as in ``config.json``, ``d_model`` and others as in TransformerLens."""
        return self._native.config()

    @property
    def card(self) -> dict[str, Any] | None:
        """The model card, with the default heads; None without one."""
        return self._native.card()

    @property
    def processing(self) -> Processing:
        """The weight processing."""
        return self._processing

    def tokens(self, text: str, *, bos: bool = False) -> list[tuple[int, str]]:
        """The tokens of a text, each with its text. Positions are indices of this list.

        Parameters
        ----------
        text : str
            The text.
        bos : bool
            Whether the BOS token stands before it.
        """
        return self._native.tokens(text, bos)

    def analyze(
        self,
        head: Head | None = None,
        *,
        earlier_head: Head | None = None,
        prompts: Ioi | Texts | None = None,
        exact_ln: bool = False,
        intervention: str | None = None,
        writes: bool = False,
        progress: Progress = True,
    ) -> Result:
        """Decomposes the score of a head over many prompts, as ``keyside analyze`` does.

        Parameters
        ----------
        head : str or (int, int), optional
            The head; by default the one that the model's card names.
        earlier_head : str or (int, int), optional
            An earlier head, whose output is one of the substituted vectors; by default the card's.
        prompts : Ioi or Texts, optional
            The prompt maker: `ioi` (the default, the notebook's 30 batches of 40) or `texts`.
        exact_ln : bool
            Whether substituted vectors go through LayerNorm, instead of being divided by their standard deviation.
        intervention : str, optional
            An intervention in every prompt, recomputed through all later layers, such as ``"query without 9.9"``, ``"query from W_U[IO]"``,
            ``"z of 9.9 zero everywhere"``.
        writes : bool
            Whether to compute the head's output, too, which needs all layers.
        progress : bool or callable
            Whether to show a bar of tqdm, where that is installed and the output is a terminal or notebook; or a function that is
            called with the finished share (0 to 1) and a description of the current step.

        Returns
        -------
        Result
            With the sections ``substitution`` (histograms) and ``contributions`` (heatmaps), ``run_directions``, and with ``changes`` and
            ``run_writes`` where requested.

        Raises
        ------
        RequestError
            For a head that the model does not have, or invalid settings.
        PromptError
            For prompts that do not fit the model.
        """
        prompts = Ioi() if prompts is None else prompts
        if not isinstance(prompts, (Ioi, Texts)):
            raise RequestError(
                "request", f"prompts is {prompts!r}", "what keyside.ioi(...) or keyside.texts(...) gives", "Wrap a list of texts in keyside.texts."
            )
        settings = prompts._settings()
        for key, name, value in (("head", "head", head), ("earlier", "earlier_head", earlier_head)):
            if value is not None:
                settings[key] = _checked_head(value, name)
        settings["exact_ln"] = str(int(exact_ln))
        settings["writes"] = str(int(writes))
        if intervention is not None:
            settings["intervention"] = intervention
        with reporting(progress) as tell:
            return Result(self._native.analyze(list(settings.items()), prompts._text(), tell))

    def attention(
        self,
        text: str,
        *,
        head: Head | None = None,
        dest: Place = -1,
        src: Place | None = None,
        bos: bool = False,
        progress: Progress = False,
    ) -> Result:
        """The attention of all heads from one position of a text, and their measures over the whole text.

        `text`, `head`, `dest`, `src`, `bos` and `progress` are those of `pair`. The result also has the measures of every head (previous-token,
        first-token and duplicate-token attention) and the patterns of all heads of the head's layer, section ``layer``.
        """
        question = self._question(text, head, bos, measures=True, layer=True)
        return self._ask(question, dest, src, progress)

    def pair(
        self,
        text: str,
        *,
        head: Head | None = None,
        dest: Place = -1,
        src: Place | None = None,
        bos: bool = False,
        relative: str | int | None = None,
        earlier: Head | None = None,
        side: str = "key",
        substituted: bool = False,
        exact_ln: bool = False,
        progress: Progress = False,
    ) -> Result:
        """Decomposes the score of a head between two positions of a text: every component of the query times every component of the key.

        Parameters
        ----------
        text : str
            The text.
        head : str or (int, int), optional
            The head; if both it and ``src`` are left out they are chosen together, the head being the one with the largest direct effect on the most likely next token.
        dest : int or str
            The query position: an index from 0 (BOS included), or from the end where it is negative, or a word that occurs once in
            the text (its last token).
        src : int or str, optional
            The key position; by default the most attended position other than 0.
        bos : bool
            Whether to prepend the BOS token.
        relative : {"mean", "attention"} or int, optional
            The baseline of the score: the mean key, what the head attends to, or the key at a position. Softmax ignores an amount
            that is added to the scores of all keys.
        earlier : str or (int, int), optional
            An earlier head, whose contribution is split by its source tokens, section ``down``.
        side : {"key", "query"}
            The side on which ``earlier`` is split.
        substituted : bool
            Whether to compute the score with other vectors in place of the head's inputs, too, section ``substituted``.
        exact_ln : bool
            Whether the substituted vectors go through LayerNorm, instead of being divided by their standard deviation.
        progress : bool or callable
            As in `analyze`.

        Returns
        -------
        Result
            With the sections ``attention``, ``next`` and ``pair``.

        Raises
        ------
        RequestError
            For a head or a position that does not exist, or a word that occurs in the text more than once (the error lists its positions).
        PromptError
            For a text that is empty or does not fit the context.

        Examples
        --------
        >>> import keyside
        >>> model = keyside.load("public/models/tiny-ioi")
        >>> text = "When Mary and John went to the store, John gave a drink to"
        >>> result = model.pair(text, head="2.0", src="Mary")
        >>> table = result["pair"]["table"]
        >>> bool(abs(table.sum(dtype=float) - result["pair"]["score"]) < 1e-3)
        True
        """
        question = self._question(text, head, bos, relative=_relative(relative), exact_ln=exact_ln)
        if earlier is not None:
            path = [{"component": _checked_head(earlier, "earlier")}]
            question["down"] = {"side": side, "against": None, "relative": None, "path": path}
        if substituted:
            question["substituted"] = {}
        return self._ask(question, dest, src, progress)

    def effects(
        self,
        text: str,
        *,
        head: Head | None = None,
        dest: Place = -1,
        src: Place | None = None,
        a: str | int | None = None,
        b: str | int | None = None,
        bos: bool = False,
        progress: Progress = False,
    ) -> Result:
        """Direct effects of all components on the difference of two next-token logits, the head's output, and the logit lens.

        Parameters
        ----------
        text, head, dest, src, bos, progress
            As in `pair`.
        a, b : str or int, optional
            The two tokens: a text that is one token, or an id; by default the two most likely.

        Returns
        -------
        Result
            With the sections ``effects``, ``writes`` and ``lens``, besides those of `pair`.
        """
        question = self._question(text, head, bos, targets=(a, b), effects=True, writes=True, lens=True)
        return self._ask(question, dest, src, progress)

    def directions(
        self,
        text: str,
        *,
        head: Head | None = None,
        dest: Place = -1,
        src: Place | None = None,
        bos: bool = False,
        relative: str | int | None = None,
        direction: int | None = None,
        progress: Progress = False,
    ) -> Result:
        """The score of a head as a sum over its directions, the singular vectors of ``W_Q W_K^T``.

        Parameters
        ----------
        text, head, dest, src, bos, relative, progress
            As in `pair`.
        direction : int, optional
            The direction that is split by component and by token; by default the one with the largest contribution.

        Returns
        -------
        Result
            With the section ``directions``, besides those of `pair`.
        """
        question = self._question(text, head, bos, relative=_relative(relative), directions=True, direction=direction)
        return self._ask(question, dest, src, progress)

    def causal(
        self,
        text: str,
        *,
        head: Head | None = None,
        dest: Place = -1,
        src: Place | None = None,
        a: str | int | None = None,
        b: str | int | None = None,
        bos: bool = False,
        progress: Progress = True,
    ) -> Result:
        """The causal map: removes each component of the query side and of the key side in turn, and recomputes all later layers.

        Parameters are those of `effects`. The result has the section ``causal``: the changes of score, ln attention and logit difference,
        recomputed and as the linear prediction has them.
        """
        question = self._question(text, head, bos, targets=(a, b))
        with reporting(progress) as tell:
            return Result(self._native.causal(json.dumps(question), dest, src, tell))

    def intervene(
        self,
        text: str,
        interventions: Iterable[Mapping[str, Any]],
        *,
        head: Head | None = None,
        dest: Place = -1,
        src: Place | None = None,
        a: str | int | None = None,
        b: str | int | None = None,
        second: str | None = None,
        prompts: Ioi | Texts | None = None,
        bos: bool = False,
        exact_ln: bool = False,
        progress: Progress = True,
    ) -> Result:
        """Replaces an activation, recomputes all later layers, and compares with the linear prediction.

        Parameters
        ----------
        text, head, dest, src, a, b, bos, progress
            As in `effects`.
        interventions : iterable of mappings
            Each is applied by itself, in the form that results have (``put`` in docs/result-file.md):
            ``{"remove": {"side": "query", "component": "9.9"}}``,
            ``{"substitute": {"side": "key", "vector": {"unembedding": 1337}}}``,
            ``{"set": {"head": "9.9", "activation": "z", "to": "zero", "at": "all"}}``.
        second : str, optional
            A second text of as many tokens, for ``"to": "second"``.
        prompts : Ioi or Texts, optional
            Prompts over which means are taken, for ``"to": "mean"``.
        exact_ln : bool
            Whether vectors in place of the head's inputs go through LayerNorm, instead of being divided by their standard deviation.

        Returns
        -------
        Result
            With the section ``intervention``.
        """
        question = self._question(text, head, bos, targets=(a, b), exact_ln=exact_ln)
        asked: dict[str, Any] = {"interventions": [dict(one) for one in interventions], "second": second}
        if prompts is not None:
            asked["maker"] = prompts._maker()
        with reporting(progress) as tell:
            return Result(self._native.intervene(json.dumps(question), dest, src, json.dumps(asked), tell))

    def next(self, text: str, *, dest: Place = -1, bos: bool = False, count: int = 20) -> list[Next]:
        """The most likely tokens after a position.

        Parameters
        ----------
        text : str
            The text.
        dest : int or str
            The position, as in `pair`.
        bos : bool
            Whether to prepend the BOS token.
        count : int
            The number of tokens.
        """
        return [Next(*one) for one in self._native.next(text, bos, dest, count)]

    def go_on(
        self,
        text: str,
        count: int,
        *,
        dest: Place = -1,
        bos: bool = False,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: int = 0,
    ) -> Continuation:
        """Continues a text token by token, as ``keyside next --count`` does.

        Parameters
        ----------
        text : str
            The text.
        count : int
            The number of tokens; fewer where the model's context ends.
        dest : int or str
            The position to go on after, as in `pair`.
        bos : bool
            Whether to prepend the BOS token.
        temperature : float
            The divisor of the logits before a token is drawn; 0 takes the most likely token.
        top_k : int, optional
            Draws from this many most likely tokens only.
        top_p : float, optional
            Draws only from the most likely tokens whose probabilities sum to this value.
        seed : int
            Seed of the draw.
        """
        return Continuation(*self._native.go_on(text, bos, dest, count, temperature, top_k, top_p, seed))

    def record(
        self,
        texts: Iterable[str],
        *,
        bos: bool = False,
        pairs: Iterable[tuple[Head, Place, Place]] = (),
        every_next: bool = False,
        begin: Head | None = None,
        source: str | None = None,
        save: str | os.PathLike[str] | None = None,
    ) -> dict[str, Any]:
        """Records the model's attention on sentences, so that questions can be answered without the model (docs/recording.md).

        Parameters
        ----------
        texts : iterable of str
            The sentences.
        bos : bool
            Whether to prepend the BOS token to each.
        pairs : iterable of (head, dest, src)
            Scores to decompose, in every sentence.
        every_next : bool
            Whether to record the next tokens after every position, instead of the last one only.
        begin : str or (int, int), optional
            The initial head.
        source : str, optional
            The source of the numbers, for readers.
        save : path, optional
            A file to write the recording to.

        Returns
        -------
        dict
            The recording.
        """
        asked = [(_checked_head(head), dest, src) for head, dest, src in pairs]
        head = None if begin is None else _checked_head(begin, "begin")
        text = self._native.record(list(texts), bos, asked, every_next, head, source)
        if save is not None:
            write_text(save, text)
        recording: dict[str, Any] = json.loads(text)
        return recording

    def head_effects(self, prompts: Iterable[Mapping[str, str]], *, without: Head | None = None) -> Result:
        """The effects of every head on two target tokens, as means over prompts, as ``keyside record --effects`` writes them.

        Parameters
        ----------
        prompts : iterable of mappings
            ``{"text": ..., "answer": " Mary", "other": " John"}`` each, in pairs with exchanged tokens; BOS is prepended.
        without : str or (int, int), optional
            The head that is ablated at the last token.

        Returns
        -------
        Result
            With the section ``head_effects``.
        """
        head = None if without is None else _checked_head(without, "without")
        return Result(self._native.head_effects(json.dumps([dict(one) for one in prompts]), head))

    def _question(
        self,
        text: str,
        head: Head | None,
        bos: bool,
        *,
        targets: tuple[str | int | None, str | int | None] = (None, None),
        exact_ln: bool = False,
        **asked: Any,
    ) -> dict[str, Any]:
        question = {"text": text, "prepend_bos": bos, "dest": None, "src": None, "relative": None, **asked}
        question["head"] = None if head is None else _checked_head(head)
        question["target_texts"] = {
            name: str(token) for name, token in zip("ab", targets, strict=True) if token is not None
        }
        if exact_ln:
            question["normalization"] = "layer_norm"
        return question

    def _ask(self, question: dict[str, Any], dest: Place, src: Place | None, progress: Progress) -> Result:
        with reporting(progress) as tell:
            return Result(self._native.ask(json.dumps(question), dest, src, tell))

    def __reduce__(self) -> tuple[Any, ...]:
        return Model, (self.source, self._processing, self._engine)

    def __repr__(self) -> str:
        config = self.config
        return f"<keyside.Model {self.name}: {config['n_layer']} layers, {config['n_head']} heads, {self.info['source']}>"


def _relative(given: str | int | None) -> str | None:
    """The baseline of a relative score, in the form of results."""
    return None if given is None else str(given)
