"""The files of finished jobs: all of them, each job its own, nobody else's touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.makers import Jobs, transcript_of
from voice_transcriber.errors import ConfigurationError
from voice_transcriber.job import Job
from voice_transcriber.jobs.finished_files import FinishedFiles
from voice_transcriber.jobs.output_folder import OutputFolder
from voice_transcriber.jobs.sidecar import Sidecars
from voice_transcriber.store.sqlite import SqliteStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "jobs.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def jobs(store: SqliteStore) -> Jobs:
    return Jobs(store)


@pytest.fixture
def sidecars(tmp_path: Path) -> Sidecars:
    folder = tmp_path / "transcripts"
    folder.mkdir()
    return Sidecars(folder)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def files(store: SqliteStore, sidecars: Sidecars, out: Path) -> FinishedFiles:
    folder = OutputFolder(out, ["txt", "whisper.json"])
    return FinishedFiles(store=store, sidecars=sidecars, folder=folder)


def run(files: FinishedFiles, job: Job) -> None:
    """As the worker that ran the job."""
    files.started(job, dict)
    files.ended(job, {})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_finished_job_has_a_file_of_each_format(
    files: FinishedFiles, jobs: Jobs, out: Path
) -> None:
    run(files, jobs.completed(filename="talk.mp3"))
    assert names(out) == ["talk.txt", "talk.whisper.json"]
    assert (out / "talk.txt").read_text() == "All of it.\n"
    assert files.problem is None


def test_jobs_of_one_name_have_files_of_their_own(
    files: FinishedFiles, jobs: Jobs, out: Path
) -> None:
    for _ in range(3):
        run(files, jobs.completed(filename="talk.mp3"))
    assert [name for name in names(out) if name.endswith("txt")] == [
        "talk (2).txt",
        "talk (3).txt",
        "talk.txt",
    ]


def test_a_file_of_somebody_else_is_never_replaced(
    files: FinishedFiles, jobs: Jobs, out: Path
) -> None:
    (out / "talk.whisper.json").write_text("mine")
    run(files, jobs.completed(filename="talk.mp3"))
    assert (out / "talk.whisper.json").read_text() == "mine"
    assert names(out) == ["talk (2).txt", "talk (2).whisper.json", "talk.whisper.json"]


def test_the_same_job_again_replaces_its_own_files(
    files: FinishedFiles, jobs: Jobs, out: Path
) -> None:
    run(files, jobs.completed(filename="talk.mp3"))
    job = jobs.completed(filename="talk.mp3")
    run(files, job)
    (out / "talk (2).txt").write_text("old")
    run(files, job)
    assert (out / "talk (2).txt").read_text() == "All of it.\n"
    assert len(names(out)) == 4


def test_a_name_cannot_lead_out_of_the_folder(files: FinishedFiles, jobs: Jobs, out: Path) -> None:
    run(files, jobs.completed(filename="../../up.mp3"))
    assert names(out) == ["up.txt", "up.whisper.json"]


def test_a_job_without_a_transcript_has_no_files_and_owes_none(
    files: FinishedFiles, jobs: Jobs, sidecars: Sidecars, out: Path
) -> None:
    run(files, jobs.failed())
    run(files, jobs.cancelled())
    assert (names(out), sidecars.owing()) == ([], [])


def test_an_attempt_that_is_tried_again_still_owes_its_files(
    files: FinishedFiles, jobs: Jobs, sidecars: Sidecars, out: Path
) -> None:
    job = jobs.queued()
    run(files, job)
    assert (names(out), sidecars.owing()) == ([], [job.id])


def test_files_that_a_crash_left_out_are_written_later(
    files: FinishedFiles, jobs: Jobs, sidecars: Sidecars, store: SqliteStore, out: Path
) -> None:
    claim = jobs.running(filename="talk.mp3")
    files.started(store.get(claim.job_id), dict)
    store.complete(claim, transcript_of("All of it."), {})
    files.catch_up()
    assert (names(out), sidecars.owing()) == (["talk.txt", "talk.whisper.json"], [])


def test_a_deleted_job_owes_nothing(
    files: FinishedFiles, jobs: Jobs, sidecars: Sidecars, store: SqliteStore, out: Path
) -> None:
    job = jobs.completed()
    files.started(job, dict)
    store.delete(job.id)
    files.catch_up()
    assert (names(out), sidecars.owing()) == ([], [])


def test_a_folder_that_is_gone_is_told_and_tried_again(
    files: FinishedFiles, jobs: Jobs, sidecars: Sidecars, out: Path
) -> None:
    job = jobs.completed(filename="talk.mp3")
    out.rmdir()
    run(files, job)
    assert files.problem is not None
    assert job.id in files.problem
    assert sidecars.owing() == [job.id]
    out.mkdir()
    files.catch_up()
    assert (files.problem, names(out)) == (None, ["talk.txt", "talk.whisper.json"])


def test_deleting_a_job_forgets_its_notes_and_leaves_its_files(
    files: FinishedFiles, jobs: Jobs, sidecars: Sidecars, tmp_path: Path, out: Path
) -> None:
    job = jobs.completed(filename="talk.mp3")
    run(files, job)
    sidecars.delete(job.id)
    assert names(tmp_path / "transcripts") == ["deleted"]
    assert names(out) == ["talk.txt", "talk.whisper.json"]


def test_a_format_that_is_asked_for_twice_is_written_once(tmp_path: Path) -> None:
    folder = OutputFolder(tmp_path / "out", ["txt", "txt"])
    assert folder.reserve("talk.mp3", owned=()).names == ["talk.txt"]


def test_an_unknown_format_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        OutputFolder(tmp_path / "out", ["txt", "doc"])
    assert "OUTPUT_FORMATS" in caught.value.message
    assert "docx" in caught.value.remedy


def test_a_folder_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError) as caught:
        OutputFolder(tmp_path / "file" / "out", ["txt"])
    assert "TRANSCRIPTIONS_DIR" in caught.value.remedy
