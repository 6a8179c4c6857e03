"""Our own record: all that is known of the transcript, times in integer milliseconds."""

from __future__ import annotations

import json
import math
from typing import Any

from voice_transcriber.transcript.model import Transcript


def render(transcript: Transcript) -> str:
    record = {**transcript.to_dict(), "text": transcript.text}
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
