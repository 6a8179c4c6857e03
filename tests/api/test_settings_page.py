"""The page of the settings."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient

from voice_transcriber.settings import SETTING_GROUPS, SETTINGS

KEY = "a-key-that-nobody-may-see"


@pytest.fixture
def environment() -> dict[str, str]:
    return {"API_KEY": KEY, "WORKERS": "7", "MAX_DURATION": "90m", "ALLOWED_HOSTS": "a.example"}


@pytest.fixture
def page(client: FlaskClient) -> str:
    answer = client.get("/settings", headers={"X-API-Key": KEY})
    assert answer.status_code == 200
    return html.unescape(answer.text)


def row(page: str, name: str) -> str:
    """The words of one setting."""
    (found,) = re.findall(rf'<li class="setting[^>]* id="{name}">(.*?)</li>', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def test_every_setting_is_shown_with_its_help(page: str) -> None:
    for setting in SETTINGS:
        assert row(page, setting.name).startswith(f"{setting.name} {setting.help}")


def test_every_group_has_its_heading(page: str) -> None:
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page) == list(SETTING_GROUPS)


def test_the_key_is_never_shown(page: str) -> None:
    assert KEY not in page
    assert row(page, "API_KEY").endswith("set from the environment default: not set")


def test_a_given_value_shows_its_variable_and_the_default(page: str) -> None:
    assert row(page, "MAX_CONCURRENT_JOBS").endswith(
        "7 from the environment, as WORKERS default: 3"
    )
    assert row(page, "MAX_DURATION").endswith("1 h 30 min from the environment default: 24 h")
    assert row(page, "ALLOWED_HOSTS").endswith("a.example from the environment default: not set")


def test_a_default_says_so(page: str) -> None:
    assert row(page, "MAX_FILE_SIZE").endswith("500 MB default")
    assert row(page, "AUDIO_OPTIMIZATION").endswith("on default")
    assert row(page, "RETENTION_DAYS").endswith("0 default")
    assert row(page, "TRANSCRIPTIONS_DIR").endswith("not set default")


def test_what_was_given_is_listed_first(page: str) -> None:
    (lead,) = re.findall(r"Set on this server:(.*?)All others", page, re.DOTALL)
    given = set(re.findall(r'href="#([A-Z_]+)"', lead))
    assert {"API_KEY", "MAX_CONCURRENT_JOBS", "MAX_DURATION", "ALLOWED_HOSTS"} <= given
    assert "HOST" not in given


def test_the_key_opens_it(client: FlaskClient) -> None:
    assert client.get("/settings").status_code == 302
    assert client.get("/system").status_code == 302
