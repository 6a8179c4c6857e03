"""Tables for the terminal that are Markdown at the same time, and bounds with their verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Bound:
    """One figure against what it has to keep; `detail` says how it came about."""

    name: str
    measured: str
    limit: str
    kept: bool
    detail: str = ""


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose columns line up."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rule = ["-" * width for width in widths]
    return "\n".join(_row(line, widths) for line in [lines[0], rule, *lines[1:]])


def bounds_table(bounds: Iterable[Bound]) -> str:
    rows = [
        (one.name, one.measured, one.limit, "PASS" if one.kept else "FAIL", one.detail)
        for one in bounds
    ]
    return markdown(("what", "measured", "bound", "verdict", "how"), rows)


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"
