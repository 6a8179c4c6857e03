"""The native API for jobs: /api/v1/jobs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for

from voice_transcriber import kill_points
from voice_transcriber.errors import (
    Busy,
    DiskFull,
    EmptyFile,
    EngineNotOffered,
    FileTooLarge,
    Infected,
    InvalidRequest,
    KeyReused,
    NotFound,
    QueueFull,
    RequestInFlight,
    ScannerAway,
    ShuttingDown,
    TooManyQueued,
    UnknownLanguage,
    UnknownModel,
    WrongState,
)
from voice_transcriber.job import Job, TranscribeOptions
from voice_transcriber.submission import Origin
from voice_transcriber.web.announced import announced
from voice_transcriber.web.bulk import change_many
from voice_transcriber.web.context import feed, services
from voice_transcriber.web.envelopes import ChangesShape, JobPageShape
from voice_transcriber.web.fields import filter_fields, json_body
from voice_transcriber.web.openapi import paths, replies
from voice_transcriber.web.openapi.operation import Example, Reply, documented
from voice_transcriber.web.origin import KEY_DOCUMENTED, request_origin
from voice_transcriber.web.polling import answer_changes
from voice_transcriber.web.schemas import (
    BulkRequest,
    ChangesQuery,
    JobChange,
    ListQuery,
    SubmitForm,
)
from voice_transcriber.web.shapes import BulkShape, JobDetailShape, JobShape
from voice_transcriber.web.uploads import Received, received_upload

bp = Blueprint("jobs", __name__, url_prefix="/api/v1/jobs")

NO_ROOM = (QueueFull, TooManyQueued, DiskFull, ShuttingDown)
SCANNED = (Infected, ScannerAway, Busy)
COUNTED_ONCE = (RequestInFlight, KeyReused)


@bp.post("")
@documented(
    "Submit a recording",
    form=SubmitForm,
    takes_file=True,
    headers=KEY_DOCUMENTED,
    answers={202: replies.ACCEPTED},
    errors=(
        *(UnknownModel, UnknownLanguage, EngineNotOffered, EmptyFile, FileTooLarge),
        *(NotFound, WrongState),  # of the upload that is named
        *COUNTED_ONCE,
        *NO_ROOM,
        *SCANNED,
    ),
    examples=(
        Example(status=202, fields={"model": "demo", "language": "en"}),
        Example(status=202, fields={"upload": paths.WHOLE_UPLOAD}),
    ),
)
def submit() -> Response:
    """A file, or a finished upload of /files: one job is made of it, however often you ask."""
    parts = services()
    origin = request_origin()
    with parts.in_flight.once(origin):
        writer = parts.blobs.writer()
        with received_upload(
            request,
            writer,
            limit_bytes=parts.settings.max_file_size_bytes,
            # without the size: the body is on the disk already
            check_file=lambda: parts.manager.check_accepts(submitter=origin.submitter),
        ) as received:
            kill_points.reached("after-body")
            if received.filename is None:
                return _accepted(_job_of_upload(received, origin))
            job = parts.manager.submit(
                writer,
                filename=received.filename,
                options=received.form.options(default_model=parts.settings.default_model),
                priority=received.form.job_priority,
                origin=origin,
            )
    return _accepted(job)


def _job_of_upload(received: Received, origin: Origin) -> Job:
    parts = services()
    upload_id = received.form.upload or ""
    wanted = announced(parts.uploads.find(upload_id).metadata)
    form = wanted.form(received.fields)
    return parts.uploads.submit(
        upload_id,
        filename=wanted.filename,
        options=form.options(default_model=parts.settings.default_model),
        priority=form.job_priority,
        origin=origin,
    )


@bp.post("/sample")
@documented(
    "Submit the shipped sample with the demo model",
    headers=KEY_DOCUMENTED,
    answers={202: replies.ACCEPTED},
    errors=(InvalidRequest, NotFound, *COUNTED_ONCE, *NO_ROOM, *SCANNED),
)
def submit_sample() -> Response:
    parts = services()
    origin = request_origin()
    with parts.in_flight.once(origin):
        parts.manager.check_accepts(
            size_bytes=parts.sample.stat().st_size, submitter=origin.submitter
        )
        job = parts.manager.submit_file(
            parts.sample, options=TranscribeOptions(model=parts.demo_model), origin=origin
        )
    return _accepted(job)


@bp.get("")
@documented(
    "List jobs, newest first",
    query=ListQuery,
    answers={200: JobPageShape},
    examples=(
        Example(status=200, query={"limit": 20}),
        Example(status=200, query={"status": ["failed", "cancelled"], "q": "recording"}),
    ),
)
def list_jobs() -> Response:
    query = ListQuery.parse(filter_fields())
    page = services().store.page(
        limit=query.limit,
        before_seq=query.cursor,
        statuses=query.status,
        search=query.q,
        blob_sha256=query.sha256,
    )
    found = JobPageShape(
        jobs=[_shape(job) for job in page.jobs],
        next_cursor=page.next_cursor,
        total=page.total,
    )
    return jsonify(found.json_value())


@bp.get("/changes")
@documented(
    "What happened since a revision",
    query=ChangesQuery,
    headers={"If-None-Match": "The ETag of the answer before."},
    answers={
        200: Reply(shapes=(ChangesShape,), headers={"ETag": "The newest revision."}),
        304: Reply(description="Nothing has happened."),
    },
    examples=(
        Example(status=200, query={"since": 0}),
        Example(status=304, query={"since": 0}, headers={"If-None-Match": "*"}),
    ),
)
def changes() -> Response:
    """One request tells all changes. Begin with `since=0`."""
    query = ChangesQuery.parse(request.args.to_dict())
    return answer_changes(since=query.since, tell=_news)


@bp.post("/bulk")
@documented(
    "Cancel, retry or delete many jobs",
    json=BulkRequest,
    answers={200: BulkShape},
    examples=(
        Example(
            status=200,
            fields={
                "action": "delete",
                "ids": [paths.FAILED_JOB.example, paths.CANCELLED_JOB.example],
            },
        ),
    ),
)
def bulk() -> Response:
    """Each by itself: one that refuses stops no other, and its reason is in the answer."""
    wanted = BulkRequest.parse(json_body())
    return jsonify(change_many(services(), wanted).json_value())


@bp.get("/<job_id>")
@documented("One job", path={"job_id": paths.COMPLETED_JOB}, answers={200: JobDetailShape})
def show(job_id: str) -> Response:
    return jsonify(JobDetailShape.of_detail(services().manager.detail(job_id)).json_value())


@bp.patch("/<job_id>")
@documented(
    "Change the priority of a waiting job",
    path={"job_id": paths.QUEUED_JOB},
    json=JobChange,
    answers={200: JobShape},
    errors=(WrongState,),
    examples=(Example(status=200, fields={"priority": "high"}),),
)
def change(job_id: str) -> Response:
    wanted = JobChange.parse(json_body())
    return jsonify(_json(services().manager.set_priority(job_id, wanted.job_priority)))


@bp.post("/<job_id>/cancel")
@documented(
    "Cancel a job",
    path={"job_id": paths.RUNNING_JOB},
    answers={202: JobShape},
    errors=(WrongState,),
)
def cancel(job_id: str) -> tuple[Response, int]:
    """A waiting job ends at once, a running one within seconds."""
    return jsonify(_json(services().manager.cancel(job_id))), 202


@bp.post("/<job_id>/retry")
@documented(
    "Retry a failed or cancelled job",
    path={"job_id": paths.FAILED_JOB},
    answers={202: JobShape},
    errors=(WrongState, *NO_ROOM, *SCANNED, FileTooLarge),
)
def retry(job_id: str) -> tuple[Response, int]:
    """What was finished is kept."""
    return jsonify(_json(services().manager.retry(job_id))), 202


@bp.delete("/<job_id>")
@documented(
    "Delete an ended job, or cancel a live one",
    path={"job_id": paths.COMPLETED_JOB},
    answers={
        204: Reply(description="The job, its transcript and its audio are removed."),
        202: Reply(description="The job is cancelled and stays in the list.", shapes=(JobShape,)),
    },
    errors=(WrongState,),
    examples=(
        Example(status=204),
        Example(status=202, path={"job_id": paths.RUNNING_JOB.example}),
    ),
)
def delete(job_id: str) -> tuple[Response | str, int]:
    """Cancel a live job (202, it stays in the list), remove one that has ended (204)."""
    manager = services().manager
    if services().store.get(job_id).is_live:
        return jsonify(_json(manager.cancel(job_id))), 202
    manager.delete(job_id)
    return "", 204


def _accepted(job: Job) -> Response:
    response = jsonify(_json(job))
    response.status_code = 202
    response.headers["Location"] = url_for("jobs.show", job_id=job.id)
    return response


def _news(jobs: Sequence[Job], deleted: Sequence[str]) -> dict[str, Any]:
    return {"jobs": [_json(job) for job in jobs], "deleted": list(deleted)}


def _json(job: Job) -> dict[str, Any]:
    return _shape(job).json_value()


def _shape(job: Job) -> JobShape:
    return JobShape.of(job, queue_position=feed().pulse().positions.get(job.id))
