"""The page of the models, and what its script asks for; the picker on the first page"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.contract.makers import Jobs, transcript_of
from voice_transcriber.services import Services


@pytest.fixture
def folder(services: Services) -> Path:
    folder = services.settings.whisper_model_dir
    folder.mkdir()
    return folder


def card(html: str, name: str) -> str:
    found = re.search(rf'<li class="model" data-key="{re.escape(name)}".*?</li>', html, re.DOTALL)
    assert found is not None
    return found[0]


def test_each_file_is_shown_once_with_its_names(client: FlaskClient) -> None:
    html = client.get("/models").text
    assert "also large" in card(html, "large-v3")
    assert "also turbo" in card(html, "large-v3-turbo")
    assert 'data-key="large"' not in html
    assert "default" in card(html, "demo")


def test_buttons_fit_the_state(client: FlaskClient, folder: Path) -> None:
    (folder / "base.pt").write_bytes(b"a model")
    (folder / "small.pt.part").write_bytes(bytes(200_000_000 // 1000))
    html = client.get("/models").text
    assert re.findall(r'data-action="(\w+)"', card(html, "demo")) == []
    assert re.findall(r'data-action="(\w+)"', card(html, "tiny")) == ["download"]
    assert re.findall(r'data-action="(\w+)"', card(html, "base")) == ["delete"]
    assert re.findall(r'data-action="(\w+)"', card(html, "small")) == ["download", "delete"]
    assert "Resume" in card(html, "small")
    assert "200 kB of 484 MB are here" in card(html, "small")


def test_a_name_cannot_write_the_page(client: FlaskClient, folder: Path) -> None:
    (folder / "<b>.pt").write_bytes(b"a model")
    assert "<b>" not in client.get("/models").text


def test_a_speed_is_told_in_words(client: FlaskClient, services: Services, jobs: Jobs) -> None:
    assert "speed not measured yet" in card(client.get("/models").text, "demo")
    services.store.complete(jobs.running(), transcript_of("Text."), {"own_s": 1.0, "audio_s": 10.0})
    assert "an hour takes about 6 min" in card(client.get("/models").text, "demo")
    assert "An hour takes about 6 min here." in client.get("/").text


def test_what_has_not_changed_is_not_sent_again(client: FlaskClient, folder: Path) -> None:
    first = client.get("/ui/models")
    page = client.get("/models").text
    assert f'data-revision="{first.json["revision"]}"' in page
    headers = {"If-None-Match": first.headers["ETag"]}
    (folder / "mine.pt").write_bytes(b"a model")
    changed = client.get("/ui/models", headers=headers)
    assert changed.status_code == 200
    assert 'data-key="mine"' in changed.json["html"]
    assert changed.json["revision"] != first.json["revision"]
