"""Whatever dies or hangs in the background is noticed and replaced, and no job is lost by it."""

from __future__ import annotations

import ctypes
import logging
import os
import queue
import signal
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.integration.conftest import Start
from tests.recordings import silence, tone, write_pcm, write_wav
from tests.running import (
    ended,
    has_windows,
    submit,
    text_of,
    until,
    windows_done,
)
from tests.unit.engines.requests import window_request
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.engines.child import process_starter, thread_starter
from voice_transcriber.engines.client import Answer, EngineClient, HostCrash
from voice_transcriber.engines.fake import HANG_LEVEL, HOARD_LEVEL
from voice_transcriber.engines.host_watch import Blame, WatchLimits
from voice_transcriber.engines.protocol import HostOptions, WindowReply, WindowRequest
from voice_transcriber.errors import EngineStalled
from voice_transcriber.files import keep_end
from voice_transcriber.job import SAMPLE_RATE, JobStatus
from voice_transcriber.processes.spawn import Spawner
from voice_transcriber.services import Services

OPTIONS = HostOptions(
    engine="fake",
    threads=1,
    batch_size=4,
    model_cache_size=2,
    use_gpu=False,
    free_memory_early=False,
)
HANGS_S = 10  # of the recording the eleventh second never ends
QUICK = WatchLimits(no_progress_s=3.0, stopped_s=1.0, silent_s=30.0)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="voice_transcriber")


@pytest.fixture
def pcm(tmp_path: Path) -> str:
    """Ten seconds of sound, one at which the engine hangs, twenty of sound."""
    hang = tone(1, level=HANG_LEVEL + 0.01)
    samples = np.concatenate([tone(10), hang, tone(20, pitch_hz=300)])
    return str(write_pcm(tmp_path / "audio.pcm", samples))


def window(pcm: str, start_s: int, end_s: int) -> WindowRequest:
    return window_request(
        pcm=pcm,
        checkpoint=str(DEMO_FILE),
        start=start_s * SAMPLE_RATE,
        end=end_s * SAMPLE_RATE,
        speech_end=end_s * SAMPLE_RATE,
    )


@pytest.fixture
def client(tmp_path: Path) -> Iterator[EngineClient]:
    """Of a child that has started and answered."""
    spawner = Spawner()
    client = EngineClient(process_starter(spawner, OPTIONS, tmp_path / "engine.log"), limits=QUICK)
    yield client
    client.stop()
    until(lambda: not client.is_running)
    spawner.stop()


def supervised(client: EngineClient, answers: queue.SimpleQueue[Answer]) -> Answer:
    """The next answer; the client is looked after meanwhile."""

    def has_answer() -> bool:
        client.supervise()
        return not answers.empty()

    until(has_answer)
    return answers.get()


def asked(client: EngineClient, request: WindowRequest) -> queue.SimpleQueue[Answer]:
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    client.submit(request, lambda _, answer: answers.put(answer))
    return answers


def test_a_child_that_hangs_is_replaced_though_it_beats(client: EngineClient, pcm: str) -> None:
    assert isinstance(client.call(window(pcm, 0, HANGS_S)), WindowReply)
    answers = asked(client, window(pcm, HANGS_S, HANGS_S + 10))
    crash = supervised(client, answers)
    assert isinstance(crash, HostCrash)
    assert (crash.blame, crash.kind) == (Blame.ALONE, EngineStalled)
    assert isinstance(client.call(window(pcm, 0, HANGS_S)), WindowReply)
    assert client.starts == 2


@pytest.mark.parametrize("at_work", [False, True])
def test_a_child_that_was_stopped_is_replaced_and_nobody_is_blamed(
    at_work: bool, client: EngineClient, pcm: str
) -> None:
    client.call(window(pcm, 0, HANGS_S))
    answers = asked(client, window(pcm, 11, 31)) if at_work else None
    os.kill(client.pid or 0, signal.SIGSTOP)
    if answers is not None:
        crash = supervised(client, answers)
        assert isinstance(crash, HostCrash)
        assert crash.blame is Blame.NONE

    def is_gone() -> bool:
        client.supervise()
        return not client.is_running

    until(is_gone)
    assert isinstance(client.call(window(pcm, 11, 31)), WindowReply)
    assert client.starts == 2


