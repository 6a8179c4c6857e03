"""Recordings through the app with the engine on CTranslate2."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.recordings import AUDIO, manifest, word_error_rate
from tests.running import ended, running, settings_for, submit
from voice_transcriber.errors import ConfigurationError
from voice_transcriber.job import TranscribeOptions
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings

WORD_ERROR_RATES = {"en_5s.wav": 0.0, "en_30s.flac": 1.2, "de_1min.flac": 1.9}


def settings(tmp_path: Path, **values: str) -> Settings:
    return settings_for(
        tmp_path,
        ENGINE="faster-whisper",
        ENGINE_THREADS="1",  # threads wait for each other where other tests want the cores
        WHISPER_MODEL_DIR=str(tmp_path / "models"),
        **values,
    )


def test_the_text_is_right_and_the_model_is_converted_once(tmp_path: Path) -> None:
    options = TranscribeOptions(model="demo", word_timestamps=True)
    with running(settings(tmp_path)) as services:
        for name, highest_rate in WORD_ERROR_RATES.items():
            job = ended(services, submit(services, AUDIO / name, options=options))
            assert job.error is None
            transcript = services.store.transcript(job.id)
            assert word_error_rate(manifest()[name]["text"], transcript.text) <= highest_rate
            for segment in transcript.segments:
                starts = [word.start_ms for word in segment.words]
                assert starts
                assert all(before <= after for before, after in pairwise(starts))
    (converted,) = (tmp_path / "models").glob("demo.ct2-*/")
    made_ns = (converted / "model.bin").stat().st_mtime_ns
    with running(settings(tmp_path)) as services:
        assert ended(services, submit(services, AUDIO / "en_5s.wav")).error is None
    assert (converted / "model.bin").stat().st_mtime_ns == made_ns


@pytest.mark.parametrize(
    "values", [{"DEVICE": "cpu", "COMPUTE_TYPE": "float16"}, {"DEVICE": "cuda"}], ids=str
)
def test_what_cannot_be_computed_stops_the_start(tmp_path: Path, values: dict[str, str]) -> None:
    wrong = settings(tmp_path, ENABLE_GPU_ACCELERATION="false", **values)
    with pytest.raises(ConfigurationError):
        Services(wrong)
