"""How a running job is told to stop."""

from __future__ import annotations

import pytest

from voice_transcriber.errors import JobTookTooLong
from voice_transcriber.jobs.control import JobControl, JobStopped, StopReason


@pytest.fixture
def control() -> JobControl:
    return JobControl()


def reason_of(control: JobControl) -> StopReason:
    with pytest.raises(JobStopped) as caught:
        control.check()
    return caught.value.reason


def test_a_job_runs_on_as_long_as_nobody_stops_it(control: JobControl) -> None:
    control.check()
    assert not control.should_stop
    assert not control.is_draining


def test_a_cancelled_job_stops_at_the_next_check(control: JobControl) -> None:
    control.cancel()
    assert control.should_stop
    assert reason_of(control) is StopReason.USER


def test_a_draining_job_may_finish_what_is_in_work(control: JobControl) -> None:
    control.drain(grace_s=1000)
    control.check()
    assert control.should_stop
    assert control.is_draining


def test_a_draining_job_stops_when_its_time_is_over(control: JobControl) -> None:
    control.drain(grace_s=0)
    assert reason_of(control) is StopReason.SHUTDOWN


def test_the_user_goes_before_the_shutdown(control: JobControl) -> None:
    control.drain(grace_s=0)
    control.cancel()
    assert reason_of(control) is StopReason.USER
    assert control.stopped().reason is StopReason.USER


def test_a_step_that_gave_up_in_a_drain_tells_the_shutdown(control: JobControl) -> None:
    control.drain(grace_s=1000)
    assert control.stopped().reason is StopReason.SHUTDOWN


def test_a_job_that_took_too_long_is_told_so(control: JobControl) -> None:
    control.limit_time(3600)
    control.check()
    control.limit_time(0)
    with pytest.raises(JobTookTooLong, match="JOB_TIME_LIMIT"):
        control.check()
