"""Recordings through the app with the engine that measures what is fastest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packages import need_openvino
from tests.recordings import AUDIO, manifest, word_error_rate
from tests.running import DEMO, ended, running, settings_for, submit
from voice_transcriber.engines.auto.kept import choices_of
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.errors import ConfigurationError
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings


def settings(tmp_path: Path, **values: str) -> Settings:
    return settings_for(
        tmp_path,
        ENGINE="auto",
        ENABLE_CACHE="false",
        ENABLE_GPU_ACCELERATION="false",
        ENGINE_THREADS="1",  # threads wait for each other where other tests want the cores
        **values,
    )


def test_a_choice_is_made_once_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread, so that it is measured although other tests have the cores."""
    monkeypatch.setattr(
        "voice_transcriber.engines.auto.measuring.is_contended", lambda _before, _now: False
    )
    folder = tmp_path / "models"
    in_thread = settings(tmp_path, ENGINE_ISOLATION="thread", ENCODER="own")
    with running(in_thread) as services:
        assert services.library.model("demo").measured is None
        job = ended(services, submit(services, AUDIO / "en_5s.wav", options=DEMO))
        assert job.error is None
        text = services.store.transcript(job.id).text
        assert word_error_rate(manifest()["en_5s.wav"]["text"], text) == 0.0
        measured = services.library.model("demo").measured
        assert measured is not None
        choice = measured.choice
        assert job.performance is not None
        assert job.performance["engine"] == choice.decoder.engine
        assert job.performance["compute_type"] == choice.decoder.compute_type
        assert job.performance["encoder"] == choice.encoder
        assert any(choice.uses(figure) and figure.decode_s for figure in measured.figures)
        assert measured.figures[0].differing_percent == 0.0
        assert "for 30 s of speech" in choice.reason
    (kept,) = choices_of(DEMO_FILE, folder)
    made_ns = kept.stat().st_mtime_ns
    with running(in_thread) as services:
        assert services.library.model("demo").measured == measured
        assert ended(services, submit(services, AUDIO / "en_5s.wav", options=DEMO)).error is None
    assert kept.stat().st_mtime_ns == made_ns


def test_settings_that_leave_no_choice_are_followed(tmp_path: Path) -> None:
    asked = settings(tmp_path, COMPUTE_TYPE="int8", ENCODER="own")
    with running(asked) as services:
        job = ended(services, submit(services, AUDIO / "en_5s.wav", options=DEMO))
    assert job.performance is not None
    found = [job.performance[name] for name in ("engine", "compute_type", "encoder")]
    assert found == ["faster-whisper", "int8", "own"]


def test_an_encoder_may_be_asked_for_by_name(tmp_path: Path) -> None:
    need_openvino()
    asked = settings_for(tmp_path, ENGINE="faster-whisper", ENCODER="openvino", ENGINE_THREADS="1")
    with running(asked) as services:
        job = ended(services, submit(services, AUDIO / "en_5s.wav", options=DEMO))
        text = services.store.transcript(job.id).text
    assert job.performance is not None
    assert job.performance["encoder"] == "openvino"
    assert word_error_rate(manifest()["en_5s.wav"]["text"], text) == 0.0


def test_what_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ENCODER"):
        Services(settings_for(tmp_path, ENGINE="fake", ENCODER="openvino"))


def test_openvino_reports_to_nobody() -> None:
    """Its tools would, over the network, as soon as they are imported."""
    need_openvino()
    program = """
import sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        print(event, arguments)
sys.addaudithook(watch)
from voice_transcriber.engines.encoders.openvino_package import openvino
import torch
package = openvino()
package.convert_model(torch.nn.Linear(2, 2), example_input=torch.zeros(1, 2))
print(sorted(name for name in sys.modules if name.startswith("openvino_telemetry.")))
"""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "[]\n"
