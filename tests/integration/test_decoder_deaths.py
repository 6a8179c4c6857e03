"""A decoder child dies: its job goes on, unless the file is at fault, which repetition shows."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.conftest import Start
from tests.running import ended, submit, text_of, until
from voice_transcriber.audio import decode, supervise
from voice_transcriber.audio.decode import Decoder
from voice_transcriber.audio.supervise import hear
from voice_transcriber.errors import (
    DamagedMedia,
    DecoderCrashed,
    MediaError,
    MediaTooCostly,
    TranscriberError,
)
from voice_transcriber.job import JobStatus
from voice_transcriber.processes.spawn import Child, Spawner
from voice_transcriber.processes.watch import AwakeClock
from voice_transcriber.services import Services

FAR = 10**12  # more samples than any file has


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, logger="voice_transcriber")


@pytest.fixture(scope="module")
def spawner() -> Iterator[Spawner]:
    spawner = Spawner()
    yield spawner
    spawner.stop()


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A pipe in which nothing ever comes: its decoder child waits for ever."""
    path = tmp_path / "endless"
    os.mkfifo(path)
    return path


def decoders() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        try:
            if any("decoder_child" in part for part in child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return found


class Killer:
    """Sends a signal to every decoder child that appears: at most so many times, at least once."""

    def __init__(self, number: signal.Signals, *, times: int) -> None:
        self._over = threading.Event()
        self._number = number
        self._times = times
        self._thread = threading.Thread(target=self._kill)

    def __enter__(self) -> Killer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _kill(self) -> None:
        hit: set[int] = set()
        while not hit or (len(hit) < self._times and not self._over.wait(0.02)):
            for one in decoders():
                if one.pid not in hit and len(hit) < self._times:
                    hit.add(one.pid)
                    one.send_signal(self._number)


def test_a_job_whose_decoder_is_killed_once_goes_on(
    services: Services, sounds: Path, true_texts: dict[str, str]
) -> None:
    with Killer(signal.SIGKILL, times=1):
        job = submit(services, sounds / "minutes.wav")
    assert text_of(services, job) == true_texts["minutes"]


def test_a_waiting_job_survives_the_death_of_the_prober_s_decoder(
    start: Start, sounds: Path, true_texts: dict[str, str]
) -> None:
    services = start(MAX_CONCURRENT_JOBS="1")
    running = submit(services, sounds / "long.wav")
    until(lambda: services.engine.is_running and not decoders())
    with Killer(signal.SIGKILL, times=1):
        job = submit(services, sounds / "clip.wav")
    until(lambda: services.store.get(job.id).duration_s)  # it was looked at again
    assert text_of(services, job) == true_texts["clip"]
    services.manager.cancel(running.id)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGSEGV, "damaged_media"), (signal.SIGKILL, "media_too_costly")],
)
def test_a_file_at_which_the_decoder_dies_three_times_is_at_fault(
    number: signal.Signals, code: str, services: Services, sounds: Path
) -> None:
    with Killer(number, times=100):  # those of the prober too
        job = ended(services, submit(services, sounds / "minutes.wav"))
    assert job.error is not None
    assert (job.status, job.error.code) == (JobStatus.FAILED, code)
    assert number.name in job.error.message
    services.manager.retry(job.id)
    assert ended(services, job).status is JobStatus.COMPLETED


@pytest.mark.parametrize(
    ("number", "verdict"),
    [(signal.SIGSEGV, DamagedMedia), (signal.SIGKILL, MediaTooCostly)],
)
def test_the_third_death_in_a_folder_is_the_verdict_on_the_file(
    number: signal.Signals,
    verdict: type[MediaError],
    spawner: Spawner,
    endless: Path,
    tmp_path: Path,
) -> None:
    decoder = Decoder(spawner, max_duration_s=60)
    found = [death_of(decoder, endless, tmp_path / "job", number) for _ in range(3)]
    assert [type(one) for one in found] == [DecoderCrashed, DecoderCrashed, verdict]
    assert all(number.name in one.message for one in found)


