"""A table for spreadsheets (RFC 4180): start, end, text; no cell can become a formula."""

from __future__ import annotations

import csv
import io
import re

from voice_transcriber.transcript.exporters import clock
from voice_transcriber.transcript.exporters.export import Export

_MARK = "\ufeff"  # without it Excel takes UTF-8 for the system's old character set
# OWASP's list, with the full-width forms. Where Excel separates by semicolons, one begins a cell.
_FORMULA = re.compile(r"(^|;\s*)(?=[=+\-@\t\r\0\uff1d\uff0b\uff0d\uff20])")


def render(export: Export) -> str:
    sheet = io.StringIO(newline="")
    table = csv.writer(sheet, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    table.writerow(("start", "end", "text"))
    table.writerows(
        (clock.full(cue.start_ms, mark="."), clock.full(cue.end_ms, mark="."), guarded(cue.text))
        for cue in export.cues
    )
    return _MARK + sheet.getvalue()


def guarded(text: str) -> str:
    """An apostrophe before what a spreadsheet would calculate; it shows the rest as text."""
    return _FORMULA.sub(r"\1'", text)
