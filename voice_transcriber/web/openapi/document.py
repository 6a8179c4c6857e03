"""The whole document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from voice_transcriber import __version__
from voice_transcriber.web.openapi.errors import TOO_LONG, error_responses, errors_of
from voice_transcriber.web.openapi.models import REF, Schema, answer_schemas
from voice_transcriber.web.openapi.operation import Answer, Content, Reply
from voice_transcriber.web.openapi.requests import body, parameters
from voice_transcriber.web.openapi.routes import Route, routes
from voice_transcriber.web.shapes import ProblemShape, Shape

if TYPE_CHECKING:
    from flask import Flask

DESCRIPTION = (
    "Turns recordings into text on your own machine. Times of day are RFC 3339 in UTC, lengths "
    "are seconds. Errors are `application/problem+json` with a stable `code` and a remedy."
)
TAGS = {
    "Jobs": "Submit recordings, follow them, fetch their transcripts.",
    "Files": "Uploads that can be resumed (tus 1.0.0); finished, they become jobs.",
    "Models": "The Whisper models that jobs can use.",
    "Cache": "Results that were computed once and serve again.",
    "Audit": "Who did what.",
    "System": "What the machine and the queue do.",
    "Health": "Whether the server can take jobs and run them.",
}
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The server's API_KEY."},
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same key, where no Authorization header can be sent.",
    },
}


def document(app: Flask, *, needs_key: bool) -> dict[str, Any]:
    """The native API of the application as OpenAPI 3.1."""
    found = list(routes(app))
    schemas = answer_schemas([ProblemShape, *_shapes(found)])
    paths: dict[str, dict[str, Any]] = {}
    for route in found:
        paths.setdefault(route.path, {})[route.method.lower()] = _described(route, schemas)
    components: dict[str, Any] = {"schemas": schemas}
    whole: dict[str, Any] = {
        "openapi": "3.1.1",
        "info": {
            "title": "Voice Transcriber",
            "version": __version__,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [
            {"name": name, "description": text}
            for name, text in TAGS.items()
            if name in {route.tag for route in found}
        ],
        "paths": paths,
        "components": components,
    }
    if needs_key:
        components["securitySchemes"] = SECURITY_SCHEMES
        whole["security"] = [{name: []} for name in SECURITY_SCHEMES]
    return whole


def _shapes(found: Iterable[Route]) -> set[type[Shape]]:
    answers = [answer for route in found for answer in route.operation.answers.values()]
    return {shape for answer in answers if isinstance(answer, Reply) for shape in answer.shapes}


def _described(route: Route, schemas: dict[str, Schema]) -> dict[str, Any]:
    operation = route.operation
    described: dict[str, Any] = {
        "operationId": route.endpoint.replace(".", "_"),
        "tags": [route.tag],
        "summary": operation.summary,
        "description": route.description,
        "parameters": parameters(operation, schemas),
        "requestBody": body(operation, schemas),
        "responses": _responses(route),
    }
    if route.is_open:
        described["security"] = []
    return {key: value for key, value in described.items() if value or key == "security"}


def _responses(route: Route) -> dict[str, Any]:
    answers = {str(code): _response(answer) for code, answer in route.operation.answers.items()}
    failures = error_responses(errors_of(route.operation, route.method, is_open=route.is_open))
    failures |= {"431": TOO_LONG}
    told = answers | {code: made for code, made in failures.items() if code not in answers}
    if route.method == "HEAD":
        return {code: _without_content(response) for code, response in told.items()}
    return told


def _without_content(response: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in response.items() if key != "content"}


def _response(answer: Answer) -> dict[str, Any]:
    response: dict[str, Any] = {"description": answer.description}
    if answer.headers:
        response["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in answer.headers.items()
        }
    if isinstance(answer, Content):
        response["content"] = {kind: {} for kind in answer.types}
    elif answer.shapes:
        response["description"] = answer.description or _told(answer.shapes[0])
        response["content"] = {"application/json": {"schema": _any_of(answer.shapes)}}
    return response


def _told(shape: type[Shape]) -> str:
    return (shape.__doc__ or shape.__name__).split("\n\n")[0]


def _any_of(shapes: Sequence[type[Shape]]) -> Schema:
    references = [{"$ref": REF.format(model=shape.__name__)} for shape in shapes]
    return references[0] if len(references) == 1 else {"anyOf": references}
