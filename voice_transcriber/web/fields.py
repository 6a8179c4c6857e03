"""What a request says, as plain values for the models of web.schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from voice_transcriber.errors import InvalidRequest


def listed(fields: MultiDict[str, str], name: str) -> tuple[str, ...]:
    """`name=a&name=b` and `name=a,b` mean the same, and each value counts once."""
    values = [value for text in fields.getlist(name) for value in text.split(",") if value]
    return tuple(dict.fromkeys(values))


def filter_fields() -> dict[str, Any]:
    """The query, for a model with schemas.Filter's fields."""
    return {**request.args.to_dict(), "status": listed(request.args, "status")}


def json_body() -> Mapping[str, Any]:
    """The body's JSON object, whatever type it was sent under. Raises InvalidRequest."""
    try:
        body = request.get_json(force=True)
    except BadRequest as error:
        raise _no_object() from error
    if not isinstance(body, dict):
        raise _no_object()
    return body


def _no_object() -> InvalidRequest:
    return InvalidRequest(
        "The body is not a JSON object.", remedy='Send an object such as {"priority": "high"}.'
    )