def death_of(
    decoder: Decoder, media: Path, folder: Path, number: signal.Signals
) -> TranscriberError:
    decoding = decoder.start(media, folder)
    os.kill(decoding.pid or 0, number)
    with pytest.raises(TranscriberError) as caught:
        decoding.wait(FAR, timeout_s=60)
    return caught.value


def test_the_limit_of_processor_time_is_the_file_s_at_once(
    spawner: Spawner, endless: Path, tmp_path: Path
) -> None:
    decoder = Decoder(spawner, max_duration_s=60)
    found = death_of(decoder, endless, tmp_path / "job", signal.SIGXCPU)
    assert isinstance(found, MediaTooCostly)
    assert "processor time" in found.message


def test_a_decoder_that_somebody_stopped_is_replaced_and_not_the_file_s_fault(
    spawner: Spawner, endless: Path, tmp_path: Path
) -> None:
    decoder = Decoder(spawner, max_duration_s=60, silence_s=0.5)
    decoding = decoder.start(endless, tmp_path / "job")
    os.kill(decoding.pid or 0, signal.SIGSTOP)
    with pytest.raises(DecoderCrashed, match="SIGSTOP"):
        decoding.wait(FAR, timeout_s=60)


def test_a_decoder_whose_life_is_over_is_the_file_s_fault_at_once(
    spawner: Spawner, endless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "PROBE_S", 0.5)
    with pytest.raises(MediaTooCostly, match="took too long"):
        Decoder(spawner, max_duration_s=60).probe(endless)


def test_a_pause_of_the_whole_machine_is_no_silence(
    spawner: Spawner, endless: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    looks: list[float] = []  # at the clock

    def clock() -> float:
        looks.append(now_s)
        return looks[-1]

    monkeypatch.setattr(supervise, "AwakeClock", lambda: AwakeClock(clock))
    monkeypatch.setattr(supervise, "ROUND_S", 0.05)
    decoding = Decoder(spawner, max_duration_s=60).start(endless, tmp_path / "job")
    until(lambda: len(looks) > 2)  # the first two are at the beginning
    now_s = 3600.0
    until(lambda: looks[-1] == now_s)
    assert not decoding.wait(1, timeout_s=0.5)
    now_s += 10.0  # awake, and silent for longer than is allowed
    with pytest.raises(DecoderCrashed, match="no progress"):
        decoding.wait(1, timeout_s=60)


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("no-json", "cannot be understood"),
        ("no-object", "cannot be understood"),
        ("too-long", "cannot be understood"),
        ("no-start", "exit status 1"),
    ],
)
def test_a_decoder_that_goes_wrong_is_ended_and_may_be_tried_again(
    way: str, message: str, spawner: Spawner, capfd: pytest.CaptureFixture[str]
) -> None:
    child = spawner.start("tests.integration.odd_child", [way])
    with pytest.raises(DecoderCrashed, match=message):
        list(hear(child, silence_s=60, life_s=60))
    assert child.process.returncode is not None


@pytest.mark.parametrize("way", ["silent", "truncated", "odd-error"])
def test_a_decode_hears_of_every_way_to_go_wrong(
    way: str, spawner: Spawner, tmp_path: Path
) -> None:
    decoding = OddDecoder(spawner, way).start(tmp_path, tmp_path / "job")
    with pytest.raises(DecoderCrashed):
        decoding.wait(FAR, timeout_s=60)


class OddDecoder(Decoder):
    """Starts children that go wrong."""

    def __init__(self, spawner: Spawner, way: str) -> None:
        super().__init__(spawner, max_duration_s=60, silence_s=2.0)
        self._odd = way

    def _child(self, *_: object) -> Child:
        return self._spawner.start("tests.integration.odd_child", [self._odd])
