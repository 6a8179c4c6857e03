"""Formats that a transcript can be read in: one table from name to renderer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from voice_transcriber.errors import UnknownFormat
from voice_transcriber.transcript.exporters import json_record, srt, txt
from voice_transcriber.transcript.model import Transcript


@dataclass(frozen=True, kw_only=True)
class Format:
    """One row of the table."""

    extension: str  # without the dot
    content_type: str
    render: Callable[[Transcript], str]


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A transcript as a file."""

    body: bytes  # UTF-8 without a byte order mark
    content_type: str
    extension: str


FORMATS: Mapping[str, Format] = {
    "txt": Format(extension="txt", content_type="text/plain; charset=utf-8", render=txt.render),
    "srt": Format(
        extension="srt", content_type="application/x-subrip; charset=utf-8", render=srt.render
    ),
    "json": Format(extension="json", content_type="application/json", render=json_record.render),
}


def render(transcript: Transcript, name: str) -> Rendered:
    """The transcript in the format of that name. Raises UnknownFormat."""
    if name not in FORMATS:
        raise UnknownFormat(
            f"There is no transcript format {name[:40]!r}.",
            remedy=f"Give one of {', '.join(FORMATS)}.",
        )
    row = FORMATS[name]
    return Rendered(
        body=row.render(transcript).encode("utf-8", "replace"),
        content_type=row.content_type,
        extension=row.extension,
    )
