"""Arrays of a result."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def array(data: bytes, shape: list[int]) -> NDArray[np.float32]:
    """The numbers in ``data``, in their shape; they are not copied, and can't be written to."""
    return np.frombuffer(data, dtype="<f4").reshape(shape)
