"""Names, states and columns as people read them."""

from dataclasses import replace

import pytest

from voice_transcriber.cli.client import JobView
from voice_transcriber.cli.names import shown
from voice_transcriber.cli.report import clock, state_words
from voice_transcriber.cli.tables import size_text, table
from voice_transcriber.job import JobStatus, Stage

RUNNING = JobView(
    id="1",
    status=JobStatus.RUNNING,
    filename="talk.mp3",
    model="demo",
    language=None,
    created_at=0,
    duration_s=None,
    percent=0.0,
    stage=Stage.TRANSCRIBING,
    stage_percent=None,
    cancel_requested=False,
    error=None,
)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Übung 1.mp3", "Übung 1.mp3"),
        ("a\x1b[2Jb\n.mp3", "a?[2Jb?.mp3"),
        (b"caf\xe9.mp3".decode("utf-8", "surrogateescape"), "caf?.mp3"),
    ],
)
def test_a_name_cannot_disturb_a_terminal_or_a_database(name: str, safe: str) -> None:
    assert shown(name) == safe


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (5.4, "0:05"), (59.6, "1:00"), (3723, "1:02:03")]
)
def test_a_length_reads_as_on_a_player(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "transcribing"),
        ({"stage": Stage.LOADING_MODEL}, "loading model"),
        ({"stage": Stage.DOWNLOADING_MODEL, "stage_percent": 41.6}, "downloading model 42 %"),
        ({"status": JobStatus.FAILED}, "failed"),
    ],
)
def test_a_state_is_told_in_words(changes: dict[str, object], words: str) -> None:
    assert state_words(replace(RUNNING, **changes)) == words


def test_columns_stand_below_each_other() -> None:
    assert table(["A", "B"], [["one", "1"], ["x", ""]]) == "A    B\none  1\nx"


@pytest.mark.parametrize(("size", "text"), [(75_600_000, "76 MB"), (3_090_000_000, "3.1 GB")])
def test_sizes_have_decimal_units(size: int, text: str) -> None:
    assert size_text(size) == text
