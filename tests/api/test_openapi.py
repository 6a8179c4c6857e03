"""GET /api/openapi.json: it is complete and valid, and what it tells is what the views do."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from werkzeug.test import TestResponse

from tests.api.conftest import SPEECH
from tests.contract.makers import Jobs
from voice_transcriber.app import create_app
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings
from voice_transcriber.submission import NewUpload
from voice_transcriber.web.openapi import paths
from voice_transcriber.web.openapi.operation import Example, operation_of
from voice_transcriber.web.openapi.requests import FILE_FORM, body_type
from voice_transcriber.web.openapi.routes import Route, api_rules, routes, told_methods

UNKNOWN = "no_such_field"


def all_routes() -> list[Route]:
    """Those of the whole application, which has to be built for it."""
    with tempfile.TemporaryDirectory() as folder:
        values = {"DATA_DIR": f"{folder}/data", "WHISPER_MODEL_DIR": f"{folder}/models"}
        settings = Settings.from_mapping(values)
        services = Services(settings)
        try:
            return list(routes(create_app(settings, services)))
        finally:
            services.stop()


ROUTES = all_routes()
EXAMPLES = [(route, example) for route in ROUTES for example in route.operation.examples]
TAKING_FIELDS = [
    route
    for route in ROUTES
    if route.operation.query or route.operation.form or route.operation.json
]


def name_of(value: object) -> str:
    if isinstance(value, Route):
        return f"{value.method} {value.path}"
    return str(value.status) if isinstance(value, Example) else str(value)


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/openapi.json").json
    return found


@pytest.fixture
def seeded(jobs: Jobs, services: Services) -> None:
    """The jobs, the uploads and the model that the examples name."""
    models = services.settings.whisper_model_dir
    models.mkdir(exist_ok=True)
    (models / "tiny.pt").write_bytes(b"a model")
    recording = services.blobs.writer()
    recording.write(SPEECH.read_bytes())
    sha256 = recording.commit().sha256
    jobs.completed(id=paths.COMPLETED_JOB.example, blob_sha256=sha256, filename="talk.wav")
    jobs.failed(id=paths.FAILED_JOB.example)
    jobs.cancelled(id=paths.CANCELLED_JOB.example)
    jobs.running(id=paths.RUNNING_JOB.example)
    jobs.queued(id=paths.QUEUED_JOB.example)
    upload(services, paths.UPLOAD.example)
    upload(services, paths.WHOLE_UPLOAD, SPEECH.read_bytes())


def upload(services: Services, upload_id: str, content: bytes = b"") -> None:
    """With so many bytes of a recording that is longer when there are none."""
    new = NewUpload(
        id=upload_id,
        size_bytes=len(content) or 1000,
        metadata="filename dGFsay5tcDM=",
        submitter=None,
        expires_at=time.time() + 60,
    )
    services._partials.create(upload_id)
    services.store.add_upload(new, max_open=9, max_of_submitter=9)
    services.uploads.append(upload_id, offset_bytes=0, length_bytes=len(content), pieces=[content])


def send(client: FlaskClient, route: Route, example: Example, **changes: Any) -> TestResponse:
    """`changes` go among the fields of the body, or of the query where there is no body."""
    operation = route.operation
    path = {name: given.example for name, given in operation.path.items()} | dict(example.path)
    request: dict[str, Any] = {
        "method": route.method,
        "headers": dict(example.headers),
        "query_string": dict(example.query),
    }
    fields = {**example.fields, **changes}
    if operation.json:
        request["json"] = fields
    elif operation.form:
        has_file = operation.takes_file and "upload" not in fields
        file = {"file": (SPEECH.open("rb"), "talk.wav")} if has_file else {}
        request |= {"data": fields | file, "content_type": body_type(operation)}
    elif operation.body:
        request["data"] = example.body
    else:
        request["query_string"] |= changes
    return client.open(route.path.format_map(path), **request)


def closed(schema: Any) -> Any:
    """The schema, with every field that it does not name forbidden."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: closed(part) for key, part in schema.items()}
    if "properties" in schema and "type" in schema:
        strict.setdefault("additionalProperties", False)
    return strict