def test_a_child_that_was_stopped_is_replaced_though_senders_wait_for_it(
    client: EngineClient, pcm: str
) -> None:
    """What they send fills the pipe, so they wait for a child that reads nothing."""
    client.call(window(pcm, 0, HANGS_S))
    os.kill(client.pid or 0, signal.SIGSTOP)
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def send() -> None:
        for _ in range(1000):
            client.submit(window(pcm, 11, 31), lambda _, answer: answers.put(answer))

    sender = threading.Thread(target=send)
    sender.start()
    crash = supervised(client, answers)
    assert isinstance(crash, HostCrash)
    assert crash.blame is Blame.NONE
    sender.join(60)
    assert not sender.is_alive()


def test_a_batch_that_takes_longer_than_the_limit_is_not_replaced(
    tmp_path: Path, client: EngineClient
) -> None:
    """Sixteen windows of 30 s take 4.8 s, in one batch of the engine for four each."""
    samples = tone(480)
    pcm = str(write_pcm(tmp_path / "long.pcm", samples))
    client.call(window(pcm, 0, 1))
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    for start_s in range(0, 480, 30):
        client.submit(window(pcm, start_s, start_s + 30), lambda _, answer: answers.put(answer))
    found = [supervised(client, answers) for _ in range(16)]
    assert all(isinstance(answer, WindowReply) for answer in found)
    assert client.starts == 1


def test_a_thread_that_hangs_is_left_alone_and_another_takes_its_place(pcm: str) -> None:
    client = EngineClient(thread_starter(OPTIONS), limits=QUICK)
    client.call(window(pcm, 0, HANGS_S))
    crash = supervised(client, asked(client, window(pcm, HANGS_S, HANGS_S + 10)))
    assert isinstance(crash, HostCrash)
    assert isinstance(client.call(window(pcm, 0, HANGS_S)), WindowReply)
    client.stop()
    until(lambda: not client.is_running)


def test_the_log_of_the_child_before_is_kept_and_only_its_end_is_read(
    client: EngineClient, pcm: str, tmp_path: Path
) -> None:
    client.call(window(pcm, 0, HANGS_S))
    log = tmp_path / "engine.log"
    with log.open("ab") as file:
        file.truncate(10**9)  # sparse: reading all of it would take a gigabyte of memory
        file.seek(0, os.SEEK_END)
        file.write(b"\nthe last words\n")
    answers = asked(client, window(pcm, 11, 31))
    os.kill(client.pid or 0, signal.SIGKILL)
    crash = answers.get(timeout=60)
    assert isinstance(crash, HostCrash)
    assert "SIGKILL" in crash.cause
    assert "the last words" in crash.cause
    client.call(window(pcm, 0, HANGS_S))
    kept = tmp_path / "engine.log.1"
    assert kept.stat().st_size > 10**9
    assert log.stat().st_size < 10**6
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_child_whose_log_was_cut_writes_on_and_its_last_words_are_found(
    client: EngineClient, pcm: str, tmp_path: Path
) -> None:
    client.call(window(pcm, 0, HANGS_S))
    log = tmp_path / "engine.log"
    with log.open("ab") as file:
        file.write(b"the same line again\n" * 1000)
    keep_end(log, above_bytes=1000, kept_bytes=100)
    answers = asked(client, window(pcm, 11, 31))
    os.kill(client.pid or 0, signal.SIGABRT)
    crash = answers.get(timeout=60)
    assert isinstance(crash, HostCrash)
    written = log.read_text()
    assert "Fatal Python error" in written
    assert "\0" not in written  # as in a hole before what stands at its old place
    assert written.splitlines()[-1] in crash.cause


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL, signal.SIGBUS])
def test_a_job_survives_every_death_of_the_engine(
    number: signal.Signals, services: Services, sounds: Path, true_texts: dict[str, str]
) -> None:
    job = submit(services, sounds / "minutes.wav")
    until(partial(has_windows, services, job, 1))
    os.kill(services.engine.pid or 0, number)
    assert text_of(services, job) == true_texts["minutes"]
    assert services.store.get(job.id).failures == 0


