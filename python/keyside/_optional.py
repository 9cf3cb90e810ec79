"""Optional packages."""

from __future__ import annotations

import importlib.util


def there(name: str) -> bool:
    """Whether a package is installed."""
    spec = importlib.util.find_spec(name)
    # A folder of this name is found as a namespace package, whose origin is None.
    return spec is not None and spec.origin is not None


def need(name: str, what: str) -> None:
    """Raises an error where a package is not installed that ``what`` needs."""
    if not there(name):
        raise ImportError(f"{what} takes {name}, which is not installed. Run: pip install {name}")
