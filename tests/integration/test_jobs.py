"""Jobs from acceptance to their end, with real parts around the fake engine."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.contract.makers import Jobs, transcript_of
from tests.integration.conftest import Start
from tests.running import (
    blob_files,
    ended,
    has_windows,
    runs,
    sidecars,
    submit,
    text_of,
    text_so_far,
    until,
    work_folders,
)
from voice_transcriber.errors import (
    EmptyFile,
    NotFound,
    QueueFull,
)
from voice_transcriber.job import SAMPLE_RATE, Chunk, JobStatus, Priority, TranscribeOptions
from voice_transcriber.services import Services


def test_a_job_becomes_a_transcript(services: Services, sounds: Path) -> None:
    job = ended(services, submit(services, sounds / "minute.wav"))
    transcript = services.store.transcript(job.id)
    assert (job.status, job.percent, job.language) == (JobStatus.COMPLETED, 100.0, "en")
    assert (transcript.duration_ms, transcript.model) == (60_000, "demo")
    assert services.manager.detail(job.id).segments == transcript.segments
    assert len(sidecars(services)) == 1
    until(lambda: work_folders(services) == [])  # it goes when the job has ended


@pytest.mark.parametrize("is_completed", [False, True])
def test_chunks_are_shown_in_the_order_of_time(start: Start, is_completed: bool) -> None:
    """The third one was found between the two others, when the first was cut in two."""
    services = start()
    services.drain()
    jobs = Jobs(services.store)
    claim = jobs.running()
    for index, minute in enumerate((0, 2, 1)):
        begin = minute * 60 * SAMPLE_RATE
        end = begin + 60 * SAMPLE_RATE
        chunk = Chunk(index=index, start_sample=begin, end_sample=end, language="en")
        services.store.add_chunk(claim, chunk, [])
    if is_completed:
        services.store.complete(claim, transcript_of("All of it."), {})
    chunks = services.manager.detail(claim.job_id).chunks
    assert [(chunk.index, chunk.start_s) for chunk in chunks] == [(0, 0.0), (1, 60.0), (2, 120.0)]


def test_texts_differ_so_that_a_mix_up_would_show(true_texts: dict[str, str]) -> None:
    assert len(set(true_texts.values())) == len(true_texts)


def test_the_engine_in_a_thread_gives_the_same_text(
    start: Start, sounds: Path, true_texts: dict[str, str]
) -> None:
    services = start(ENGINE_ISOLATION="thread")
    job = submit(services, sounds / "minute.wav")
    assert text_of(services, job) == true_texts["minute"]
    assert services.engine.pid is None


def test_the_plan_of_a_long_file_has_chunks(
    start: Start, sounds: Path, true_texts: dict[str, str]
) -> None:
    services = start(AUDIO_CHUNK_SIZE="60")
    job = ended(services, submit(services, sounds / "minutes.wav"))
    chunks = services.store.plan(job.id).chunks
    assert len(chunks) >= 4
    assert [one.end_sample for one in chunks[:-1]] == [one.start_sample for one in chunks[1:]]
    assert (chunks[0].start_sample, chunks[-1].end_sample) == (0, 240 * 16_000)


def test_a_recording_that_is_too_long_fails_and_leaves_nothing(start: Start, sounds: Path) -> None:
    services = start(MAX_DURATION="30s")
    job = ended(services, submit(services, sounds / "minute.wav"))
    assert job.error is not None
    assert (job.status, job.error.code) == (JobStatus.FAILED, "too_long")
    assert "MAX_DURATION" in job.error.remedy
    assert work_folders(services) == []


def test_what_is_no_recording_fails_and_the_next_job_runs(
    services: Services, sounds: Path, tmp_path: Path, true_texts: dict[str, str]
) -> None:
    text = tmp_path / "letter.mp3"
    text.write_text("Dear all,\n" * 1000, encoding="utf-8")
    bad = ended(services, submit(services, text))
    assert bad.error is not None
    assert (bad.error.code, bad.failures) == ("not_media", 0)
    assert text_of(services, submit(services, sounds / "clip.wav")) == true_texts["clip"]


def test_what_is_no_recording_is_not_blamed_on_a_model_that_is_missing(
    start: Start, sounds: Path, tmp_path: Path
) -> None:
    services = start(OFFLINE="true")
    base = TranscribeOptions(model="base")
    text = tmp_path / "letter.mp3"
    text.write_text("Dear all,\n" * 1000, encoding="utf-8")
    text_job, clip_job = (
        ended(services, submit(services, path, options=base))
        for path in (text, sounds / "clip.wav")
    )
    assert text_job.error is not None
    assert clip_job.error is not None
    assert (text_job.error.code, clip_job.error.code) == ("not_media", "offline")


def test_an_empty_upload_is_refused_and_leaves_nothing(services: Services, tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    with pytest.raises(EmptyFile):
        submit(services, tmp_path / "empty.wav")
    assert blob_files(services) == []


def test_a_damaged_model_fails_the_job_at_once(start: Start, sounds: Path, tmp_path: Path) -> None:
    services = start()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.pt").write_bytes(b"cut off")
    job = submit(services, sounds / "clip.wav", options=TranscribeOptions(model="mine"))
    job = ended(services, job)
    assert job.error is not None
    assert (job.error.code, job.failures) == ("model_damaged", 0)


def test_the_figures_of_a_job_are_kept_with_it(services: Services, sounds: Path) -> None:
    figures = ended(services, submit(services, sounds / "minute.wav")).performance
    assert figures["audio_s"] == 60.0
    assert figures["wall_s"] > 0
    assert figures["real_time_factor"] == pytest.approx(figures["wall_s"] / 60, abs=1e-3)
    assert figures["peak_memory_bytes"]["app"] > 1_000_000
    assert figures["peak_memory_bytes"]["engine"] > 1_000_000
    assert figures["cpu_percent"] >= 0
    assert (figures["device"], figures["compute_type"]) == ("cpu", "float32")


@pytest.mark.parametrize(("switch", "lines"), [("true", 1), ("false", 0)])
def test_the_figures_are_logged_when_that_is_asked_for(
    start: Start, sounds: Path, caplog: pytest.LogCaptureFixture, switch: str, lines: int
) -> None:
    services = start(LOG_PERFORMANCE_METRICS=switch)
    with caplog.at_level(logging.INFO, logger="voice_transcriber.performance"):
        job = ended(services, submit(services, sounds / "clip.wav"))
        services.drain()
    told = [one.message for one in caplog.records if one.name == "voice_transcriber.performance"]
    assert len([one for one in told if f"job={job.id}" in one and "wall_s=" in one]) == lines


def test_urgent_jobs_go_first_and_equal_ones_in_the_order_of_their_coming(
    start: Start, sounds: Path
) -> None:
    services = start(MAX_CONCURRENT_JOBS="1")
    blocker = submit(services, sounds / "minutes.wav", priority=Priority.HIGH)
    until(lambda: runs(services, blocker))
    low, first, second, high = (
        submit(services, sounds / "minute.wav", priority=priority)
        for priority in (Priority.LOW, Priority.NORMAL, Priority.NORMAL, Priority.HIGH)
    )
    assert services.manager.detail(low.id).queue_position == 4
    jobs = {job.id: ended(services, job) for job in (high, first, second, low)}
    started = [job.started_at or 0.0 for job in jobs.values()]
    assert started == sorted(started)


def test_a_clip_overtakes_a_long_job(start: Start, sounds: Path) -> None:
    services = start(MAX_CONCURRENT_JOBS="1")
    long = submit(services, sounds / "long.wav")
    until(lambda: runs(services, long))
    ended(services, submit(services, sounds / "clip.wav"))
    assert runs(services, long)


def test_an_urgent_job_overtakes_a_long_job(start: Start, sounds: Path) -> None:
    services = start(MAX_CONCURRENT_JOBS="1")
    long = submit(services, sounds / "long.wav")
    until(lambda: runs(services, long))
    ended(services, submit(services, sounds / "minutes.wav", priority=Priority.HIGH))
    assert runs(services, long)


def test_a_full_queue_says_no_and_keeps_nothing(start: Start, sounds: Path) -> None:
    services = start(MAX_CONCURRENT_JOBS="1", MAX_QUEUE_SIZE="1")
    long = submit(services, sounds / "long.wav")
    until(lambda: runs(services, long))
    submit(services, sounds / "minutes.wav")
    files = blob_files(services)
    with pytest.raises(QueueFull):
        submit(services, sounds / "minute.wav")
    with pytest.raises(QueueFull):
        services.manager.check_accepts()
    assert blob_files(services) == files


def test_a_queued_job_is_cancelled_at_once(start: Start, sounds: Path) -> None:
    services = start(MAX_CONCURRENT_JOBS="1")
    long = submit(services, sounds / "long.wav")
    until(lambda: runs(services, long))
    job = submit(services, sounds / "minutes.wav")
    assert services.manager.cancel(job.id).status is JobStatus.CANCELLED


def test_a_running_job_is_cancelled_and_its_decoded_audio_goes(
    services: Services, sounds: Path
) -> None:
    job = submit(services, sounds / "long.wav")
    until(lambda: has_windows(services, job, 2))
    services.manager.cancel(job.id)
    job = ended(services, job)
    assert (job.status, job.error) == (JobStatus.CANCELLED, None)
    until(lambda: not work_folders(services))
    assert text_so_far(services, job)


def test_a_cancelled_job_goes_on_where_it_was_when_it_is_retried(
    services: Services, sounds: Path, true_texts: dict[str, str]
) -> None:
    job = submit(services, sounds / "minutes.wav")
    until(lambda: has_windows(services, job, 2))
    services.manager.cancel(job.id)
    ended(services, job)
    before = services.store.plan(job.id)
    services.manager.retry(job.id)
    after = services.store.plan(job.id)
    assert before.segments.items() <= after.segments.items()
    assert before.chunks == after.chunks
    assert text_of(services, job) == true_texts["minutes"]


def test_a_deleted_job_leaves_no_file(services: Services, sounds: Path) -> None:
    job = ended(services, submit(services, sounds / "clip.wav"))
    services.manager.delete(job.id)
    assert blob_files(services) == sidecars(services) == work_folders(services) == []
    with pytest.raises(NotFound):
        services.store.get(job.id)


def test_audio_stays_as_long_as_another_job_needs_it(services: Services, sounds: Path) -> None:
    first, second = (ended(services, submit(services, sounds / "clip.wav")) for _ in range(2))
    services.manager.delete(first.id)
    assert len(blob_files(services)) == len(sidecars(services)) == 1
    services.manager.delete(second.id)
    assert blob_files(services) == []
