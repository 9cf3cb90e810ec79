"""The rows of a sweep as Parquet."""

from __future__ import annotations

import os
from pathlib import Path

from ._errors import SourceError

#: The columns of rows, and their types.
_COLUMNS = (
    ("model", "string"),
    ("revision", "string"),
    ("head", "string"),
    ("prompts", "string"),
    ("seed", "int64"),
    ("prompt", "int64"),
    ("count", "int64"),
    ("batch_size", "int64"),
    ("prepend_bos", "bool"),
    ("score", "float64"),
    ("score_sd", "float64"),
    ("prob", "float64"),
    ("prob_sd", "float64"),
    ("largest", "float64"),
)

#: Rows of a group: readers take a group at a time.
_GROUP = 1 << 20


def write(rows: Path, out: Path) -> None:
    """Writes ``rows``, one JSON object per line, to ``out``, which is replaced as a whole or not at all."""
    import pyarrow
    import pyarrow.json
    import pyarrow.parquet

    schema = pyarrow.schema([(name, pyarrow.type_for_alias(kind)) for name, kind in _COLUMNS])
    options = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    table = pyarrow.json.read_json(rows, parse_options=options)
    half = f"{out}.part"
    try:
        pyarrow.parquet.write_table(table, half, row_group_size=_GROUP)
        os.replace(half, out)
    except OSError as cause:
        raise SourceError("source", f"{out} can't be written ({cause})", "", "Check the space on the disk; the rows are in rows.jsonl.") from cause
