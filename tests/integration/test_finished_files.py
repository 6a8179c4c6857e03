"""TRANSCRIPTIONS_DIR: a job that the program runs leaves its files there."""

from __future__ import annotations

from pathlib import Path

from tests.running import running, settings_for, submit, text_of, until
from voice_transcriber.jobs.sidecar import Sidecars


def test_a_job_leaves_its_files_in_the_chosen_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    settings = settings_for(
        tmp_path, TRANSCRIPTIONS_DIR=str(out), OUTPUT_FORMATS="txt, docx", ENGINE_ISOLATION="thread"
    )
    recording = Path(__file__).parents[1] / "data" / "audio" / "en_5s.wav"
    with running(settings) as services:
        text = text_of(services, submit(services, recording))
        until(lambda: not list((settings.data_dir / "transcripts").glob("*.owed")))
        assert services.health().details["finished_files"] is None
    assert sorted(path.name for path in out.iterdir()) == ["en_5s.docx", "en_5s.txt"]
    assert (out / "en_5s.txt").read_text().split() == text.split()


def test_files_that_a_crash_left_out_are_written_after_the_next_start(tmp_path: Path) -> None:
    recording = Path(__file__).parents[1] / "data" / "audio" / "en_5s.wav"
    with running(settings_for(tmp_path, ENGINE_ISOLATION="thread")) as services:
        job = submit(services, recording)
        text = text_of(services, job)
    Sidecars(tmp_path / "data" / "transcripts").owe_files(job.id)
    out = tmp_path / "out"
    with running(settings_for(tmp_path, TRANSCRIPTIONS_DIR=str(out), OUTPUT_FORMATS="txt")):
        until(lambda: not list((tmp_path / "data" / "transcripts").glob("*.owed")))
    assert (out / "en_5s.txt").read_text().split() == text.split()
