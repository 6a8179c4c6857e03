"""Jobs whose engine is a server elsewhere: here, one on this machine."""

from __future__ import annotations

import wave
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.faults.server import Server
from tests.integration.conftest import Start
from tests.model_server import BODY
from tests.recordings import write_wav
from tests.running import ended, has_windows, submit, text_of, until
from tests.speech_server import Received, Refusal, SpeechServer, segments_of
from voice_transcriber.errors import ConfigurationError, UnknownModel, WrongState
from voice_transcriber.job import SAMPLE_RATE, JobStatus, TranscribeOptions
from voice_transcriber.settings import Settings

KEY = "sk-a-key-that-nobody-may-see"
LENGTH_S = 240
BASE = TranscribeOptions(model="base", language="en")
DOWN = Refusal(status=503, message="down", headers={"Retry-After": "600"})


@pytest.fixture
def server() -> Iterator[SpeechServer]:
    with SpeechServer.running() as server:
        yield server


@pytest.fixture
def remote(server: SpeechServer, tmp_path: Path) -> dict[str, str]:
    """Settings; the model folder holds a file that the fake engine takes for the model base."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "base.pt").write_bytes(BODY)
    return {
        "ENGINE": "remote",
        "REMOTE_URL": server.url,
        "REMOTE_API_KEY": KEY,
        "DEFAULT_MODEL": "base",
        "AUDIO_CHUNK_SIZE": "60",
    }


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four minutes of noise, with a pause after each ten seconds."""
    path = tmp_path_factory.mktemp("remote") / "talk.wav"
    noise = np.random.default_rng(3).uniform(-0.3, 0.3, LENGTH_S * SAMPLE_RATE)
    for second in range(10, LENGTH_S, 10):
        noise[round((second - 0.5) * SAMPLE_RATE) : round((second + 0.5) * SAMPLE_RATE)] = 0
    write_wav(path, noise.astype(np.float32))
    return path


def in_order(received: Iterable[Received], recording: Path) -> list[bytes]:
    """What the server wrote down, as it lies in the recording: only silence may be left out."""
    with wave.open(str(recording)) as file:
        whole = file.readframes(file.getnframes())
    pieces = sorted({one.pcm for one in received}, key=whole.find)
    at = 0
    for pcm in [*pieces, b""]:
        start = whole.find(pcm, at) if pcm else len(whole)
        assert start >= at
        assert not any(whole[at:start])
        at = start + len(pcm)
    return pieces


def written(pieces: list[bytes]) -> str:
    return "".join(segment["text"] for pcm in pieces for segment in segments_of(pcm)).strip()


def test_a_job_becomes_a_transcript(
    start: Start, server: SpeechServer, remote: dict[str, str], recording: Path
) -> None:
    services = start(**remote)
    job = ended(services, submit(services, recording, options=BASE))
    assert (job.status, job.percent, job.error) == (JobStatus.COMPLETED, 100.0, None)
    pieces = in_order(server.received, recording)
    assert services.store.transcript(job.id).text == written(pieces)
    assert len(server.received) == len(pieces) >= 4
    assert job.performance["device"] == "remote"
    assert services.engine.pid is None  # no speech engine runs here


def test_requests_keep_to_the_size_that_the_settings_name(
    start: Start, server: SpeechServer, remote: dict[str, str], recording: Path
) -> None:
    services = start(**remote, REMOTE_MAX_SIZE="1MB")
    text = text_of(services, submit(services, recording, options=BASE))
    pieces = in_order(server.received, recording)
    assert text == written(pieces)
    assert max(len(pcm) for pcm in pieces) < 1_000_000


def test_the_language_is_the_servers(
    start: Start, server: SpeechServer, remote: dict[str, str], recording: Path
) -> None:
    server.language = "german"
    services = start(**remote)
    job = submit(services, recording, options=TranscribeOptions(model="base"))
    job = ended(services, job)
    assert (job.language, job.language_probability) == ("de", None)  # it told no probability
    assert {one.fields["language"][0] for one in server.received[1:]} == {"de"}


@pytest.mark.parametrize("named", ["english", None])
def test_several_languages(
    start: Start,
    server: SpeechServer,
    remote: dict[str, str],
    recording: Path,
    named: str | None,
) -> None:
    server.language = named
    services = start(**remote)
    job = submit(services, recording, options=TranscribeOptions(model="base", language="multi"))
    assert text_of(services, job)
    languages = {one.language for one in services.store.transcript(job.id).segments}
    assert languages == {"en" if named else None}


def test_a_part_that_fails_is_done_again_alone(
    start: Start, server: SpeechServer, remote: dict[str, str], recording: Path
) -> None:
    server.faults += [Refusal(status=500), Refusal(status=429, headers={"Retry-After": "0"})]
    services = start(**remote)
    job = submit(services, recording, options=BASE)
    text = text_of(services, job)
    pieces = in_order(server.received, recording)
    assert text == written(pieces)
    assert len(server.received) == len(pieces)
    assert services.store.get(job.id).failures == 0


