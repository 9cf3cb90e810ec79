"""Arrays of a result."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def array(data: bytes, shape: list[int]) -> NDArray[np.float32]:
    """A read-only view of ``data`` in the array's shape, without a copy."""
    return np.frombuffer(data, dtype="<f4").reshape(shape)
