"""The server is killed while it works: no acknowledged job is lost, and no word of one.

Everything is real here but, for speed, most of the speech engine.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.server import Server
from tests.recordings import AUDIO, manifest, tone, word_error_rate, write_wav
from tests.running import running, settings_for, submit, text_of, until

ROUNDS = 5
LIFE_S = (0.0, 2.5)  # how long the server lives in a round, once it is ready
SECONDS = {"clip.wav": 6, "minute.wav": 60, "minutes.wav": 300, "long.wav": 450}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
Start = Callable[..., Server]


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sounds")
    for pitch_hz, (name, seconds) in enumerate(SECONDS.items(), start=300):
        write_wav(folder / name, tone(seconds, pitch_hz=pitch_hz))
    return folder


@pytest.fixture(scope="module")
def true_texts(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What an undisturbed run gives."""
    with running(settings_for(tmp_path_factory.mktemp("undisturbed"))) as services:
        jobs = {name: submit(services, sounds / name) for name in SECONDS}
        return {name: text_of(services, job) for name, job in jobs.items()}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Server] = []

    def one(**values: str) -> Server:
        server = Server(tmp_path, **values)
        started.append(server)
        server.start()
        return server

    yield one
    for server in started:
        server.close()


def leftovers(server: Server) -> list[Path]:
    """Decoded audio of jobs that have ended, and files that are half written."""
    return [*(server.data / "work").iterdir(), *server.data.rglob("*.part")]


@pytest.mark.slow
def test_no_acknowledged_job_is_lost_however_often_the_server_is_killed(
    start: Start, sounds: Path, true_texts: dict[str, str]
) -> None:
    chance = random.Random(20261121)
    server = start()
    for name in SECONDS:
        server.submit(sounds / name)
    for number in range(ROUNDS):
        name = list(SECONDS)[number % len(SECONDS)]
        upload = threading.Thread(target=server.submit, args=(sounds / name,))
        upload.start()
        time.sleep(chance.uniform(*LIFE_S))
        server.kill()
        upload.join()
        server.start()
    assert len(server.accepted) >= len(SECONDS)
    for job_id, name in server.accepted.items():
        assert server.text(job_id) == true_texts[name]
        assert server.job(job_id)["error"] is None
    until(lambda: leftovers(server) == [])
    assert server.stop() == 0


@pytest.mark.slow
def test_a_recording_that_was_cut_off_by_a_kill_has_the_text_of_one_that_was_not(
    start: Start,
) -> None:
    recording = AUDIO / "en_5min.opus"
    server = start(
        ENGINE="openai-whisper",
        ENGINE_THREADS="1",
        AUDIO_CHUNK_SIZE="60",
        AUDIO_OPTIMIZATION="true",
    )
    cut_off = server.submit(recording)
    assert cut_off is not None
    until(lambda: 20 <= server.job(cut_off)["percent"] < 100)
    server.kill()
    server.start()
    before = server.job(cut_off)
    assert before["status"] in {"queued", "running"}
    assert before["percent"] >= 20
    undisturbed = server.submit(recording)
    assert undisturbed is not None
    text = server.text(cut_off)
    assert text == server.text(undisturbed)
    assert word_error_rate(manifest()[recording.name]["text"], text) <= 1.5


def test_a_server_that_is_asked_to_stop_loses_nothing_and_ends_well(
    start: Start, sounds: Path, true_texts: dict[str, str]
) -> None:
    server = start(BATCH_SIZE="1")  # what is in work may finish: that should not be all of it
    job_id = server.submit(sounds / "long.wav")
    assert job_id is not None
    until(lambda: server.job(job_id)["percent"] > 0)
    assert server.stop() == 0
    server.start()
    assert server.job(job_id)["status"] in {"queued", "running"}
    assert server.job(job_id)["percent"] > 0
    assert server.text(job_id) == true_texts["long.wav"]


def test_a_server_that_does_nothing_stops_at_once_and_leaves_nobody(start: Start) -> None:
    server = start()
    assert server.stop() == 0
    assert leftovers(server) == []
