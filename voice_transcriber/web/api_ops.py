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
from voice_transcriber.web.shapes import Shape

RETRY_AFTER_S = 15

bp = Blueprint("ops", __name__)

_LATER = {"Retry-After": "Seconds to wait."}


@bp.get("/health")
@documented(
    "Whether jobs can be taken and run",
    answers={
        200: Reply(description="They can.", shapes=(HealthDetailShape, HealthShape)),
        503: Reply(
            description="They cannot.", shapes=(HealthDetailShape, HealthShape), headers=_LATER
        ),
    },
)
def health() -> Response:
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
    return _told(verdict, ready=found.ready)


@bp.get("/health/ready")
@documented(
    "The verdict alone",
    answers={
        200: Reply(description="Ready.", shapes=(ReadyShape,)),
        503: Reply(description="Not ready.", shapes=(ReadyShape,), headers=_LATER),
    },
)
def ready() -> Response:
    found = services().health()
    return _told(ReadyShape(ready=found.ready), ready=found.ready)


def _told(verdict: Shape, *, ready: bool) -> Response:
    response = jsonify(verdict.json_value())
    if not ready:
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response
