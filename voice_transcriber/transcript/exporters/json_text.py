"""JSON that every parser takes."""

from __future__ import annotations

import json
from typing import Any

import msgspec


def json_text(record: Any) -> str:
    """One line. JSON has no NaN and no infinity: null stands for them."""
    try:
        data = msgspec.json.encode(record)
    except UnicodeEncodeError:  # half a character, which UTF-8 does not have
        cleaned = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
        data = msgspec.json.encode(json.loads(cleaned))
    text = msgspec.json.format(data, indent=0).decode()
    # "<\/" is the same string in JSON, and cannot end a script element that it is pasted into
    return text.replace("</", "<\\/") + "\n"
