"""Wrong keys: the first ones are told so, then the address waits. Sessions go on."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from flask.testing import FlaskClient

from tests.api.test_server import ask, upload_head
from tests.contract.makers import Clock
from voice_transcriber.errors import KeyRequired, TooManyTries
from voice_transcriber.web.keys import TRIES, TRY_COMES_BACK_S, Keys
from voice_transcriber.web.server import Server

KEY = "correct-horse-battery-staple"


@pytest.fixture
def environment() -> dict[str, str]:
    return {"API_KEY": KEY}


def guess(client: FlaskClient, number: int) -> int:
    headers = {"Authorization": f"Bearer guess-number-{number}"}
    return client.get("/api/v1/jobs", headers=headers).status_code


def test_after_the_first_tries_an_address_waits(client: FlaskClient) -> None:
    assert [guess(client, number) for number in range(TRIES)] == [401] * TRIES
    answer = client.get("/api/v1/jobs", headers={"X-API-Key": "one-more-guess"})
    assert (answer.status_code, answer.json["code"]) == (429, "too_many_tries")
    assert 0 < int(answer.headers["Retry-After"]) <= TRY_COMES_BACK_S
    # not even the right one is read: else an answer would tell that it is right
    assert client.get("/api/v1/jobs", headers={"X-API-Key": KEY}).status_code == 429


def test_the_form_and_the_headers_share_the_tries(client: FlaskClient) -> None:
    for number in range(TRIES):
        client.post("/login", data={"key": f"guess-number-{number}"})
    refused = client.post("/login", data={"key": KEY})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"]
    assert "Too many wrong keys" in refused.text
    assert "Set-Cookie" not in refused.headers
    assert guess(client, 99) == 429


def test_one_old_key_takes_nobodys_tries(client: FlaskClient) -> None:
    assert {guess(client, 1) for _ in range(3 * TRIES)} == {401}
    assert client.get("/api/v1/jobs", headers={"X-API-Key": KEY}).status_code == 200


def test_a_session_goes_on(client: FlaskClient) -> None:
    client.post("/login", data={"key": KEY})
    for number in range(2 * TRIES):
        guess(client, number)
    assert client.get("/api/v1/jobs").status_code == 200
    assert client.get("/health").json["status"] == "ok"


def test_another_address_has_its_own_tries(client: FlaskClient) -> None:
    for number in range(2 * TRIES):
        guess(client, number)
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    answer = client.get("/api/v1/jobs", headers={"X-API-Key": KEY}, environ_base=elsewhere)
    assert answer.status_code == 200


def test_a_header_cannot_make_it_another_address(web: httpx.Client) -> None:
    statuses = [
        web.get(
            "/api/v1/jobs",
            headers={
                "X-API-Key": f"guess-number-{number}",
                "X-Forwarded-For": f"192.0.2.{number}",
                "Forwarded": f"for=192.0.2.{number}",
                "X-Real-IP": f"192.0.2.{number}",
            },
        ).status_code
        for number in range(TRIES + 2)
    ]
    assert statuses == [401] * TRIES + [429] * 2


def test_guesses_with_large_bodies_count_too(server: Server) -> None:
    def send(number: int) -> int:
        return ask(server, upload_head(5_000_000, b"X-API-Key: guess-%d\r\n" % number))[0]

    assert [send(number) for number in range(TRIES + 1)] == [401] * TRIES + [429]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wrong() -> list[str]:
    return []


@pytest.fixture
def refusal(clock: Clock, wrong: list[str]) -> Callable[..., object]:
    keys = Keys(KEY, on_wrong=wrong.append, clock=clock)

    def of(given: str, address: str = "192.0.2.7") -> object:
        return keys.refusal(given, address=address)

    return of


def test_tries_come_back_one_by_one(
    clock: Clock, wrong: list[str], refusal: Callable[..., object]
) -> None:
    for number in range(TRIES + 5):
        refusal(f"guess {number}")
    assert isinstance(refusal(KEY), TooManyTries)
    clock.now += TRY_COMES_BACK_S - 1
    assert isinstance(refusal(KEY), TooManyTries)
    clock.now += 1
    assert isinstance(refusal("another guess"), KeyRequired)
    assert isinstance(refusal(KEY), TooManyTries)
    clock.now += TRY_COMES_BACK_S
    assert refusal(KEY) is None
    clock.now += 100 * TRY_COMES_BACK_S
    assert [type(refusal(f"later {n}")) for n in range(TRIES)] == [KeyRequired] * TRIES
    assert isinstance(refusal("later"), TooManyTries)
    assert len(wrong) == 2 * TRIES + 1


def test_a_network_of_ipv6_has_one_address_worth_of_tries(refusal: Callable[..., object]) -> None:
    for number in range(TRIES):
        refusal(f"guess {number}", f"2001:db8:1:2::{number}")
    assert isinstance(refusal(KEY, "2001:db8:1:2:ffff::1"), TooManyTries)
    assert refusal(KEY, "2001:db8:1:3::1") is None


def test_no_key_is_no_guess(refusal: Callable[..., object]) -> None:
    assert [type(refusal("")) for _ in range(3 * TRIES)] == [KeyRequired] * (3 * TRIES)
    assert refusal(KEY) is None


@pytest.mark.parametrize("given", ["schlüssel-mit-umlaut", "\udc80", "\x00" * 100_000])
def test_a_key_may_be_any_text(refusal: Callable[..., object], given: str) -> None:
    assert isinstance(refusal(given), KeyRequired)
