"""Explains why an attention head of GPT-2 attends to a token, by the components of the model that cause it.

A model is a folder with ``config.json``, ``model.safetensors`` and ``tokenizer.json``, the URL of one, or ``hub:NAME``:

>>> import keyside
>>> model = keyside.load("public/models/tiny-ioi")
>>> result = model.analyze(prompts=keyside.ioi(batches=1, batch_size=4))
>>> result.head, len(result.prompts)
('2.0', 4)

Every answer is a `Result`: the document that the page opens and ``keyside analyze --out`` writes, with the same numbers.
"""

from ._cache import from_cache
from ._errors import Error, ModelError, PromptError, RequestError, ResultFileError, SourceError
from ._figure import Figure
from ._keyside import VERSION as __version__
from ._model import Continuation, Model, Next, Processing, load
from ._prompts import Ioi, Texts, ioi, texts
from ._result import Result, schema, validate
from ._result import open_result as open
from ._sweep import Sweep, sweep

__all__ = [
    "Continuation",
    "Error",
    "Figure",
    "Ioi",
    "Model",
    "ModelError",
    "Next",
    "Processing",
    "PromptError",
    "RequestError",
    "Result",
    "ResultFileError",
    "SourceError",
    "Sweep",
    "Texts",
    "__version__",
    "from_cache",
    "ioi",
    "load",
    "open",
    "schema",
    "sweep",
    "texts",
    "validate",
]
