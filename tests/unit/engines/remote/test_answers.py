"""From what a server wrote to segments; it may write anything."""

from __future__ import annotations

import json
from typing import Any

import pytest

from voice_transcriber.engines.remote.answers import Answer, UnreadableAnswer, read_answer
from voice_transcriber.job import SAMPLE_RATE


def read(body: Any, *, words: bool = False, start_s: int = 100, end_s: int = 130) -> Answer:
    return read_answer(
        json.dumps(body).encode(),
        is_json=True,
        start=start_s * SAMPLE_RATE,
        end=end_s * SAMPLE_RATE,
        want_words=words,
    )


def segment(start: float, end: float, text: str, **more: Any) -> dict[str, Any]:
    return {"id": 0, "start": start, "end": end, "text": text, **more}


def test_times_are_those_of_the_file_and_stay_in_what_was_sent() -> None:
    answer = read({"text": "", "segments": [segment(-1, 2.5, " a"), segment(29, 99, " b")]})
    times = [(one.start_ms, one.end_ms) for one in answer.segments]
    assert times == [(100_000, 102_500), (129_000, 130_000)]


def test_an_end_before_its_start_is_mended() -> None:
    (one,) = read({"text": "a", "segments": [segment(5, 4, " a")]}).segments
    assert (one.start_ms, one.end_ms) == (105_000, 105_000)


def test_empty_segments_are_left_out() -> None:
    assert read({"text": " ", "segments": [segment(0, 1, " ")]}).segments == ()
    silent = read({"text": ""})
    assert (silent.segments, silent.has_times) == ((), True)


def test_figures_that_a_server_leaves_out_or_null() -> None:
    more = {"avg_logprob": None, "tokens": None}
    (one,) = read({"text": "a", "segments": [segment(0, 1, " a", **more)]}).segments
    assert (one.avg_logprob, one.tokens, one.no_speech_prob) == (0.0, (), 0.0)


def test_text_without_segments_is_one_piece() -> None:
    answer = read({"text": "Hello there."})
    (one,) = answer.segments
    assert (one.start_ms, one.end_ms, one.text) == (100_000, 130_000, " Hello there.")
    assert not answer.has_times


@pytest.mark.parametrize(
    ("text", "joined"), [("Hello.", " Hello."), (" Hello.", " Hello."), ("你好。", "你好。")]
)
def test_pieces_can_be_joined(text: str, joined: str) -> None:
    assert read({"text": text, "segments": [segment(0, 1, text)]}).segments[0].text == joined


@pytest.mark.parametrize(
    ("named", "code"), [("english", "en"), ("de", "de"), ("klingon", None), (None, None)]
)
def test_the_language_is_a_code_or_not_known(named: str | None, code: str | None) -> None:
    assert read({"text": "a", "language": named}).language == code


def test_words_take_their_place_in_the_text() -> None:
    answer = read(
        {
            "text": " Well, yes! No.",
            "segments": [segment(0, 2, " Well, yes!"), segment(2, 3, " No.")],
            "words": [
                {"word": "Well", "start": 0.1, "end": 0.5},
                {"word": "yes", "start": 1.0, "end": 2.1},
                {"word": "No", "start": 2.2, "end": 9.0},
            ],
        },
        words=True,
    )
    words = [[word.text for word in one.words or ()] for one in answer.segments]
    assert words == [[" Well,", " yes!"], [" No."]]
    assert answer.segments[0].words is not None
    assert answer.segments[0].words[1].end_ms == 102_000  # inside its segment
    assert answer.segments[1].words is not None
    assert answer.segments[1].words[0].end_ms == 103_000


def test_words_may_lie_in_the_segments_and_may_differ_from_the_text() -> None:
    inside = [{"word": " ten", "start": 0, "end": 1}, {"word": "men", "start": 1, "end": 2}]
    answer = read(
        {"text": "10 men", "segments": [segment(0, 2, "10 men", words=inside)]}, words=True
    )
    assert [word.text for word in answer.segments[0].words or ()] == [" ten", " 10 men"]


def test_words_that_were_not_asked_for_are_left_out() -> None:
    words = [{"word": "a", "start": 0, "end": 1}]
    assert (
        read({"text": "a", "segments": [segment(0, 1, "a")], "words": words}).segments[0].words
        is None
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"segments": []}',
        b'{"text": 5}',
        b'{"text": "a", "segments": [{"text": "a"}]}',
        b'{"text": "a", "segments": [{"start": "0", "end": 1, "text": "a"}]}',
        b'{"text": "\xff"}',
    ],
)
def test_what_is_not_of_the_dialect_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        read_answer(body, is_json=True, start=0, end=16_000, want_words=False)


def test_a_plain_text_must_be_a_text() -> None:
    with pytest.raises(UnreadableAnswer):
        read_answer(b"\xff\xfe", is_json=False, start=0, end=16_000, want_words=False)
