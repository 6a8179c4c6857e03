"""What an operation takes: parameters of path, query and headers, and a body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voice_transcriber.web.openapi.models import REF, Schema, request_schema, sendable
from voice_transcriber.web.openapi.operation import Example, Operation, PathParameter

FORM = "application/x-www-form-urlencoded"
FILE_FORM = "multipart/form-data"


def parameters(operation: Operation, schemas: dict[str, Schema]) -> list[dict[str, Any]]:
    """`schemas` is given what the parameters refer to."""
    example = operation.examples[0]
    path = [
        _path_parameter(name, given, example.path.get(name, given.example))
        for name, given in operation.path.items()
    ]
    headers = [
        {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
        for name, text in operation.headers.items()
    ]
    return [*path, *_query(operation, example, schemas), *headers]


def _path_parameter(name: str, given: PathParameter, example: str) -> dict[str, Any]:
    schema: Schema = {"type": "string"}
    if given.choices:
        schema["enum"] = list(given.choices)
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": given.description,
        "schema": schema,
        "example": example,
    }


def _query(
    operation: Operation, example: Example, schemas: dict[str, Schema]
) -> Iterator[dict[str, Any]]:
    if operation.query is None:
        return
    schema, definitions = request_schema(operation.query)
    schemas.update(definitions)
    required = schema.get("required", ())
    for name, field in sendable(schema["properties"]):
        parameter: dict[str, Any] = {"name": name, "in": "query", "required": name in required}
        if "description" in field:
            parameter["description"] = field.pop("description")
        parameter["schema"] = field
        if name in example.query:
            parameter["example"] = example.query[name]
        yield parameter


def body(operation: Operation, schemas: dict[str, Schema]) -> dict[str, Any] | None:
    """`schemas` is given the model of the body, and what that refers to."""
    if operation.body:
        return {"content": {operation.body: {}}}
    model = operation.form or operation.json
    if model is None:
        return None
    schema, definitions = request_schema(model)
    if operation.form:
        schema["properties"] = dict(sendable(schema["properties"]))
    if operation.takes_file:
        schema["properties"] = {"file": FILE, **schema["properties"]}
    schemas.update(definitions | {model.__name__: schema})
    content: dict[str, Any] = {"schema": {"$ref": REF.format(model=model.__name__)}}
    if fields := operation.examples[0].fields:
        content["example"] = dict(fields)
    return {"required": True, "content": {body_type(operation): content}}


FILE = {
    "type": "string",
    "format": "binary",
    "description": "The recording, if no `upload` is named.",
}


def body_type(operation: Operation) -> str:
    if operation.json:
        return "application/json"
    return FILE_FORM if operation.takes_file else FORM
