"""What ENGINE=auto chose: in the list of the models, and on their page."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from voice_transcriber.engines.auto.kept import keep_choice
from voice_transcriber.engines.auto.parts import basis_of, candidates
from voice_transcriber.engines.auto.records import Choice, DecoderPart, Figure, Measured
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.services import Services

INT8 = DecoderPart(engine="faster-whisper", compute_type="int8")
REASON = "faster-whisper int8 with the encoder openvino needs 0.61 s for 30 s of speech."


@pytest.fixture
def environment() -> dict[str, str]:
    return {"ENGINE": "auto", "ENGINE_THREADS": "2", "ENABLE_GPU_ACCELERATION": "false"}


@pytest.fixture
def measured(services: Services) -> Measured:
    parts = candidates("cpu", compute_type="auto", encoder="auto", threads=[2])
    state = DEMO_FILE.stat()
    kept = Measured(
        basis=basis_of("cpu", parts),
        checkpoint_sha256="",
        checkpoint_bytes=state.st_size,
        checkpoint_mtime_ns=state.st_mtime_ns,
        at=1_795_000_000.0,
        took_s=9.5,
        choice=Choice(decoder=INT8, encoder="openvino", threads=2, reason=REASON),
        figures=[
            Figure(decoder=INT8, decode_s=0.51, differing_percent=1.2, note="broken <off>"),
            Figure(encoder="openvino", encode_s=0.1),
        ],
    )
    keep_choice(services.settings.whisper_model_dir, DEMO_FILE, kept)
    return kept


def test_the_list_tells_choice_and_figures(client: FlaskClient, measured: Measured) -> None:
    found = {model["name"]: model for model in client.get("/api/v1/models").json["models"]}
    assert found["base"]["measured"] is None
    told = found["demo"]["measured"]
    assert told["engine"] == "faster-whisper"
    assert told["compute_type"] == "int8"
    assert told["encoder"] == "openvino"
    assert told["threads"] == 2
    assert told["reason"] == REASON
    assert told["machine"] == measured.basis.machine
    assert told["measured_at"].endswith("Z")
    assert [one["chosen"] for one in told["candidates"]] == [True, True]
    assert told["candidates"][0]["decode_s"] == 0.51
    assert told["candidates"][1]["decode_s"] is None


def test_the_page_shows_them(client: FlaskClient, measured: Measured) -> None:
    html = client.get("/models").text
    assert "Computed by faster-whisper int8 with the encoder openvino" in html
    assert "broken &lt;off&gt;" in html
    assert re.search(r"<td>0\.10</td>\s*<td></td>", html)
    assert "1.2 %" in html


def test_nothing_is_shown_that_was_not_measured(client: FlaskClient) -> None:
    assert "Computed by" not in client.get("/models").text
