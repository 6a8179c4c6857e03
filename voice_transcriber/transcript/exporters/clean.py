"""Text that no format's syntax can break out of."""

from __future__ import annotations

import re

# C0 and C1 controls but tab and newline, and what XML cannot hold: surrogates, noncharacters
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# The Unicode line and paragraph separators are breaks too
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def plain_lines(text: str) -> list[str]:
    """Lines without control characters, stripped; empty ones are left out."""
    if text.isprintable():  # nearly every text; neither a control nor a break is in it
        return [text.strip()] if text.strip() else []
    lines = _BREAKS.sub("\n", text).split("\n")
    stripped = (_CONTROLS.sub("", line).replace("\t", " ").strip() for line in lines)
    return [line for line in stripped if line]


def one_line(text: str) -> str:
    """The same as a single line."""
    return " ".join(plain_lines(text))