def test_a_wrong_key_fails_the_job_at_once_and_is_told_to_nobody(
    start: Start,
    server: SpeechServer,
    remote: dict[str, str],
    recording: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.fault_for_all = Refusal(status=401, message=f"Incorrect API key provided: {KEY}.")
    services = start(**remote)
    with caplog.at_level("DEBUG"):
        job = ended(services, submit(services, recording, options=BASE))
    assert job.error is not None
    assert (job.status, job.error.code) == (JobStatus.FAILED, "remote_refused")
    assert "REMOTE_API_KEY" in job.error.remedy
    assert KEY not in f"{job.error} {caplog.text}"


def test_a_job_that_was_cut_off_by_a_kill_goes_on_and_sends_nothing_twice(
    server: SpeechServer, remote: dict[str, str], recording: Path, tmp_path: Path
) -> None:
    server.held_after = 3  # with the first 30 s, which are heard for the language
    app = Server(tmp_path, **remote)
    try:
        app.start()
        job_id = app.submit(recording)
        assert job_id is not None
        until(lambda: len(server.received) >= 3 and app.job(job_id)["percent"] > 0)
        app.kill()
        before = server.received[:3]  # those that were answered
        server.held_after = None
        server.go_on.set()
        until(lambda: server.at_once == 0)
        taken = len(server.received)
        app.start()
        text = app.text(job_id)
    finally:
        app.close()
    again = server.received[taken:]
    twice = {one.pcm for one in before} & {one.pcm for one in again}
    assert len(twice) <= 1  # answered, but not committed when it was killed
    assert text == written(in_order([*before[1:], *again], recording))


def test_the_local_engine_takes_over_and_the_job_says_so(
    start: Start,
    server: SpeechServer,
    remote: dict[str, str],
    recording: Path,
) -> None:
    services = start(**remote, REMOTE_FALLBACK="fake")
    server.held_after = 2
    job = submit(services, recording, options=BASE)
    until(lambda: has_windows(services, job, 1))
    server.fault_for_all = DOWN
    server.go_on.set()
    job = ended(services, job)
    assert (job.status, job.error) == (JobStatus.COMPLETED, None)
    assert "The local engine took over" in job.performance["note"]
    assert job.performance["device"] == "cpu"
    ends_ms = [one.end_ms for one in services.store.transcript(job.id).segments]
    assert max(ends_ms) >= (LENGTH_S - 5) * 1000
    assert services.remote is not None
    assert services.remote.figures.taken_over >= 1

    server.fault_for_all = None
    later = ended(services, submit(services, recording, options=BASE))
    assert later.performance["device"] == "remote"


def test_without_a_local_engine_the_job_waits_and_is_tried_again(
    start: Start, server: SpeechServer, remote: dict[str, str], recording: Path
) -> None:
    server.fault_for_all = DOWN
    services = start(**remote)
    job = submit(services, recording, options=BASE)
    until(lambda: services.remote is not None and services.remote.figures.errors)
    assert services.store.get(job.id).is_live


def test_no_model_is_needed_here(start: Start, remote: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "models" / "base.pt").unlink()
    services = start(**remote)
    (model,) = services.library.models()
    assert (model.info.name, model.info.label) == ("base", "base: whisper-1")
    assert (model.info.present, model.fits, model.memory_bytes) == (True, True, 0)
    for act in (services.library.download, services.library.delete):
        with pytest.raises(WrongState):
            act("base")
    assert services.models.resolve("large-v3").present  # one model stands for every name


def test_names_that_are_mapped_are_the_only_ones(start: Start, remote: dict[str, str]) -> None:
    services = start(**remote, REMOTE_MODEL="base=small-one,large-v3=big")
    assert [one.info.name for one in services.library.models()] == ["base", "large-v3"]
    with pytest.raises(UnknownModel) as caught:
        services.models.resolve("tiny")
    assert "base, large-v3" in caught.value.remedy


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"REMOTE_URL": ""}, "REMOTE_URL"),
        ({"REMOTE_URL": "https://api.openai.com", "OFFLINE": "true"}, "OFFLINE"),
        ({"REMOTE_CA_FILE": "nowhere.pem"}, "REMOTE_CA_FILE"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(values: dict[str, str], named: str) -> None:
    given = {"ENGINE": "remote", "REMOTE_URL": "http://localhost:8000", "OFFLINE": "false"}
    with pytest.raises(ConfigurationError) as caught:
        Settings.from_mapping(given | values)
    assert named in caught.value.message
    assert named in caught.value.remedy


def test_offline_a_server_on_this_machine_may_be_used() -> None:
    given = {"ENGINE": "remote", "REMOTE_URL": "http://localhost:8000", "OFFLINE": "true"}
    assert Settings.from_mapping(given).offline
