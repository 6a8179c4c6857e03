"""Pieces of pages, fetched by the pages' own scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from voice_transcriber.job import Job, JobStatus
from voice_transcriber.transcript.exporters import FORMATS
from voice_transcriber.web.context import feed, services
from voice_transcriber.web.fields import filter_fields
from voice_transcriber.web.polling import answer_changes
from voice_transcriber.web.schemas import ListQuery, RowChangesQuery
from voice_transcriber.web.shapes import time_text
from voice_transcriber.web.system_shapes import HistoryQuery, HistoryShape, SystemShape

bp = Blueprint("ui", __name__, url_prefix="/ui")

PAGE_ROWS = 50
POLL_SYSTEM_MS = 5_000  # there is a new sample as often
MAIN_FORMATS = ("txt", "srt", "json")  # beside the text; the others are one click away
NEWS = frozenset({JobStatus.COMPLETED, JobStatus.FAILED})  # ends that nobody asked for


@bp.get("/changes")
def changes() -> Response:
    query = RowChangesQuery.parse(filter_fields())

    def tell(jobs: Sequence[Job], deleted: Sequence[str]) -> dict[str, Any]:
        left = [job.id for job in jobs if not query.fits(job)]
        return {
            "rows": [_row(job) for job in jobs if query.fits(job)],
            "deleted": [*deleted, *left],
            # whatever the page shows: a job that has ended changes no more, so this is told once
            "ended": [_ended(job) for job in jobs if job.status in NEWS],
        }

    return answer_changes(since=query.since, tell=tell)


@bp.get("/jobs")
def rows() -> Response:
    """The next page of the list, or the first one without `cursor`."""
    query = ListQuery.parse({"limit": PAGE_ROWS, **filter_fields()})
    pulse = feed().pulse()
    page = services().store.page(
        limit=query.limit, before_seq=query.cursor, statuses=query.status, search=query.q
    )
    return jsonify(
        rows=[_row(job) for job in page.jobs],
        next_cursor=page.next_cursor,
        revision=pulse.revision,
        counts=dict(pulse.counts),
    )


@bp.get("/system")
def system() -> Response:
    """The figures now, and those over time that are newer than `since`."""
    query = HistoryQuery.parse(request.args.to_dict())
    history = HistoryShape.of(services(), since=query.since)
    return jsonify(
        revision=history.until,
        html=render_template("_system.html", system=SystemShape.of(services())),
        history=history.json_value(),
        next_poll_ms=POLL_SYSTEM_MS,
    )


@bp.get("/jobs/<job_id>")
def job(job_id: str) -> str:
    return render_template("_job.html", **job_view(job_id))


def job_view(job_id: str) -> dict[str, Any]:
    """What the page of one job shows. Raises NotFound."""
    detail = services().manager.detail(job_id)
    return {
        "job": detail.job,
        "segments": detail.segments,
        "chunks": detail.chunks,
        "position": detail.queue_position,
        "main_formats": MAIN_FORMATS,
        "more_formats": [name for name in FORMATS if name not in MAIN_FORMATS],
    }


def _row(job: Job) -> dict[str, Any]:
    position = feed().pulse().positions.get(job.id)
    html = render_template("_row.html", job=job, position=position)
    return {"id": job.id, "seq": job.seq, "html": html}


def _ended(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "filename": job.filename,
        "status": job.status,
        "finished_at": time_text(job.finished_at),
    }
