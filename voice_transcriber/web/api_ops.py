"""Health."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from voice_transcriber import __version__
from voice_transcriber.web.access import is_admitted
from voice_transcriber.web.context import services
from voice_transcriber.web.envelopes import (
    HealthDetailShape,
    HealthShape,
    ReadyShape,
)
from voice_transcriber.web.openapi.operation import Reply, documented

bp = Blueprint("ops", __name__)


@bp.get("/health")
@documented(
    "Whether jobs can be taken and run",
    answers={
        200: Reply(description="They can.", shapes=(HealthDetailShape, HealthShape)),
        503: Reply(description="They cannot.", shapes=(HealthDetailShape, HealthShape)),
    },
)
def health() -> tuple[Response, int]:
    """Without the API key, where one is set, only the verdict is told."""
    found = services().health()
    verdict = HealthShape(status="ok" if found.ready else "unavailable")
    if is_admitted():
        verdict = HealthDetailShape(
            status=verdict.status,
            version=__version__,
            problems=found.problems,
            details=found.details,
        )
    return jsonify(verdict.json_value()), 200 if found.ready else 503


@bp.get("/health/ready")
@documented(
    "The verdict alone",
    answers={
        200: Reply(description="Ready.", shapes=(ReadyShape,)),
        503: Reply(description="Not ready.", shapes=(ReadyShape,)),
    },
)
def ready() -> tuple[Response, int]:
    found = services().health()
    return jsonify(ReadyShape(ready=found.ready).json_value()), 200 if found.ready else 503
