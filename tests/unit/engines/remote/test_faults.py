"""What each refusal of a server means."""

from __future__ import annotations

import json

import pytest

from voice_transcriber.engines.remote.faults import FormRefused, TryAgain, refusal
from voice_transcriber.engines.remote.options import RemoteOptions, models_from
from voice_transcriber.errors import RemoteRefused, RemoteTooLarge, TranscriberError

OPTIONS = RemoteOptions(
    url="https://speech.example:8443/api",
    key="sk-hidden",
    models=models_from(["base=one", "two"]),
    max_bytes=25_000_000,
    parallel=4,
    timeout_s=1,
    connect_timeout_s=1,
)


def of(status: int, message: object = "", **headers: str) -> Exception:
    body = json.dumps({"error": {"message": message, "code": None}}).encode()
    return refusal(status, headers, body, OPTIONS)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 529])
def test_what_passes(status: int) -> None:
    assert isinstance(of(status), TryAgain)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (413, ""),
        (400, "Maximum content size limit (26214400) exceeded"),
        (400, "audio duration 1500 seconds is longer than 1400 seconds"),
        (422, "The file is too large"),
    ],
)
def test_what_is_too_large(status: int, message: str) -> None:
    assert isinstance(of(status, message), RemoteTooLarge)


@pytest.mark.parametrize(
    "message",
    [
        "response_format 'verbose_json' is not compatible with model 'x'. Use 'json'.",
        "timestamp_granularities is not supported",
    ],
)
def test_a_form_that_the_server_lacks(message: str) -> None:
    assert isinstance(of(400, message), FormRefused)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 410, 422])
def test_what_stays(status: int) -> None:
    error = of(status, "No.")
    assert isinstance(error, RemoteRefused)
    assert str(status) in error.message
    assert error.message.startswith("speech.example:8443 answered")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[1]", b'{"error": "sk-hidden"}', b'{"detail": [{"msg": "sk-hidden"}]}'],
)
def test_the_answer_may_have_any_shape_and_the_key_is_never_told(body: bytes) -> None:
    error = refusal(401, {}, body, OPTIONS)
    assert isinstance(error, TranscriberError)
    assert "hidden" not in error.message


def test_what_the_server_says_is_one_short_line() -> None:
    error = of(404, "a\n\x1b[31mb\u202e" + "x" * 1000)
    assert isinstance(error, RemoteRefused)
    assert "answered 404: a [31mb x" in error.message
    assert len(error.message) < 300
    assert error.message.isprintable()


def test_the_wait_that_the_server_asks_for() -> None:
    fault = refusal(429, {"Retry-After": "12"}, b"", OPTIONS)
    assert isinstance(fault, TryAgain)
    assert fault.wait_s == 12


def test_names_of_models_and_of_the_server() -> None:
    assert (OPTIONS.model("base"), OPTIONS.model("small")) == ("one", "two")
    assert OPTIONS.api == "https://speech.example:8443/api/v1"
    assert "hidden" not in repr(OPTIONS)
