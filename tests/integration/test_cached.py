"""Recordings that come again: what is computed once, what is computed anew, what is forgotten."""

from __future__ import annotations

import logging
import sqlite3
import time
import wave
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.makers import Jobs
from tests.integration.conftest import Start
from tests.recordings import tone, write_wav
from tests.running import (
    DEMO,
    ended,
    has_windows,
    running,
    runs,
    settings_for,
    sidecars,
    submit,
    text_of,
    until,
    work_folders,
)
from voice_transcriber.data_folder import DataFolder
from voice_transcriber.job import JobStatus, TranscribeOptions
from voice_transcriber.services import Services

CACHED = {"ENABLE_CACHE": "true"}


@pytest.fixture
def services(start: Start) -> Services:
    return start(**CACHED)


def write_zip(path: Path, content: str) -> None:
    """What the fake engine takes for a model."""
    with zipfile.ZipFile(path, "w") as model:
        model.writestr("weights", content)


def copy_with_a_note(path: Path, target: Path) -> Path:
    """Other bytes, the same sound: a chunk that players pass over is added at the end."""
    data = path.read_bytes() + b"note" + (4).to_bytes(4, "little") + b"copy"
    size = len(data) - 8
    target.write_bytes(data[:4] + size.to_bytes(4, "little") + data[8:])
    with wave.open(str(path)) as one, wave.open(str(target)) as other:
        assert one.readframes(10**6) == other.readframes(10**6)
    return target


def test_a_recording_that_comes_again_is_answered_at_once(
    services: Services, sounds: Path, true_texts: dict[str, str]
) -> None:
    first = ended(services, submit(services, sounds / "minute.wav"))
    again = submit(services, sounds / "minute.wav")
    assert again.status is JobStatus.COMPLETED
    assert again.is_cached
    assert not first.is_cached
    assert text_of(services, again) == text_of(services, first) == true_texts["minute"]
    assert services.store.transcript(again.id) == services.store.transcript(first.id)
    assert (again.duration_s, again.language) == (first.duration_s, first.language)
    assert again.text_tail.endswith(first.text_tail[-20:])
    assert len(sidecars(services)) == 2
    stats = services.results.stats()
    assert (stats.hits, stats.misses) == (1, 1)


def test_a_restart_forgets_nothing(start: Start, sounds: Path) -> None:
    first = start(**CACHED)
    ended(first, submit(first, sounds / "clip.wav"))
    first.stop()
    assert submit(start(**CACHED), sounds / "clip.wav").is_cached


@pytest.mark.parametrize(
    "options",
    [
        replace(DEMO, word_timestamps=True),
        replace(DEMO, to_s=3.0),
        replace(DEMO, use_cache=False),
    ],
    ids=["word times", "a part", "anew"],
)
def test_another_question_is_computed(
    shared: Services, sounds: Path, options: TranscribeOptions
) -> None:
    ended(shared, submit(shared, sounds / "clip.wav"))
    job = ended(shared, submit(shared, sounds / "clip.wav", options=options))
    assert job.status is JobStatus.COMPLETED
    assert not job.is_cached


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with running(settings_for(tmp_path_factory.mktemp("shared"), **CACHED)) as services:
        yield services


def test_other_settings_that_change_a_text_are_computed(start: Start, sounds: Path) -> None:
    first = start(**CACHED)
    ended(first, submit(first, sounds / "clip.wav"))
    first.stop()
    second = start(**CACHED, BEAM_SIZE="1")
    assert not ended(second, submit(second, sounds / "clip.wav")).is_cached


def test_another_model_file_of_the_same_name_is_computed(start: Start, sounds: Path) -> None:
    services = start(**CACHED)
    path = services.settings.whisper_model_dir / "own.pt"
    path.parent.mkdir(exist_ok=True)
    write_zip(path, "one")
    own = TranscribeOptions(model="own")
    assert not ended(services, submit(services, sounds / "clip.wav", options=own)).is_cached
    assert ended(services, submit(services, sounds / "clip.wav", options=own)).is_cached
    write_zip(path, "two")
    assert not ended(services, submit(services, sounds / "clip.wav", options=own)).is_cached


