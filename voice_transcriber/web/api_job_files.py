"""The native API for what jobs leave: transcripts, recordings and archives of them."""

from __future__ import annotations

import os
from pathlib import PurePath
from threading import BoundedSemaphore

from flask import Blueprint, Response, request

from voice_transcriber.errors import Busy, DiskFull, NotFound, UnknownFormat, WrongState
from voice_transcriber.few import one_of_few
from voice_transcriber.transcript.exporters import format_named, render
from voice_transcriber.web.archive import check_completed, transcript_files, zipped
from voice_transcriber.web.context import services
from voice_transcriber.web.fields import listed
from voice_transcriber.web.filenames import attachment, transcript_name
from voice_transcriber.web.media import file_body, media_response
from voice_transcriber.web.openapi import paths, replies
from voice_transcriber.web.openapi.operation import Example, documented
from voice_transcriber.web.schemas import ExportQuery, TranscriptQuery

bp = Blueprint("job_files", __name__, url_prefix="/api/v1/jobs")

ARCHIVES_AT_ONCE = 4  # each holds a thread of the server while it is made

_archives = BoundedSemaphore(ARCHIVES_AT_ONCE)


@bp.get("/<job_id>/transcript.<name>")
@documented(
    "The transcript of a completed job",
    path={"job_id": paths.COMPLETED_JOB, "name": paths.FORMAT},
    query=TranscriptQuery,
    answers={200: replies.TRANSCRIPT},
    errors=(WrongState, UnknownFormat),
    examples=(
        Example(status=200, query={"max_line_width": 42, "max_lines": 2}),
        *(Example(status=200, path={"name": name}) for name in paths.FORMAT.choices),
    ),
)
def transcript(job_id: str, name: str) -> Response:
    store = services().store
    job = store.get(job_id)
    options = TranscriptQuery.parse(request.args.to_dict()).options()
    title = PurePath(job.filename).stem
    rendered = render(store.transcript(job_id), name, options, title=title)
    filename = transcript_name(job.filename, rendered.extension)
    return Response(
        rendered.body,
        content_type=rendered.content_type,
        headers={
            "Content-Disposition": attachment(filename),
            "Cache-Control": "private, no-cache",
        },
    )


@bp.get("/<job_id>/audio")
@documented(
    "The recording as it was uploaded",
    path={"job_id": paths.COMPLETED_JOB},
    headers={"Range": "One range of bytes, for players that seek."},
    answers={200: replies.RECORDING, 206: replies.PART_OF_RECORDING},
    examples=(
        Example(status=200),
        Example(status=206, headers={"Range": "bytes=0-99"}),
    ),
    errors=(WrongState,),
)
def audio(job_id: str) -> Response:
    job = services().store.get(job_id)
    services().manager.scan.check_passed(job)
    path = services().blobs.path(job.blob_sha256)
    return media_response(request, path, filename=job.filename, sha256=job.blob_sha256)


@bp.get("/export")
@documented(
    "Many transcripts as one zip",
    query=ExportQuery,
    answers={200: replies.ARCHIVE},
    errors=(NotFound, WrongState, UnknownFormat, DiskFull, Busy),
    examples=(
        Example(status=200, query={"ids": [paths.COMPLETED_JOB.example], "formats": ["txt"]}),
    ),
)
def export() -> Response:
    return _archive()


@bp.post("/export")
@documented(
    "Many transcripts as one zip, by a form",
    form=ExportQuery,
    answers={200: replies.ARCHIVE},
    errors=(NotFound, WrongState, UnknownFormat, DiskFull, Busy),
    examples=(
        Example(status=200, fields={"ids": [paths.COMPLETED_JOB.example], "formats": ["srt"]}),
    ),
)
def export_by_form() -> Response:
    """For more ids than an address can hold."""
    return _archive()


def _archive() -> Response:
    lists = {name: listed(request.values, name) for name in ("ids", "formats")}
    query = ExportQuery.parse({**request.values.to_dict(), **lists})
    store = services().store
    jobs = [store.get(job_id) for job_id in query.ids]
    check_completed(jobs)
    for name in query.formats:
        format_named(name)
    files = transcript_files(jobs, query.formats, query.options(), read=store.transcript)
    with one_of_few(_archives):
        archive = zipped(files)
    size_bytes = os.fstat(archive.fileno()).st_size
    return Response(
        file_body(request, archive, size_bytes),
        content_type="application/zip",
        headers={
            "Content-Length": str(size_bytes),
            "Content-Disposition": attachment("transcripts.zip"),
            "Cache-Control": "private, no-cache",
        },
        direct_passthrough=True,
    )
