"""Pieces of pages, fetched by the pages' own scripts."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from voice_transcriber.job import Job
from voice_transcriber.transcript.exporters import FORMATS
from voice_transcriber.web.context import feed, services
from voice_transcriber.web.polling import answer_changes
from voice_transcriber.web.schemas import ChangesQuery, ListQuery

bp = Blueprint("ui", __name__, url_prefix="/ui")

PAGE_ROWS = 50
MAIN_FORMATS = ("txt", "srt", "json")  # beside the text; the others are one click away


@bp.get("/changes")
def changes() -> Response:
    query = ChangesQuery.parse(request.args.to_dict())
    return answer_changes(since=query.since, key="rows", show=_row)


@bp.get("/jobs")
def rows() -> Response:
    """The next page of the list, or the first one without `cursor`."""
    query = ListQuery.parse(request.args.to_dict())
    revision = feed().pulse().revision
    page = services().store.page(limit=PAGE_ROWS, before_seq=query.cursor)
    return jsonify(
        rows=[_row(job) for job in page.jobs], next_cursor=page.next_cursor, revision=revision
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
        "position": detail.queue_position,
        "main_formats": MAIN_FORMATS,
        "more_formats": [name for name in FORMATS if name not in MAIN_FORMATS],
    }


def _row(job: Job) -> dict[str, Any]:
    position = feed().pulse().positions.get(job.id)
    html = render_template("_row.html", job=job, position=position)
    return {"id": job.id, "seq": job.seq, "html": html}
