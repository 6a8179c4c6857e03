"""Health and models."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from voice_transcriber import __version__
from voice_transcriber.web.access import is_admitted
from voice_transcriber.web.context import services
from voice_transcriber.web.schemas import ModelShape

bp = Blueprint("ops", __name__)


@bp.get("/health")
def health() -> tuple[Response, int]:
    """200 when jobs can be taken and run, else 503 with the reasons.

    Without the API key, where one is set, only the verdict is told.
    """
    found = services().health()
    body: dict[str, Any] = {"status": "ok" if found.ready else "unavailable"}
    if is_admitted():
        body |= {
            "version": __version__,
            "problems": list(found.problems),
            "details": dict(found.details),
        }
    return jsonify(body), 200 if found.ready else 503


@bp.get("/health/ready")
def ready() -> tuple[Response, int]:
    found = services().health()
    return jsonify(ready=found.ready), 200 if found.ready else 503


@bp.get("/api/v1/models")
def models() -> Response:
    parts = services()
    shapes = [ModelShape.model_validate(model).json_value() for model in parts.models.catalogue()]
    return jsonify(models=shapes, default=parts.settings.default_model)
