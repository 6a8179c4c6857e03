"""The ring of the last hour."""

from __future__ import annotations

import pytest

from voice_transcriber.monitor.history import History
from voice_transcriber.monitor.sample import ROLES, FinishedJob, MachineUse, ProcessUse, Sample

NOON = 1_800_000_000.0


def sample(time: float) -> Sample:
    machine = MachineUse(
        cores=2,
        cpu_percent=50.0,
        memory_used_bytes=1,
        memory_total_bytes=2,
        processes=dict.fromkeys(ROLES, ProcessUse()),
    )
    return Sample(
        time=time,
        machine=machine,
        gpus=(),
        disk_free_bytes=1,
        disk_total_bytes=2,
        queued=0,
        running=0,
    )


def job(time: float, factor: float = 0.5) -> FinishedJob:
    return FinishedJob(time=time, model="base", real_time_factor=factor)


@pytest.fixture
def history() -> History:
    return History(capacity=3)


def times(history: History, since: float) -> list[float]:
    return [sample.time for sample in history.since(since).samples]


def test_nothing_was_measured_yet(history: History) -> None:
    span = history.since(0)
    assert (list(span.samples), list(span.jobs), span.until, span.reset) == ([], [], 0.0, False)
    assert history.newest is None


def test_the_oldest_sample_gives_way(history: History) -> None:
    for offset in range(5):
        history.add(sample(NOON + offset))
    assert times(history, 0) == [NOON + 2, NOON + 3, NOON + 4]


def test_what_is_known_is_not_told_again(history: History) -> None:
    for offset in range(3):
        history.add(sample(NOON + offset))
    assert times(history, NOON + 1) == [NOON + 2]
    assert times(history, history.since(0).until) == []


def test_every_job_is_told_once(history: History) -> None:
    history.add(sample(NOON))
    history.add_job(job(NOON + 1))
    first = history.since(0)
    history.add(sample(NOON + 5))
    second = history.since(first.until)
    third = history.since(second.until)
    assert [len(span.jobs) for span in (first, second, third)] == [0, 1, 0]


def test_a_job_is_forgotten_after_an_hour(history: History) -> None:
    history.add_job(job(NOON))
    history.add(sample(NOON + 3_599))
    assert history.speed().jobs == 1
    history.add(sample(NOON + 3_600))
    assert history.speed().jobs == 0


def test_a_clock_that_was_set_back_begins_a_new_history(history: History) -> None:
    history.add(sample(NOON))
    history.add(sample(NOON - 1_000))
    span = history.since(NOON)
    assert ([one.time for one in span.samples], span.reset) == ([NOON - 1_000], True)


def test_the_speed_is_the_median(history: History) -> None:
    assert history.speed().real_time_factor is None
    for factor in (0.2, 9.0, 0.4):
        history.add_job(job(NOON, factor))
    assert (history.speed().jobs, history.speed().real_time_factor) == (3, 0.4)
