"""Our own record: all that is known of the transcript, times in integer milliseconds."""

from __future__ import annotations

from voice_transcriber.transcript.exporters.export import Export
from voice_transcriber.transcript.exporters.json_text import json_text


def render(export: Export) -> str:
    return json_text({**export.transcript.to_dict(), "text": export.transcript.text})
