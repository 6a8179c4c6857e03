"""The GPU's state."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from voice_transcriber.web.context import services
from voice_transcriber.web.gpu_shapes import GpuStatusShape
from voice_transcriber.web.openapi.operation import documented

bp = Blueprint("gpu", __name__)


@bp.get("/api/gpu-status")
@documented("What is computed on, and why", answers={200: GpuStatusShape})
def gpu_status() -> Response:
    return jsonify(GpuStatusShape.of(services()).json_value())
