"""Figures in the words of the page."""

from __future__ import annotations

import time
from typing import Any

import pytest

from voice_transcriber.job import Job, JobStatus, Priority, Stage, TranscribeOptions
from voice_transcriber.transcript.model import Segment
from voice_transcriber.web.stage_times import REST, stage_times
from voice_transcriber.web.wording import (
    about,
    clock,
    duration,
    from_word,
    size,
    state,
    time_left,
    written_language,
)

FAR_AWAY = 4_000_000_000.0  # in the year 2096


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (1_540, "1.5 kB"),
        (145_000_000, "145 MB"),
        (999_600_000, "1 GB"),
        (2_890_000_000, "2.9 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_sizes_have_few_figures(size_bytes: int, text: str) -> None:
    assert size(size_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5.63, "5.6 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (185, "3 min 5 s"),
        (3_600, "1 h"),
        (86_399, "23 h 59 min"),
    ],
)
def test_durations_are_told_in_the_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [(999, "0:00"), (7_000, "0:07"), (750_000, "12:30"), (3_723_000, "1:02:03")],
)
def test_places_are_told_as_players_do(time_ms: int, text: str) -> None:
    assert clock(time_ms) == text


def test_a_text_cut_within_a_word_starts_with_the_next_one() -> None:
    assert from_word("es. The train leaves.") == "… The train leaves."
    assert from_word("The train leaves.") == "The train leaves."


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (3, "less than a minute"),
        (61, "about 2 min"),
        (590, "about 10 min"),
        (13 * 60, "about 15 min"),
        (58 * 60, "about 1 h"),
        (83 * 60, "about 1 h 20 min"),
        (10 * 3600, "about 10 h"),
    ],
)
def test_estimates_are_coarse(seconds: float, text: str) -> None:
    assert about(seconds) == text


def job(**changes: Any) -> Job:
    values: dict[str, Any] = {
        "id": "x",
        "seq": 1,
        "revision": 1,
        "status": JobStatus.RUNNING,
        "filename": "talk.wav",
        "blob_sha256": "0",
        "size_bytes": 1,
        "options": TranscribeOptions(model="demo"),
        "priority": Priority.NORMAL,
        "created_at": 0.0,
    }
    return Job(**values | changes)


def test_a_running_job_tells_the_time_that_is_left() -> None:
    assert time_left(job(ends_at=time.time() + 1_000_000)) == "about 277 h 50 min left"


@pytest.mark.parametrize(
    "changes",
    [
        {"ends_at": 1.0},  # it took longer than was thought
        {},
        {"ends_at": FAR_AWAY, "cancel_requested": True},
        {"ends_at": FAR_AWAY, "status": JobStatus.QUEUED},
    ],
)
def test_other_jobs_have_no_time_left(changes: dict[str, Any]) -> None:
    assert time_left(job(**changes)) == ""


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"stage": Stage.DOWNLOADING_MODEL}, "Downloading the model"),
        ({"stage": Stage.LOADING_MODEL}, "Loading the model"),
        ({"cancel_requested": True}, "Cancelling"),
        ({"status": JobStatus.QUEUED}, "Waiting"),
        ({"status": JobStatus.QUEUED, "run_at": FAR_AWAY}, "Waiting to try again"),
        ({"status": JobStatus.CANCELLED}, "Cancelled"),
    ],
)
def test_states_are_told_in_words(changes: dict[str, Any], text: str) -> None:
    assert state(job(**changes)) == text


def test_the_times_of_the_stages_and_the_rest_make_up_the_whole() -> None:
    performance = {"wall_s": 10.0, "stages_s": {"text": 4.0, "vad": 1.0, "new_stage": 1.0}}
    assert [(row.name, row.seconds, row.percent) for row in stage_times(performance)] == [
        ("Finding speech", 1.0, 10.0),
        ("Writing the text", 4.0, 40.0),
        ("New stage", 1.0, 10.0),
        (REST, 4.0, 40.0),
    ]


@pytest.mark.parametrize("performance", [{}, {"wall_s": 0.0}, {"wall_s": 3.0, "stages_s": {}}])
def test_without_figures_there_is_no_table(performance: dict[str, Any]) -> None:
    assert list(stage_times(performance)) == []


@pytest.mark.parametrize(
    ("own", "changes", "code"),
    [
        (None, {"language": "es"}, "es"),
        ("de", {"language": "multi"}, "de"),
        (None, {"language": "multi"}, None),
        (None, {}, None),
        ("de", {"options": TranscribeOptions(model="demo", task="translate")}, "en"),
    ],
)
def test_the_language_of_a_text_is_that_in_which_it_is_written(
    own: str | None, changes: dict[str, Any], code: str | None
) -> None:
    segment = Segment(start_ms=0, end_ms=1, text=" Hallo", language=own)
    assert written_language(segment, job(**changes)) == code
