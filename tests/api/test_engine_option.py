"""A job that names its engine, at the door: what is taken, what is refused, what pages offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.api.conftest import stored_files
from tests.contract.makers import Jobs, transcript_of
from voice_transcriber.engines import offered
from voice_transcriber.job import TranscribeOptions
from voice_transcriber.services import Services

Submit = Callable[..., TestResponse]

ELSEWHERE = {"ENGINE": "remote", "REMOTE_URL": "http://speech.example:8000", "REMOTE_MODEL": "one"}
FAKE = {"ENGINE": "fake"}


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    return getattr(request, "param", {"ENGINE": "openai-whisper"})


@pytest.fixture
def without_ctranslate2(monkeypatch: pytest.MonkeyPatch) -> None:
    packages = cast(dict[str, str], offered.PACKAGES)
    monkeypatch.setitem(packages, "faster-whisper", "no_such_package")


@pytest.mark.parametrize("engine", ["openai-whisper", "faster-whisper"])
def test_the_engine_is_kept_with_the_job(
    submit: Submit, client: FlaskClient, services: Services, engine: str
) -> None:
    answer = submit(model="demo", engine=engine)
    assert (answer.status_code, answer.json["engine"]) == (202, engine)
    options = services.store.get(answer.json["id"]).options
    assert options == TranscribeOptions(model="demo", engine=engine)
    assert client.get(answer.location).json["engine"] == engine


def test_none_and_an_empty_one_mean_the_one_that_is_set(submit: Submit, services: Services) -> None:
    for fields in ({}, {"engine": ""}):
        answer = submit(model="demo", **fields)
        assert (answer.status_code, answer.json["engine"]) == (202, None)


@pytest.mark.parametrize("engine", ["fake", "auto", "remote", "whisper.cpp"])
def test_an_unknown_engine_is_refused_and_nothing_is_kept(
    submit: Submit, services: Services, engine: str
) -> None:
    answer = submit(model="demo", engine=engine)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")
    assert "engine" in answer.json["detail"]
    assert "'openai-whisper' or 'faster-whisper'" in answer.json["detail"]
    assert stored_files(services) == []


@pytest.mark.usefixtures("without_ctranslate2")
def test_an_engine_without_its_package_is_refused_with_a_remedy(
    submit: Submit, services: Services
) -> None:
    answer = submit(model="demo", engine="faster-whisper")
    assert (answer.status_code, answer.json["code"]) == (400, "engine_not_offered")
    assert "no_such_package, which is not installed" in answer.json["detail"]
    assert "pip install" in answer.json["remedy"]
    assert stored_files(services) == []
    assert submit(model="demo", engine="openai-whisper").status_code == 202


@pytest.mark.parametrize("environment", [ELSEWHERE, FAKE], indirect=True, ids=["remote", "fake"])
def test_where_nothing_is_computed_here_a_job_names_no_engine(
    submit: Submit, client: FlaskClient, services: Services
) -> None:
    answer = submit(engine="faster-whisper")
    assert (answer.status_code, answer.json["code"]) == (400, "engine_not_offered")
    assert f"ENGINE is {services.settings.engine}" in answer.json["detail"]
    assert "Leave the engine out" in answer.json["remedy"]
    assert stored_files(services) == []
    assert 'name="engine"' not in client.get("/").text


def options_of(html: str) -> str:
    start = html.index('name="engine"')
    return html[start : html.index("</select>", start)]


def test_the_page_offers_the_engines(client: FlaskClient) -> None:
    found = options_of(client.get("/").text)
    assert "As set: openai-whisper" in found
    assert '<option value="openai-whisper">' in found
    assert '<option value="faster-whisper">' in found


@pytest.mark.usefixtures("without_ctranslate2")
def test_the_page_offers_no_engine_that_is_missing(client: FlaskClient) -> None:
    assert "faster-whisper" not in options_of(client.get("/").text)


def test_the_page_of_a_job_says_what_computed_it(
    client: FlaskClient, jobs: Jobs, services: Services
) -> None:
    claim = jobs.running()
    figures = {"device": "cpu", "compute_type": "int8", "engine": "faster-whisper"}
    services.store.complete(claim, transcript_of("Text."), figures)
    html = client.get(f"/jobs/{claim.job_id}").text
    assert "<dt>Engine</dt><dd>faster-whisper</dd>" in html


def test_the_field_is_described(client: FlaskClient) -> None:
    schemas = client.get("/api/openapi.json").json["components"]["schemas"]
    field = next(
        schema["properties"]["engine"]
        for schema in schemas.values()
        if {"engine", "hotwords"} <= set(schema.get("properties", {}))
    )
    assert "faster-whisper" in str(field)
    assert field["examples"] == ["faster-whisper"]
    assert field["description"]