def check(answer: TestResponse, route: Route, document: dict[str, Any]) -> None:
    """The answer is one that the document tells, to the last field."""
    described = document["paths"][route.path][route.method.lower()]["responses"]
    response = described[str(answer.status_code)]
    assert set(response.get("headers", {})) - {"Content-Range"} <= set(answer.headers.keys())
    contents = response.get("content", {})
    if not contents:
        assert answer.data == b""
        return
    assert answer.mimetype in contents
    if schema := contents[answer.mimetype].get("schema"):
        components = closed(document["components"])
        Draft202012Validator({**schema, "components": components}).validate(answer.json)


def test_it_is_a_valid_document(document: dict[str, Any]) -> None:
    validate(document)


def test_every_route_of_the_api_is_in_it_and_no_other(app: Flask, document: dict[str, Any]) -> None:
    undeclared = [
        rule.rule
        for rule in api_rules(app)
        if told_methods(rule) and operation_of(app.view_functions[rule.endpoint]) is None
    ]
    assert undeclared == []
    served = {
        (str(rule), method.lower()) for rule in api_rules(app) for method in told_methods(rule)
    }
    told = {
        (path.replace("{", "<").replace("}", ">"), method)
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert told == served


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_it_names_the_variable_parts_of_the_address(route: Route) -> None:
    assert re.findall(r"{(\w+)}", route.path) == list(route.operation.path)


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize(("route", "example"), EXAMPLES, ids=name_of)
def test_an_example_gets_the_answer_that_is_told(
    client: FlaskClient, document: dict[str, Any], route: Route, example: Example
) -> None:
    answer = send(client, route, example)
    assert answer.status_code == example.status, answer.text
    check(answer, route, document)


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("route", TAKING_FIELDS, ids=name_of)
def test_the_fields_told_are_those_that_the_view_takes(
    client: FlaskClient, document: dict[str, Any], route: Route
) -> None:
    answer = send(client, route, route.operation.examples[0], **{UNKNOWN: "1"})
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    check(answer, route, document)
    taken = answer.json["remedy"].split("use one of: ")[1].rstrip(".").split(", ")
    described = document["paths"][route.path][route.method.lower()]
    if body := described.get("requestBody"):
        (content,) = body["content"].values()
        schema = document["components"]["schemas"][content["schema"]["$ref"].split("/")[-1]]
        told = [name for name in schema["properties"] if name != "file"]
    else:
        told = [given["name"] for given in described["parameters"] if given["in"] == "query"]
    assert told == taken


@pytest.mark.parametrize("route", [route for route in ROUTES if route.operation.path], ids=name_of)
def test_what_is_not_there_is_told_as_the_document_says(
    client: FlaskClient, document: dict[str, Any], route: Route
) -> None:
    first = next(iter(route.operation.path))
    answer = send(client, route, replace(route.operation.examples[0], path={first: "nobody"}))
    assert answer.status_code in {400, 404}
    assert route.method == "HEAD" or answer.json["code"] in {"not_found", "unknown_model"}
    check(answer, route, document)


def test_an_example_in_the_document_fits_its_schema(document: dict[str, Any]) -> None:
    components = document["components"]
    for methods in document["paths"].values():
        for described in methods.values():
            for schema, example in shown_examples(described):
                Draft202012Validator({**schema, "components": components}).validate(example)


def shown_examples(described: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    for given in described.get("parameters", ()):
        if "example" in given:
            yield given["schema"], given["example"]
    for kind, content in described.get("requestBody", {}).get("content", {}).items():
        if "example" in content:  # a file cannot be shown in one
            file = {"file": ""} if kind == FILE_FORM else {}
            yield content["schema"], content["example"] | file
    for response in described["responses"].values():
        for content in response.get("content", {}).values():
            for example in content.get("examples", {}).values():
                yield content["schema"], example["value"]
