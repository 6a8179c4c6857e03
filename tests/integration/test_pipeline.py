"""Real recordings through the real engine: the text is right, whatever it comes in.

Chunks are short (60 s), so every file of more than a minute has borders to lose words at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests import media
from tests.recordings import AUDIO, manifest, word_error_rate, words
from tests.running import DEMO, ended, running, settings_for, submit
from voice_transcriber.engines.protocol import ModelKey
from voice_transcriber.job import Job, TranscribeOptions
from voice_transcriber.services import Services
from voice_transcriber.transcript.model import Transcript

Transcribe = Callable[..., Transcript]

# Highest word error rate in percent: what was measured, and a little room.
WORD_ERROR_RATES = {
    "en_5s.wav": 0.0,
    "en_30s.flac": 1.2,
    "noisy_1min.flac": 1.3,
    "quiet_1min.flac": 1.3,
    "de_1min.flac": 1.3,
    "es_1min.flac": 2.6,
    "gaps_4min.opus": 1.5,
    "en_5min.opus": 1.5,
}
LANGUAGES = {"en_30s.flac": "en", "de_1min.flac": "de", "es_1min.flac": "es"}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    settings = settings_for(
        tmp_path_factory.mktemp("pipeline"),
        ENGINE="openai-whisper",
        ENGINE_THREADS="1",  # threads wait for each other where other tests want the cores
        AUDIO_CHUNK_SIZE="60",
        AUDIO_OPTIMIZATION="true",
    )
    with running(settings) as services:
        yield services


@pytest.fixture(scope="module")
def run(services: Services) -> Callable[..., Job]:
    """The completed job of a file; each file is transcribed once with the same options."""
    jobs: dict[tuple[Path, TranscribeOptions], Job] = {}

    def once(path: Path, options: TranscribeOptions = DEMO) -> Job:
        if (path, options) not in jobs:
            jobs[path, options] = ended(services, submit(services, path, options=options))
        assert jobs[path, options].error is None
        return jobs[path, options]

    return once


@pytest.fixture(scope="module")
def transcribe(services: Services, run: Callable[..., Job]) -> Transcribe:
    return lambda path, **options: services.store.transcript(
        run(path, TranscribeOptions(model="demo", **options)).id
    )


@pytest.mark.parametrize("name", WORD_ERROR_RATES)
def test_the_text_of_a_recording_is_right(transcribe: Transcribe, name: str) -> None:
    text = transcribe(AUDIO / name).text
    assert word_error_rate(manifest()[name]["text"], text) <= WORD_ERROR_RATES[name]


@pytest.mark.parametrize("name", WORD_ERROR_RATES)
def test_segments_are_in_order_and_within_the_file(transcribe: Transcribe, name: str) -> None:
    transcript = transcribe(AUDIO / name)
    assert transcript.duration_ms == pytest.approx(1000 * manifest()[name]["seconds"], abs=30)
    for segment in transcript.segments:
        assert 0 <= segment.start_ms <= segment.end_ms <= transcript.duration_ms
    for one, following in pairwise(transcript.segments):
        assert one.end_ms <= following.start_ms


@pytest.mark.parametrize(("name", "language"), LANGUAGES.items())
def test_the_language_is_named(transcribe: Transcribe, name: str, language: str) -> None:
    transcript = transcribe(AUDIO / name)
    assert transcript.language == language
    assert transcript.language_probability is not None
    assert transcript.language_probability > 0.9


@pytest.mark.parametrize("name", ["silence_60s.flac", "noise_60s.flac"])
def test_no_speech_gives_no_text_and_no_language(transcribe: Transcribe, name: str) -> None:
    transcript = transcribe(AUDIO / name)
    assert (transcript.text, transcript.segments, transcript.language) == ("", (), None)


@pytest.mark.parametrize("name", ["gaps_4min.opus", "en_5min.opus"])
def test_no_sentence_is_lost_or_doubled(transcribe: Transcribe, name: str) -> None:
    """Each true sentence has one segment that begins with it, across pauses and chunks."""
    found = [segment.start_ms / 1000 for segment in transcribe(AUDIO / name).segments]
    true = [sentence["start"] for sentence in manifest()[name]["segments"]]
    assert [start for start in true if min(abs(start - one) for one in found) > 1.0] == []
    assert len(found) == len(true)


def test_the_container_does_not_change_the_text(transcribe: Transcribe, tmp_path: Path) -> None:
    """The demo model mistakes a word now and then when a codec has changed its sound a little."""
    source = AUDIO / "de_1min.flac"
    original = encoded = ""
    for extension in ("mp3", "m4a", "webm", "mp4"):
        path = tmp_path / f"talk.{extension}"
        media.encode(path, source, with_video=extension == "mp4")
        original += f" {transcribe(source).text}"
        encoded += f" {transcribe(path).text}"
    assert word_error_rate(original, encoded) <= 1.0


def test_a_given_language_is_taken_as_it_is(transcribe: Transcribe) -> None:
    transcript = transcribe(AUDIO / "en_5s.wav", language="en")
    assert (transcript.language, transcript.language_probability) == ("en", None)
    assert words(transcript.text) == words(manifest()["en_5s.wav"]["text"])


def test_a_translation_is_english(transcribe: Transcribe) -> None:
    transcript = transcribe(AUDIO / "de_1min.flac", task="translate")
    english = " ".join(one["english"] for one in manifest()["de_1min.flac"]["segments"])
    assert transcript.task == "translate"
    assert word_error_rate(english, transcript.text) <= 2.0


def test_a_job_keeps_the_figures_of_its_run(run: Callable[..., Job]) -> None:
    figures = run(AUDIO / "en_30s.flac").performance
    assert figures["audio_s"] == pytest.approx(30.48, abs=0.01)
    assert figures["real_time_factor"] == pytest.approx(
        figures["wall_s"] / figures["audio_s"], abs=1e-3
    )
    assert {"app", "engine"} <= figures["peak_memory_bytes"].keys()
    assert figures["cpu_s"]["engine"] > 0
    assert {"decode", "vad", "encode", "language"} <= figures["stages_s"].keys()


def test_one_engine_served_all_of_this(services: Services, transcribe: Transcribe) -> None:
    transcribe(AUDIO / "en_5s.wav")
    assert services.engine.starts == 1
    assert services.engine.models == [ModelKey("demo")]