@pytest.mark.slow
def test_a_job_whose_engine_was_stopped_goes_on(
    services: Services, sounds: Path, true_texts: dict[str, str]
) -> None:
    job = submit(services, sounds / "minutes.wav")
    until(partial(has_windows, services, job, 1))
    os.kill(services.engine.pid or 0, signal.SIGSTOP)
    assert text_of(services, job) == true_texts["minutes"]
    assert services.engine.starts == 2
    assert services.store.get(job.id).failures == 0


def test_an_engine_that_holds_too_much_is_replaced_between_two_batches(
    start: Start, tmp_path: Path
) -> None:
    hoard = tone(0.5, level=HOARD_LEVEL + 0.01)
    parts = [tone(20), silence(5), hoard, tone(20, pitch_hz=300), silence(5)]
    more = [tone(20, pitch_hz=200 + 10 * number) for number in range(40)]
    path = write_wav(tmp_path / "hoard.wav", *parts, *more)
    unbounded = start(ENGINE_MEMORY_LIMIT="off", BATCH_SIZE="1")
    text = text_of(unbounded, submit(unbounded, path))
    assert unbounded.engine.starts == 1
    unbounded.stop()
    services = start(ENGINE_MEMORY_LIMIT="250MB", BATCH_SIZE="1")
    job = submit(services, path)

    def has_ended() -> bool:
        services.engine.supervise()
        return not services.store.get(job.id).is_live

    until(has_ended)
    assert services.store.transcript(job.id).text == text
    assert services.engine.starts == 2
    assert services.store.get(job.id).failures == 0


def test_a_job_that_takes_too_long_ends_and_a_retry_goes_on_where_it_stopped(
    start: Start, sounds: Path, true_texts: dict[str, str]
) -> None:
    services = start(JOB_TIME_LIMIT="4", BATCH_SIZE="1")
    long = submit(services, sounds / "long.wav")
    until(partial(has_windows, services, long, 1))
    short = submit(services, sounds / "clip.wav")
    failed = ended(services, long)
    assert failed.error is not None
    assert (failed.status, failed.error.code) == (JobStatus.FAILED, "job_took_too_long")
    assert "JOB_TIME_LIMIT" in failed.error.remedy
    assert text_of(services, short) == true_texts["clip"]
    done = windows_done(services, long)
    assert done
    services.manager.retry(long.id)
    until(partial(has_windows, services, long, done + 1))


def die(*names: str) -> None:
    """End threads at their next step, as an error that nobody catches would."""
    for thread in threading.enumerate():
        if thread.name.startswith(names) and thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
            )


def threads(prefix: str) -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name.startswith(prefix)}


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deaths of these tests are wanted."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)


@pytest.mark.usefixtures("unseen")
def test_worker_threads_that_die_are_replaced_and_their_jobs_go_on(
    services: Services, sounds: Path, true_texts: dict[str, str]
) -> None:
    job = submit(services, sounds / "minutes.wav")
    until(partial(has_windows, services, job, 1))
    before = threads("worker")
    die("worker")
    until(lambda: not any(thread.is_alive() for thread in before))
    assert text_of(services, job) == true_texts["minutes"]
    until(lambda: len(threads("worker")) == len(before))
    until(lambda: services.health().ready)


@pytest.mark.usefixtures("unseen")
def test_a_prober_that_dies_is_replaced(
    start: Start, sounds: Path, true_texts: dict[str, str]
) -> None:
    services = start(MAX_CONCURRENT_JOBS="1")
    submit(services, sounds / "long.wav")
    (before,) = threads("prober")
    die("prober")
    until(lambda: not before.is_alive())
    clip = submit(services, sounds / "clip.wav")
    assert text_of(services, clip) == true_texts["clip"]  # by the express lane: it was looked at
