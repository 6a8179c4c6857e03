"""Formats that a transcript can be read in: one table from name to renderer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from voice_transcriber.errors import UnknownFormat
from voice_transcriber.transcript.exporters import (
    csv_table,
    html_page,
    json_record,
    lrc,
    srt,
    tsv,
    txt,
    vtt,
    whisper_json,
)
from voice_transcriber.transcript.exporters.export import Export, within_range
from voice_transcriber.transcript.exporters.options import ExportOptions
from voice_transcriber.transcript.model import Transcript

DEFAULT_TITLE = "Transcript"


@dataclass(frozen=True, kw_only=True)
class Format:
    """One row of the table."""

    extension: str  # without the dot
    content_type: str
    render: Callable[[Export], str | bytes]


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A transcript as a file."""

    body: bytes  # text is UTF-8; without a byte order mark, but in csv
    content_type: str
    extension: str


def _word_document(export: Export) -> bytes:
    # python-docx takes longer to load than the server may take to start
    from voice_transcriber.transcript.exporters import word_document

    return word_document.render(export)


FORMATS: Mapping[str, Format] = {
    "txt": Format(extension="txt", content_type="text/plain; charset=utf-8", render=txt.render),
    "srt": Format(
        extension="srt", content_type="application/x-subrip; charset=utf-8", render=srt.render
    ),
    "vtt": Format(extension="vtt", content_type="text/vtt; charset=utf-8", render=vtt.render),
    "tsv": Format(
        extension="tsv",
        content_type="text/tab-separated-values; charset=utf-8",
        render=tsv.render,
    ),
    "csv": Format(extension="csv", content_type="text/csv; charset=utf-8", render=csv_table.render),
    "json": Format(extension="json", content_type="application/json", render=json_record.render),
    "whisper.json": Format(
        extension="whisper.json", content_type="application/json", render=whisper_json.render
    ),
    "lrc": Format(extension="lrc", content_type="text/plain; charset=utf-8", render=lrc.render),
    "docx": Format(
        extension="docx",
        content_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        render=_word_document,
    ),
    "html": Format(
        extension="html", content_type="text/html; charset=utf-8", render=html_page.render
    ),
}


def format_named(name: str) -> Format:
    """Raises UnknownFormat."""
    if name not in FORMATS:
        raise UnknownFormat(
            f"There is no transcript format {name[:40]!r}.",
            remedy=f"Give one of {', '.join(FORMATS)}.",
        )
    return FORMATS[name]


def render(
    transcript: Transcript,
    name: str,
    options: ExportOptions | None = None,
    *,
    title: str = DEFAULT_TITLE,
) -> Rendered:
    """The transcript in the format of that name; `title` heads html and docx.

    Raises UnknownFormat.
    """
    row = format_named(name)
    options = options or ExportOptions()
    made = row.render(Export(within_range(transcript, options), options, title))
    return Rendered(
        body=made if isinstance(made, bytes) else made.encode("utf-8", "replace"),
        content_type=row.content_type,
        extension=row.extension,
    )
