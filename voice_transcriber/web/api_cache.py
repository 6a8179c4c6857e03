"""The result cache over the native API."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from voice_transcriber.errors import DiskFull, NotFound, ShuttingDown
from voice_transcriber.web.cache_shapes import CacheShape, ForgottenShape
from voice_transcriber.web.context import services
from voice_transcriber.web.openapi import paths
from voice_transcriber.web.openapi.operation import documented

bp = Blueprint("api_cache", __name__, url_prefix="/api/v1/cache")


@bp.get("")
@documented("What the result cache holds, and how often it helped", answers={200: CacheShape})
def show() -> Response:
    return jsonify(CacheShape.of(services().results).json_value())


@bp.delete("")
@documented(
    "Forget all kept results",
    answers={200: ForgottenShape},
    errors=(DiskFull, ShuttingDown),
)
def clear() -> Response:
    """Jobs keep their transcripts. What is submitted again is computed again."""
    return jsonify(ForgottenShape(removed=services().results.clear()).json_value())


@bp.delete("/<job_id>")
@documented(
    "Forget the kept results of one recording",
    path={"job_id": paths.COMPLETED_JOB},
    answers={200: ForgottenShape},
    errors=(NotFound, DiskFull, ShuttingDown),
)
def forget(job_id: str) -> Response:
    """All that is known of the job's recording, under whatever options. Jobs keep their
    transcripts.
    """
    job = services().store.get(job_id)
    removed = services().results.forget_recording(job.blob_sha256)
    return jsonify(ForgottenShape(removed=removed).json_value())
