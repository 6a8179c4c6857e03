"""The system's figures."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from voice_transcriber.web.context import services
from voice_transcriber.web.openapi.operation import Example, documented
from voice_transcriber.web.system_shapes import HistoryQuery, HistoryShape, SystemShape

bp = Blueprint("system", __name__, url_prefix="/api/v1/system")


@bp.get("")
@documented("The machine, the queue and the engine now", answers={200: SystemShape})
def now() -> Response:
    return jsonify(SystemShape.of(services()).json_value())


@bp.get("/history")
@documented(
    "The figures of the last hour",
    query=HistoryQuery,
    answers={200: HistoryShape},
    examples=(Example(status=200, query={"since": 0}),),
)
def history() -> Response:
    query = HistoryQuery.parse(request.args.to_dict())
    return jsonify(HistoryShape.of(services(), since=query.since).json_value())
