"""The figures over time, of services that run with the fake engine."""

from __future__ import annotations

from pathlib import Path

from tests.integration.conftest import Start
from tests.running import ended, submit, until
from voice_transcriber.job import JobStatus
from voice_transcriber.services import Services


def speeds(services: Services) -> list[float]:
    services.system.sample()
    return [job.real_time_factor for job in services.system.since(0).jobs]


def test_a_sample_is_taken_by_itself(services: Services) -> None:
    until(lambda: len(services.system.since(0).samples) >= 2)
    first, second = services.system.since(0).samples[:2]
    assert second.time > first.time


def test_a_completed_job_gives_its_speed(services: Services, sounds: Path) -> None:
    job = ended(services, submit(services, sounds / "minute.wav"))
    until(lambda: speeds(services))
    assert speeds(services) == [job.performance["real_time_factor"]]


def test_a_job_that_failed_gives_none(services: Services, tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no audio", encoding="utf-8")
    assert ended(services, submit(services, text)).status is JobStatus.FAILED
    assert speeds(services) == []


def test_the_last_hour_is_known_after_a_restart(start: Start, sounds: Path) -> None:
    first = start()
    ended(first, submit(first, sounds / "minute.wav"))
    first.stop()
    before = first.system.speed()
    assert before.jobs == 1
    assert start().system.speed() == before


def test_the_engine_is_one_of_the_processes(services: Services, sounds: Path) -> None:
    ended(services, submit(services, sounds / "minute.wav"))
    engine = services.system.sample().machine.processes["engine"]
    assert engine.count == 1
    assert engine.memory_bytes > 0
