"""A disk without room for a recording's decoded audio: the accepted job waits, and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import disk
from tests.faults.crafted import silent_flac
from tests.faults.disk import MEGABYTE, small_disk
from tests.running import ended, running, settings_for, submit, until, work_folders
from voice_transcriber.job import JobStatus

pytestmark = pytest.mark.skipif(disk.why_not() is not None, reason=str(disk.why_not()))


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", size_bytes=500 * MEGABYTE) as root:
        yield root


@pytest.mark.parametrize("tells_its_length", [True, False])
def test_a_job_without_room_waits_until_there_is_some(
    small: Path, tmp_path: Path, tells_its_length: bool
) -> None:
    recording = tmp_path / "silence.flac"
    recording.write_bytes(silent_flac(hours=3, tells=tells_its_length))  # 345 MB of samples
    filler = small / "filler"
    with running(settings_for(small)) as services:
        filler.write_bytes(bytes(200 * MEGABYTE))
        job = submit(services, recording)
        until(lambda: services.store.get(job.id).attempt > 0)
        until(lambda: services.store.get(job.id).status is JobStatus.QUEUED)
        waiting = services.store.get(job.id)
        assert (waiting.error, waiting.failures) == (None, 0)
        assert "room on the disk: at least" in (waiting.waits_for or "")
        assert [path for folder in work_folders(services) for path in folder.iterdir()] == []
        filler.unlink()
        done = ended(services, job)
        assert (done.status, done.error, done.waits_for) == (JobStatus.COMPLETED, None, None)
        assert done.attempt > 1
