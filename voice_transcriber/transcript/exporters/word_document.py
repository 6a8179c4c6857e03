"""A Word document (docx): a title, and a paragraph for each segment."""

from __future__ import annotations

import io
import unicodedata
from datetime import UTC, datetime
from html import escape

from docx import Document
from docx.document import Document as WordDocument
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn

from voice_transcriber.transcript.exporters import clock
from voice_transcriber.transcript.exporters.clean import one_line
from voice_transcriber.transcript.exporters.export import Export
from voice_transcriber.transcript.model import Segment


def render(export: Export) -> bytes:
    document = Document()
    _describe(document, export)
    document.add_paragraph(one_line(export.title), style="Title")
    _append(document, _paragraphs(export))
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _describe(document: WordDocument, export: Export) -> None:
    properties = document.core_properties
    properties.title = one_line(export.title)[:255]  # the limit of python-docx
    properties.author = properties.comments = ""
    properties.created = properties.modified = datetime.now(UTC).replace(tzinfo=None)
    spelling = document.styles.element.find(f".//{qn('w:lang')}")
    if spelling is not None and export.transcript.language:
        for script in ("w:val", "w:eastAsia", "w:bidi"):
            spelling.set(qn(script), export.transcript.language)


def _append(document: WordDocument, paragraphs: str) -> None:
    # add_paragraph walks over all that are there already: 12,000 take a minute, so parsed at once
    body = parse_xml(f"<w:body {nsdecls('w')}>{paragraphs}</w:body>")
    end = document.element.body.sectPr
    for paragraph in list(body):
        end.addprevious(paragraph)


def _paragraphs(export: Export) -> str:
    with_times = export.shows_times(usually=True)
    spoken = ((segment, one_line(segment.text)) for segment in export.transcript.segments)
    return "".join(
        _paragraph(segment, text, with_time=with_times) for segment, text in spoken if text
    )


def _paragraph(segment: Segment, text: str, *, with_time: bool) -> str:
    time = _time_run(segment.start_ms) if with_time else ""
    if _is_right_to_left(text):
        return f"<w:p><w:pPr><w:bidi/></w:pPr>{time}{_run(text, '<w:rtl/>')}</w:p>"
    return f"<w:p>{time}{_run(text)}</w:p>"


def _time_run(time_ms: int) -> str:
    return _run(f"{clock.to_the_second(time_ms)}  ", '<w:color w:val="6B6B6B"/>')


def _run(text: str, look: str = "") -> str:
    properties = f"<w:rPr>{look}</w:rPr>" if look else ""
    return f'<w:r>{properties}<w:t xml:space="preserve">{escape(text, quote=False)}</w:t></w:r>'


def _is_right_to_left(text: str) -> bool:
    """By the first letter that has a direction, as Unicode does."""
    directions = (unicodedata.bidirectional(sign) for sign in text)
    return next((one for one in directions if one in {"L", "R", "AL"}), "L") != "L"
