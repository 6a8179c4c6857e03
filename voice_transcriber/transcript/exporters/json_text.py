"""JSON that every parser takes."""

from __future__ import annotations

import json
import math
from typing import Any


def json_text(record: Any) -> str:
    try:
        text = json.dumps(record, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(record), ensure_ascii=False, allow_nan=False)
    # "<\/" is the same string in JSON, and cannot end a script element that it is pasted into
    return text.replace("</", "<\\/") + "\n"


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: null stands for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
