"""Tokens of a window become segments, and what the window left out is named."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from voice_transcriber.engines.segments import ParsedWindow, TimedTokens, parse_window

BEGIN = 1000  # first timestamp token
LENGTH_MS = 30_000


class Vocabulary:
    timestamp_begin = BEGIN
    eot = 500

    def decode(self, tokens: Sequence[int]) -> str:
        return " ".join(str(token) for token in tokens if token < self.eot)


def at(seconds: float) -> int:
    """The timestamp token of a time."""
    return BEGIN + round(seconds / 0.02)


def parse(*tokens: int, speech_end_ms: int = LENGTH_MS) -> ParsedWindow:
    return parse_window(tokens, Vocabulary(), length_ms=LENGTH_MS, speech_end_ms=speech_end_ms)


def test_two_closed_segments_are_kept_with_their_times() -> None:
    first, second = (at(0.5), 1, 2, at(2)), (at(2), 3, at(29.5))
    assert parse(*first, *second) == ParsedWindow(
        (TimedTokens(500, 2000, first), TimedTokens(2000, 29_500, second)), None
    )


def test_a_pause_between_two_segments_stays_a_pause() -> None:
    parsed = parse(at(0), 1, at(2), at(5), 2, at(29.5))
    assert [(one.start_ms, one.end_ms) for one in parsed.segments] == [(0, 2000), (5000, 29_500)]


def test_a_single_timestamp_at_the_end_closes_the_last_segment() -> None:
    parsed = parse(at(0), 1, 2, at(29.5))
    assert [one.tokens for one in parsed.segments] == [(at(0), 1, 2, at(29.5))]


def test_a_double_timestamp_at_the_end_adds_no_empty_segment() -> None:
    parsed = parse(at(0), 1, 2, at(29.5), at(29.5))
    assert [one.tokens for one in parsed.segments] == [(at(0), 1, 2, at(29.5))]


def test_an_unfinished_sentence_is_decoded_again_from_its_start() -> None:
    parsed = parse(at(0), 1, at(20), at(20), 2, 3)
    assert [one.end_ms for one in parsed.segments] == [20_000]
    assert parsed.resume_ms == 20_000


def test_a_sentence_of_which_only_the_start_was_written_is_decoded_again() -> None:
    assert parse(at(0), 1, at(20), at(20.5)).resume_ms == 20_000


def test_speech_after_a_closed_end_is_decoded_again() -> None:
    assert parse(at(0), 1, at(20), speech_end_ms=21_001).resume_ms == 20_000


def test_without_the_filter_open_text_says_that_more_is_to_come() -> None:
    parsed = parse_window(
        (at(0), 1, at(20), at(20)),
        Vocabulary(),
        length_ms=LENGTH_MS,
        speech_end_ms=0,
        vad_filter=False,
    )
    assert parsed.resume_ms == 20_000


def test_without_the_filter_closed_text_says_that_nothing_follows() -> None:
    parsed = parse_window(
        (at(0), 1, at(20)), Vocabulary(), length_ms=LENGTH_MS, speech_end_ms=0, vad_filter=False
    )
    assert parsed.resume_ms is None


def test_a_second_of_speech_at_the_end_is_no_reason_to_decode_again() -> None:
    assert parse(at(0), 1, at(20), speech_end_ms=21_000).resume_ms is None


def test_open_text_in_the_last_second_is_kept() -> None:
    parsed = parse(at(0), 1, at(29.4), at(29.4), 2)
    assert [(one.start_ms, one.end_ms) for one in parsed.segments] == [
        (0, 29_400),
        (29_400, 30_000),
    ]
    assert parsed.resume_ms is None


def test_text_without_any_closed_segment_spans_the_window() -> None:
    assert parse(1, 2) == ParsedWindow((TimedTokens(0, LENGTH_MS, (1, 2)),), None)


def test_text_that_was_only_begun_starts_at_its_timestamp() -> None:
    (segment,) = parse(at(4), 1, 2).segments
    assert (segment.start_ms, segment.end_ms) == (4000, LENGTH_MS)


def test_a_time_beyond_the_window_is_its_end() -> None:
    parsed = parse_window(
        (at(0), 1, at(13.8)), Vocabulary(), length_ms=12_000, speech_end_ms=12_000
    )
    assert parsed == ParsedWindow((TimedTokens(0, 12_000, (at(0), 1, at(13.8))),), None)


def test_nothing_gives_nothing() -> None:
    assert parse() == ParsedWindow((), None)


def test_timestamps_without_text_give_nothing() -> None:
    assert parse(at(0), at(3)).segments == ()
    assert parse(at(0), at(0), at(3), at(3)).segments == ()


def test_decoding_never_goes_on_from_the_same_place() -> None:
    """A model that closes its segment where it began would be asked for ever."""
    assert parse(at(0), 1, at(0)).resume_ms is None


@given(st.lists(st.integers(1, 9) | st.integers(BEGIN, BEGIN + 1500), max_size=40))
def test_whatever_the_model_writes_segments_are_parts_of_it_with_sane_times(
    tokens: list[int],
) -> None:
    parsed = parse(*tokens)
    remaining = iter(tokens)
    for segment in parsed.segments:
        assert all(token in remaining for token in segment.tokens)
        assert 0 <= segment.start_ms <= segment.end_ms <= LENGTH_MS
        assert any(token < BEGIN for token in segment.tokens)
    assert parsed.resume_ms is None or 0 < parsed.resume_ms <= LENGTH_MS - 1000
