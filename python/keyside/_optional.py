"""Packages that may be there or not."""

from __future__ import annotations

import importlib.util


def there(name: str) -> bool:
    """Whether a package is installed."""
    spec = importlib.util.find_spec(name)
    # Any folder of the name is found, too: without an origin.
    return spec is not None and spec.origin is not None


def need(name: str, what: str) -> None:
    """Fails where a package is not installed that ``what`` takes."""
    if not there(name):
        raise ImportError(f"{what} takes {name}, which is not installed. Run: pip install {name}")
