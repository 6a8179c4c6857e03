"""What a reader may ask of an export; the one place where wrong values are refused."""

from __future__ import annotations

import math
from dataclasses import dataclass

from voice_transcriber.errors import InvalidRequest

LINE_WIDTHS = range(8, 1_001)
LINE_COUNTS = range(1, 21)
MAX_CPS = 1_000.0


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Options of a format; one that a format has no use for is passed over.

    Raises InvalidRequest, which names the option and the remedy.
    """

    max_line_width: int | None = None  # characters; None: a line is as long as the segment
    max_lines: int | None = None  # lines of one cue; None: as many as the segment needs
    max_cps: float | None = None  # characters that a viewer reads in a second
    from_s: float | None = None  # seconds in the file; segments that end before are left out
    to_s: float | None = None  # seconds in the file; segments that start then are left out
    times: bool | None = None  # None: as is usual in the format

    def __post_init__(self) -> None:
        _check_between("max_line_width", self.max_line_width, LINE_WIDTHS)
        _check_between("max_lines", self.max_lines, LINE_COUNTS)
        if self.max_lines is not None and self.max_line_width is None:
            raise _wrong("max_lines", "counts lines, but no line has an end", "add max_line_width")
        if self.max_cps is not None and not 1 <= self.max_cps <= MAX_CPS:
            raise _wrong("max_cps", f"is {self.max_cps:g}", f"give a number from 1 to {MAX_CPS:g}")
        _check_time("from", self.from_s)
        _check_time("to", self.to_s)
        if self.to_s is not None and self.to_s <= (self.from_s or 0.0):
            raise _wrong("to", f"is {self.to_s:g}", "give a time after the start of the range")

    @property
    def from_ms(self) -> float:
        return 1000 * (self.from_s or 0.0)

    @property
    def to_ms(self) -> float:
        return math.inf if self.to_s is None else 1000 * self.to_s


def _check_between(name: str, value: int | None, allowed: range) -> None:
    if value is not None and value not in allowed:
        remedy = f"give a whole number from {allowed[0]} to {allowed[-1]}"
        raise _wrong(name, f"is {value}", remedy)


def _check_time(name: str, value: float | None) -> None:
    if value is not None and not 0 <= value < math.inf:
        raise _wrong(name, f"is {value:g}", "give seconds from the start of the file, such as 90.5")


def _wrong(name: str, fault: str, remedy: str) -> InvalidRequest:
    return InvalidRequest(f"The option {name} {fault}.", remedy=f"{name}: {remedy}.")
