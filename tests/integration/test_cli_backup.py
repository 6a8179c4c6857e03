"""`backup`, `restore` and `check --data`, as people run them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.program import Program
from tests.running import settings_for, submit, text_of
from voice_transcriber.data_folder import DataFolder
from voice_transcriber.errors import NotFound
from voice_transcriber.services import Services


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
def folder(program: Program) -> DataFolder:
    return DataFolder(program.data_dir)


@pytest.fixture
def finished(program: Program, sounds: Path) -> dict[str, str]:
    """Texts of two finished jobs, by id; nothing runs any more."""
    services = Services(settings_for(program.folder))
    services.start()
    jobs = [submit(services, sounds / f"{name}.wav") for name in ("clip", "other clip")]
    found = {job.id: text_of(services, job) for job in jobs}
    services.stop()
    return found


def texts(program: Program, ids: list[str]) -> dict[str, str]:
    services = Services(settings_for(program.folder))
    services.start()
    try:
        return {job_id: services.store.transcript(job_id).text for job_id in ids}
    finally:
        services.stop()


def test_a_backup_is_restored_on_a_new_machine(
    program: Program, finished: dict[str, str], folder: DataFolder, tmp_path: Path
) -> None:
    made = program.run("backup", tmp_path / "copy")
    assert made.returncode == 0, made.stderr
    assert program.run("check", "--data").returncode == 0
    folder.root.rename(tmp_path / "lost")
    restored = program.run("restore", tmp_path / "copy")
    assert restored.returncode == 0, restored.stderr
    assert "2 jobs, sound" in restored.stdout
    assert texts(program, list(finished)) == finished
    checked = program.run("check", "--data")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "recordings: 2, of which 0 have no job" in checked.stdout


def test_a_dry_run_changes_nothing(
    program: Program, finished: dict[str, str], folder: DataFolder, tmp_path: Path
) -> None:
    assert program.run("backup", "--no-recordings", tmp_path / "copy").returncode == 0
    assert not (tmp_path / "copy" / "blobs").exists()
    before = folder.database.read_bytes()
    dry = program.run("restore", "--dry-run", tmp_path / "copy")
    assert (dry.returncode, "would be put" in dry.stdout) == (0, True)
    assert folder.database.read_bytes() == before
    assert not folder.quarantine.exists()


@pytest.mark.parametrize("target", [[], ["copy"]], ids=["daily copy", "folder"])
def test_what_was_finished_and_deleted_since_a_backup_stays_so(
    program: Program,
    finished: dict[str, str],
    folder: DataFolder,
    sounds: Path,
    target: list[str],
) -> None:
    copy = program.run("backup", *target).stdout.strip()
    services = Services(settings_for(program.folder))
    services.start()
    deleted, kept = finished
    services.manager.delete(deleted)
    later = submit(services, sounds / "minute.wav")
    later_text = text_of(services, later)
    services.stop()
    assert program.run("restore", copy).returncode == 0
    assert (next(folder.quarantine.iterdir()) / "jobs.db").exists()
    assert texts(program, [kept, later.id]) == {kept: finished[kept], later.id: later_text}
    with pytest.raises(NotFound):
        texts(program, [deleted])
    assert len(list(folder.blobs.glob("??/*"))) == 2


def test_a_restore_is_refused_while_a_server_runs(
    program: Program, finished: dict[str, str], tmp_path: Path
) -> None:
    assert program.run("backup", tmp_path / "copy").returncode == 0
    with program.serving():
        refused = program.run("restore", tmp_path / "copy")
        assert program.run("backup").returncode == 0
    assert refused.returncode == 1
    assert "Another instance" in refused.stderr


def test_wrong_paths_are_told(program: Program, finished: dict[str, str], tmp_path: Path) -> None:
    missing = program.run("restore", tmp_path / "nothing")
    assert (missing.returncode, "There is no backup" in missing.stderr) == (2, True)
    taken = program.run("backup", tmp_path)
    assert (taken.returncode, "exists already" in taken.stderr) == (2, True)
    (tmp_path / "bad.db").write_bytes(b"x" * 5000)
    bad = program.run("restore", tmp_path / "bad.db")
    assert (bad.returncode, "not a database" in bad.stderr) == (1, True)


def test_check_tells_what_is_missing(
    program: Program, finished: dict[str, str], folder: DataFolder
) -> None:
    next(folder.blobs.glob("??/*")).unlink()
    next(folder.transcripts.glob("*.json")).write_bytes(b"{")
    checked = program.run("check", "--data")
    assert checked.returncode == 1
    assert "1 recordings of jobs are missing" in checked.stderr
    assert "1 transcripts beside the database are missing or damaged" in checked.stderr
    folder.database.write_bytes(b"x" * 9000)
    damaged = program.run("check", "--data")
    assert (damaged.returncode, "The database is damaged" in damaged.stderr) == (1, True)


def test_a_folder_that_is_not_there_is_no_failure(program: Program) -> None:
    checked = program.run("check", "--data")
    assert (checked.returncode, "not there yet" in checked.stdout) == (0, True)
    assert not program.data_dir.exists()
    assert program.run("backup").returncode == 2
