"""TRANSCRIPTIONS_DIR: a job that the program runs leaves its files there."""

from __future__ import annotations

from pathlib import Path

from tests.running import running, settings_for, submit, text_of, until


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
