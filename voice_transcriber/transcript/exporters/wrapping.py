"""Where a text may be broken into lines."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

# Chinese and Japanese are written without spaces: a line may end after nearly every sign, but
# not before a closing one nor after an opening one.
_SIGN = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
_OPENING = r"\u3008\u300a\u300c\u300e\u3010\u3014\u3016\u3018\uff08\uff3b\uff5b"
_CLOSING = (
    r"\u3001\u3002\u3005\u3009\u300b\u300d\u300f\u3011\u3015\u3017\u3019\u301c"
    r"\u3041\u3043\u3045\u3047\u3049\u3063\u3083\u3085\u3087\u308e\u3099\u309a"
    r"\u30a1\u30a3\u30a5\u30a7\u30a9\u30c3\u30e3\u30e5\u30e7\u30fb\u30fc"
    r"\uff01\uff09\uff0c\uff0e\uff1a\uff1b\uff1f\uff3d\uff5d\ufe00-\ufe0f\U000e0100-\U000e01ef"
)
_HAS_SIGN = re.compile(f"[{_SIGN}]")
_BREAK_BETWEEN = re.compile(
    rf"(?![{_OPENING} ]).(?![{_CLOSING}])(?:(?<=[{_SIGN}{_CLOSING}]).|[{_SIGN}{_OPENING}])"
)
_SPACES = re.compile(r"[^\S\xa0\u2007\u202f]+")  # those that allow a break
_JOINER = "\u200d"  # glues emoji and some Indic letters together


def single_spaced(text: str) -> str:
    """One plain space in each place where a line may end; spaces that forbid a break stay."""
    if text.isprintable() and "  " not in text:
        return text
    return _SPACES.sub(" ", text)


def wrap(text: str, *, width: int) -> list[tuple[int, int]]:
    """Start and end of each line of a single-spaced text; a line holds what it can.

    A word of more than `width` characters is cut between two letters.
    """
    return list(_lines(text, width))


def _lines(text: str, width: int) -> Iterator[tuple[int, int]]:
    has_signs = _HAS_SIGN.search(text) is not None
    start = 0
    while len(text) - start > width:
        end = _last_break(text, start, start + width, has_signs=has_signs)
        yield start, end
        start = end + 1 if text[end] == " " else end
    yield start, len(text)


def _last_break(text: str, start: int, limit: int, *, has_signs: bool) -> int:
    space = text.rfind(" ", start + 1, limit + 1)
    lowest = max(space, start)
    if has_signs:
        for place in range(limit, lowest, -1):
            if _BREAK_BETWEEN.match(text, place - 1):
                return place
    return space if space > start else _cut(text, start, limit)


def _cut(text: str, start: int, limit: int) -> int:
    """The last place that separates no mark from its letter; `limit` if there is none."""
    for place in range(limit, start, -1):
        if not _belongs_to_the_sign_before(text, place):
            return place
    return limit


def _belongs_to_the_sign_before(text: str, place: int) -> bool:
    sign = text[place]
    return (
        unicodedata.category(sign) in {"Mn", "Mc", "Me"}
        or "\U0001f3fb" <= sign <= "\U0001f3ff"  # skin tones
        or _JOINER in {sign, text[place - 1]}
    )