def test_the_same_sound_in_another_file_is_known_once_it_is_decoded(
    services: Services, sounds: Path, tmp_path: Path
) -> None:
    first = ended(services, submit(services, sounds / "minute.wav"))
    copy = copy_with_a_note(sounds / "minute.wav", tmp_path / "copy.wav")
    job = ended(services, submit(services, copy))
    assert job.is_cached
    assert text_of(services, job) == text_of(services, first)
    assert submit(services, copy).status is JobStatus.COMPLETED


def test_the_figures_of_a_known_job_tell_nothing_of_a_computation(
    start: Start, sounds: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It was decoded, so a worker ran it; its hooks are told what is kept with the job."""
    services = start(**CACHED, LOG_PERFORMANCE_METRICS="true")
    ended(services, submit(services, sounds / "clip.wav"))
    copy = copy_with_a_note(sounds / "clip.wav", tmp_path / "copy.wav")
    caplog.set_level(logging.INFO, logger="voice_transcriber.performance")
    job = ended(services, submit(services, copy))

    def lines() -> list[str]:
        return [text for text in caplog.messages if text.startswith(f"job={job.id} ")]

    until(lines)
    assert lines() == [f"job={job.id} model=demo wall_s={job.performance['wall_s']} cached=True"]


def test_a_job_that_is_cancelled_while_it_is_answered_keeps_no_text(
    services: Services, sounds: Path
) -> None:
    first = ended(services, submit(services, sounds / "clip.wav"))
    finding = services.known.find(first.blob_sha256, first.options)
    assert finding is not None
    job = Jobs(services.store).queued(blob_sha256=first.blob_sha256, run_at=time.time() + 600)
    services.manager.cancel(job.id)
    assert not services.known.complete_queued(job, finding)
    assert [path.stem for path in sidecars(services)] == [first.id]
    assert services.results.stats().hits == 0


def test_two_at_once_are_computed_once(services: Services, sounds: Path) -> None:
    first = submit(services, sounds / "minutes.wav")
    until(lambda: runs(services, first))
    second = submit(services, sounds / "minutes.wav")
    until(lambda: has_windows(services, first, 1))
    assert services.store.get(second.id).status is JobStatus.QUEUED
    assert text_of(services, second) == text_of(services, first)
    assert ended(services, second).is_cached
    assert services.results.stats().misses == 1


def test_the_second_goes_on_by_itself_when_the_first_is_cancelled(
    services: Services, sounds: Path, true_texts: dict[str, str]
) -> None:
    first = submit(services, sounds / "minutes.wav")
    until(lambda: has_windows(services, first, 1))
    second = submit(services, sounds / "minutes.wav")
    services.manager.cancel(first.id)
    assert text_of(services, second) == true_texts["minutes"]
    assert not services.store.get(second.id).is_cached


def test_a_restart_between_the_two_loses_neither(
    start: Start, sounds: Path, true_texts: dict[str, str]
) -> None:
    services = start(**CACHED)
    pair = [submit(services, sounds / "minutes.wav") for _ in range(2)]
    until(lambda: has_windows(services, pair[0], 1))
    services.stop()
    again = start(**CACHED)
    assert [text_of(again, job) for job in pair] == [true_texts["minutes"]] * 2


def test_chunks_that_two_recordings_share_are_computed_once(
    start: Start, tmp_path: Path, true_texts: dict[str, str]
) -> None:
    """The second one has the first two chunks of the first, and another end."""
    services = start(**CACHED, AUDIO_CHUNK_SIZE="30", MAX_PARALLEL_CHUNKS="1")
    beginning = [tone(29), tone(31, pitch_hz=300)]
    write_wav(tmp_path / "one.wav", *beginning, tone(20, pitch_hz=350))
    write_wav(tmp_path / "two.wav", *beginning, tone(20, pitch_hz=400))
    ended(services, submit(services, tmp_path / "one.wav"))
    job = ended(services, submit(services, tmp_path / "two.wav"))
    assert not job.is_cached
    assert job.performance["known_chunks"] >= 1
    assert "real_time_factor" not in job.performance
    assert services.results.stats().chunk_hits == job.performance["known_chunks"]
    anew = submit(services, tmp_path / "two.wav", options=replace(DEMO, use_cache=False))
    assert ended(services, anew).performance.get("known_chunks") is None
    assert services.store.transcript(job.id) == services.store.transcript(anew.id)


def test_known_chunks_are_whole_when_the_program_dies_over_the_others(
    start: Start, tmp_path: Path
) -> None:
    services = start(**CACHED, AUDIO_CHUNK_SIZE="30", MAX_PARALLEL_CHUNKS="1")
    beginning = [tone(29), tone(31, pitch_hz=300)]
    write_wav(tmp_path / "one.wav", *beginning, tone(20, pitch_hz=350))
    write_wav(tmp_path / "two.wav", *beginning, tone(150, pitch_hz=400))
    ended(services, submit(services, tmp_path / "one.wav"))
    job = submit(services, tmp_path / "two.wav")
    until(lambda: services.results.chunk_hits >= 1 and has_windows(services, job, 3))
    services.stop()
    again = start(**CACHED, AUDIO_CHUNK_SIZE="30", MAX_PARALLEL_CHUNKS="1")
    text = text_of(again, job)
    anew = submit(again, tmp_path / "two.wav", options=replace(DEMO, use_cache=False))
    assert text_of(again, anew) == text


def test_a_deleted_job_leaves_no_text(services: Services, sounds: Path) -> None:
    job = ended(services, submit(services, sounds / "clip.wav"))
    services.manager.delete(job.id)
    stats = services.results.stats()
    assert (stats.memory.entries, stats.disk.entries) == (0, 0)
    assert not ended(services, submit(services, sounds / "clip.wav")).is_cached


def test_a_text_stays_known_while_another_job_has_it(services: Services, sounds: Path) -> None:
    first = ended(services, submit(services, sounds / "clip.wav"))
    second = submit(services, sounds / "clip.wav")
    services.manager.delete(first.id)
    third = submit(services, sounds / "clip.wav")
    assert third.is_cached
    for job in (second, third):
        services.manager.delete(job.id)
    assert services.results.stats().disk.entries == 0


def test_a_damaged_entry_is_computed_anew(start: Start, sounds: Path) -> None:
    services = start(**CACHED)
    ended(services, submit(services, sounds / "clip.wav"))
    services.stop()
    with closing(sqlite3.connect(DataFolder(services.settings.data_dir).database)) as db, db:
        assert db.execute("UPDATE results SET content = x'00'").rowcount == 1
    again = start(**CACHED)
    job = ended(again, submit(again, sounds / "clip.wav"))
    assert job.status is JobStatus.COMPLETED
    assert not job.is_cached
    assert submit(again, sounds / "clip.wav").is_cached


def test_a_known_job_writes_its_finished_files(start: Start, sounds: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    services = start(**CACHED, TRANSCRIPTIONS_DIR=str(out), OUTPUT_FORMATS="txt,json")
    ended(services, submit(services, sounds / "clip.wav"))
    assert submit(services, sounds / "clip.wav").is_cached
    assert sorted(path.name for path in out.iterdir()) == [
        "clip (2).json",
        "clip (2).txt",
        "clip.json",
        "clip.txt",
    ]


def test_a_known_job_leaves_no_work_behind(services: Services, sounds: Path) -> None:
    first = submit(services, sounds / "clip.wav")
    second = submit(services, sounds / "clip.wav")
    ended(services, first)
    ended(services, second)
    until(lambda: not work_folders(services))


def test_without_a_disk_it_is_known_until_the_restart(start: Start, sounds: Path) -> None:
    services = start(**CACHED, ENABLE_DISK_CACHE="false")
    ended(services, submit(services, sounds / "clip.wav"))
    assert submit(services, sounds / "clip.wav").is_cached
    services.stop()
    again = start(**CACHED, ENABLE_DISK_CACHE="false")
    assert not ended(again, submit(again, sounds / "clip.wav")).is_cached


def test_what_is_too_much_makes_room(start: Start, sounds: Path) -> None:
    services = start(**CACHED, DISK_CACHE_SIZE="1KB")
    for name in ("clip", "other clip", "minute"):
        ended(services, submit(services, sounds / f"{name}.wav"))
    services.results.tidy()
    assert services.results.stats().disk.size_bytes <= 1000
