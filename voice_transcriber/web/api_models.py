"""The models over the native API."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from voice_transcriber.errors import (
    NotFound,
    Offline,
    ShuttingDown,
    UnknownModel,
    WrongState,
)
from voice_transcriber.web.context import services
from voice_transcriber.web.model_shapes import DeleteQuery, ModelListShape, ModelShape
from voice_transcriber.web.openapi import paths
from voice_transcriber.web.openapi.operation import Example, Reply, documented

bp = Blueprint("api_models", __name__, url_prefix="/api/v1/models")

NAME = {"name": paths.MODEL}


@bp.get("")
@documented("List the models", answers={200: ModelListShape})
def list_models() -> Response:
    return jsonify(ModelListShape.of(services()).json_value())


@bp.post("/<name>/download")
@documented(
    "Download a model",
    path=NAME,
    answers={
        202: Reply(description="It is on its way; the list tells how far.", shapes=(ModelShape,)),
        200: Reply(description="It is on this machine already.", shapes=(ModelShape,)),
    },
    errors=(UnknownModel, Offline, WrongState, ShuttingDown),
    examples=(Example(status=200),),
)
def download(name: str) -> tuple[Response, int]:
    """What came of an earlier try is not loaded again. Jobs that need the model share the
    download.
    """
    model = ModelShape.of(services().library.download(name))
    return jsonify(model.json_value()), 200 if model.present else 202


@bp.delete("/<name>/download")
@documented(
    "Cancel a download",
    path=NAME,
    answers={200: ModelShape},
    errors=(UnknownModel, WrongState),
    examples=(Example(status=409),),
)
def cancel(name: str) -> Response:
    """What came is kept, and the next download goes on from there. It goes on now while jobs wait
    for the same file.
    """
    return jsonify(ModelShape.of(services().library.cancel(name)).json_value())


@bp.delete("/<name>")
@documented(
    "Delete a model's file",
    path=NAME,
    query=DeleteQuery,
    answers={204: Reply(description="It is gone.")},
    errors=(UnknownModel, NotFound, WrongState),
)
def delete(name: str) -> tuple[str, int]:
    """A model that is in memory, or that a waiting or running job needs, is not deleted."""
    query = DeleteQuery.parse(request.args.to_dict())
    services().library.delete(name, own=query.own)
    return "", 204
