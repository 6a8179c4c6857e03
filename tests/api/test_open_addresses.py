"""Every address of the application: what opens without the key, what a foreign host gets."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from voice_transcriber.web.access import OPEN_ENDPOINTS
from voice_transcriber.web.auth import SAFE_METHODS

KEY = "correct-horse-battery-staple"
OPEN = {
    ("static", "GET"),
    ("pages.login", "GET"),
    ("pages.sign_in", "POST"),
    ("ops.health", "GET"),
    ("ops.ready", "GET"),
}


@pytest.fixture
def environment() -> dict[str, str]:
    return {"API_KEY": KEY}


def requests_of(app: Flask) -> list[tuple[Rule, str, str]]:
    """Each rule, each method, and an address that the rule matches."""
    found = []
    for rule in app.url_map.iter_rules():
        address = re.sub(r"<(?:\w+:)?(\w+)>", "x", rule.rule)
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            found.append((rule, method, address))
    assert len(found) > 40
    return found


def test_no_address_but_those_told_opens_without_the_key(app: Flask, client: FlaskClient) -> None:
    opened = set()
    for rule, method, address in requests_of(app):
        answer = client.open(address, method=method)
        is_sent_to_sign_in = answer.status_code == 302 and "/login?" in answer.location
        if answer.status_code != 401 and not is_sent_to_sign_in:
            opened.add((rule.endpoint, method))
        assert answer.status_code < 500
    # signing in with no key at all is refused with the form, which says 401 as well
    assert opened | {("pages.sign_in", "POST")} == OPEN
    assert {endpoint for endpoint, _ in OPEN} == OPEN_ENDPOINTS


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_nor_by_another_method(app: Flask, client: FlaskClient, method: str) -> None:
    for rule, _, address in requests_of(app):
        if rule.endpoint in OPEN_ENDPOINTS or method not in (rule.methods or set()):
            continue
        answer = client.open(address, method=method)
        assert answer.status_code in {302, 401}, address
        assert answer.data == b"" or answer.status_code == 302 or b"key_required" in answer.data


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil.example", "[::2]"]
)
def test_a_foreign_host_gets_nothing_anywhere(app: Flask, client: FlaskClient, host: str) -> None:
    key = {"X-API-Key": KEY, "Host": host}
    for _, method, address in requests_of(app):
        answer = client.open(address, method=method, headers=key)
        assert (answer.status_code, answer.json["code"]) == (421, "host_not_allowed"), address
    nowhere = client.get("/no/such/address", headers=key)
    assert nowhere.status_code == 421


@pytest.mark.parametrize(
    "host", ["localhost:9999", "LOCALHOST", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:5001"]
)
def test_this_machine_by_any_port_is_no_foreign_host(client: FlaskClient, host: str) -> None:
    """The port is not compared: behind a tunnel or a port mapping it is another one."""
    assert client.get("/health", headers={"Host": host}).status_code == 200
    assert client.get("/static/css/no-such.css", headers={"Host": host}).status_code == 404


def test_a_key_does_not_open_a_get_that_changes(app: Flask) -> None:
    """No view that changes something can be asked for with a safe method."""
    changing = {
        rule.endpoint for rule in app.url_map.iter_rules() if (rule.methods or set()) - SAFE_METHODS
    }
    safe = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or set())}
    assert changing & safe == set()


def test_no_address_lets_another_site_read(app: Flask, client: FlaskClient) -> None:
    for _, method, address in requests_of(app):
        headers = {"X-API-Key": KEY, "Origin": "https://evil.example"}
        answer = client.open(address, method=method, headers=headers)
        assert "Access-Control-Allow-Origin" not in answer.headers
