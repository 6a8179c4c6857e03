"""sqlite-utils, imported without numpy and pandas.

sqlite-utils imports both wherever they are installed, only to know their
column types. The process that serves does without them: numpy alone would cost
it 100 ms at the start and 12 MB for good.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _hidden(*packages: str) -> Iterator[None]:
    """Let an import of these fail, unless somebody has imported them already."""
    hidden = [package for package in packages if package not in sys.modules]
    for package in hidden:
        sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]


with _hidden("numpy", "pandas"):
    from sqlite_utils import Database, Migrations

__all__ = ["Database", "Migrations"]
