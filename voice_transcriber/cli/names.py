"""Names of files as they are shown: what a terminal or a database would choke on is replaced."""

from __future__ import annotations


def shown(name: str) -> str:
    """Control characters and bytes that are no text become question marks."""
    text = name.encode("utf-8", "replace").decode("utf-8")
    return "".join(sign if sign.isprintable() else "?" for sign in text)
