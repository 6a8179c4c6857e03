"""The native API for jobs: /api/v1/jobs."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for
from werkzeug.datastructures import MultiDict

from voice_transcriber.job import Job, TranscribeOptions
from voice_transcriber.transcript.exporters import format_named, render
from voice_transcriber.web.archive import check_completed, transcript_files, zipped
from voice_transcriber.web.context import feed, services
from voice_transcriber.web.filenames import attachment, transcript_name
from voice_transcriber.web.media import media_response
from voice_transcriber.web.polling import answer_changes
from voice_transcriber.web.schemas import (
    ChangesQuery,
    ExportQuery,
    JobDetailShape,
    JobShape,
    ListQuery,
    TranscriptQuery,
)
from voice_transcriber.web.uploads import received_upload

bp = Blueprint("jobs", __name__, url_prefix="/api/v1/jobs")


@bp.post("")
def submit() -> Response:
    parts = services()
    parts.manager.check_accepts()  # without the size: the body is on the disk already
    writer = parts.blobs.writer()
    limit_bytes = parts.settings.max_file_size_bytes
    with received_upload(request, writer, limit_bytes=limit_bytes) as upload:
        options = upload.form.options(default_model=parts.settings.default_model)
        job = parts.manager.submit(
            writer,
            filename=upload.filename,
            options=options,
            priority=upload.form.job_priority,
        )
    return _accepted(job)


@bp.post("/sample")
def submit_sample() -> Response:
    parts = services()
    parts.manager.check_accepts(size_bytes=parts.sample.stat().st_size)
    job = parts.manager.submit_file(parts.sample, options=TranscribeOptions(model=parts.demo_model))
    return _accepted(job)


@bp.get("")
def list_jobs() -> Response:
    query = ListQuery.parse({**request.args.to_dict(), "status": _listed(request.args, "status")})
    page = services().store.page(
        limit=query.limit, before_seq=query.cursor, statuses=query.status, search=query.q
    )
    return jsonify(
        jobs=[_shape(job) for job in page.jobs],
        next_cursor=page.next_cursor,
        total=page.total,
    )


@bp.get("/changes")
def changes() -> Response:
    query = ChangesQuery.parse(request.args.to_dict())
    return answer_changes(since=query.since, key="jobs", show=_shape)


@bp.route("/export", methods=["GET", "POST"])
def export() -> Response:
    """One zip; by POST where the ids are too many for an address."""
    lists = {name: _listed(request.values, name) for name in ("ids", "formats")}
    query = ExportQuery.parse({**request.values.to_dict(), **lists})
    store = services().store
    jobs = [store.get(job_id) for job_id in query.ids]
    check_completed(jobs)
    for name in query.formats:
        format_named(name)
    files = transcript_files(jobs, query.formats, query.options(), read=store.transcript)
    return Response(
        zipped(files),
        content_type="application/zip",
        headers={
            "Content-Disposition": attachment("transcripts.zip"),
            "Cache-Control": "private, no-cache",
        },
    )


@bp.get("/<job_id>")
def show(job_id: str) -> Response:
    return jsonify(JobDetailShape.of_detail(services().manager.detail(job_id)).json_value())


@bp.post("/<job_id>/cancel")
def cancel(job_id: str) -> tuple[Response, int]:
    return jsonify(_shape(services().manager.cancel(job_id))), 202


@bp.post("/<job_id>/retry")
def retry(job_id: str) -> tuple[Response, int]:
    return jsonify(_shape(services().manager.retry(job_id))), 202


@bp.delete("/<job_id>")
def delete(job_id: str) -> tuple[Response | str, int]:
    """Cancel a live job (202, it stays in the list), remove one that has ended (204)."""
    manager = services().manager
    if services().store.get(job_id).is_live:
        return jsonify(_shape(manager.cancel(job_id))), 202
    manager.delete(job_id)
    return "", 204


@bp.get("/<job_id>/transcript.<name>")
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
def audio(job_id: str) -> Response:
    job = services().store.get(job_id)
    path = services().blobs.path(job.blob_sha256)
    return media_response(request, path, filename=job.filename, sha256=job.blob_sha256)


def _accepted(job: Job) -> Response:
    response = jsonify(_shape(job))
    response.status_code = 202
    response.headers["Location"] = url_for("jobs.show", job_id=job.id)
    return response


def _shape(job: Job) -> dict[str, Any]:
    position = feed().pulse().positions.get(job.id)
    return JobShape.of(job, queue_position=position).json_value()


def _listed(fields: MultiDict[str, str], name: str) -> tuple[str, ...]:
    """`name=a&name=b` and `name=a,b` mean the same, and each value counts once."""
    values = [value for text in fields.getlist(name) for value in text.split(",") if value]
    return tuple(dict.fromkeys(values))
