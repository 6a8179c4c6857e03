"""The file that a job can be rebuilt from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.makers import transcript_of
from voice_transcriber.job import (
    Job,
    JobError,
    JobStatus,
    Priority,
    TranscribeOptions,
)
from voice_transcriber.jobs.job_file import (
    TAIL_BYTES,
    DamagedFile,
    has_checksum,
    job_file,
    read_job_file,
)
from voice_transcriber.store.rows import transcript_to_column

CONTENT = transcript_to_column(transcript_of('A "quoted", text: ,"job":{} ,"checksum":"00"}'))
JOB = Job(
    id="one",
    seq=0,
    revision=0,
    status=JobStatus.COMPLETED,
    filename='a ,"job":{"id":"x"} ü.mp3',
    blob_sha256="ab" * 32,
    size_bytes=5,
    options=TranscribeOptions(model="demo", hotwords="x, y", from_s=1.5),
    priority=Priority.HIGH,
    created_at=1.25,
    error=JobError(code="c", message="m", remedy="r"),
    performance={"wall_s": 3.5, "stages": {"job": 1}},
)


def test_a_finished_job_is_read_as_it_was_written() -> None:
    data = job_file(JOB, CONTENT)
    assert read_job_file(data) == (JOB, CONTENT)
    assert has_checksum(data[-TAIL_BYTES:])


def test_a_job_without_a_transcript_is_read_as_it_was_written() -> None:
    assert read_job_file(job_file(JOB, None)) == (JOB, None)


def test_a_job_that_ran_waits_again() -> None:
    job, _ = read_job_file(job_file(replace(JOB, status=JobStatus.RUNNING), None))
    assert job == replace(JOB, status=JobStatus.QUEUED)


def test_a_transcript_of_an_older_version_has_no_job() -> None:
    assert read_job_file(CONTENT.encode()) == (None, CONTENT)


@given(st.integers(0, len(job_file(JOB, CONTENT)) - 1), st.integers(1, 255))
def test_one_wrong_byte_is_found(place: int, change: int) -> None:
    data = bytearray(job_file(JOB, CONTENT))
    data[place] ^= change
    with pytest.raises(DamagedFile):
        read_job_file(bytes(data))


@given(st.integers(0, len(job_file(JOB, CONTENT)) - 1))
def test_a_cut_off_file_is_found(length: int) -> None:
    with pytest.raises(DamagedFile):
        read_job_file(job_file(JOB, CONTENT)[:length])


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"3", b'{"a":1}', b'{"job":[]}', b"\xff"])
def test_what_is_no_job_is_told(data: bytes) -> None:
    with pytest.raises(DamagedFile):
        read_job_file(data)
