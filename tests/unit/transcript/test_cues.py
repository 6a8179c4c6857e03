"""Cues: nothing lost, nothing doubled, times in order, the limits held."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from voice_transcriber.transcript.exporters.clean import one_line
from voice_transcriber.transcript.exporters.cues import Cue, cues_of
from voice_transcriber.transcript.exporters.options import ExportOptions
from voice_transcriber.transcript.model import Segment, Word

HOUR_MS = 3_600_000


def words_at(*words: tuple[int, int, str]) -> tuple[Word, ...]:
    return tuple(
        Word(start_ms=start, end_ms=end, text=text, probability=0.9) for start, end, text in words
    )


def cues(*segments: Segment, **options: float) -> tuple[Cue, ...]:
    return cues_of(segments, ExportOptions(**options), duration_ms=HOUR_MS)


def times(found: Sequence[Cue]) -> list[tuple[int, int, str]]:
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in found]


def test_without_options_a_cue_is_a_segment() -> None:
    segments = [
        Segment(start_ms=0, end_ms=900, text=" One, two."),
        Segment(start_ms=900, end_ms=950, text=" "),
        Segment(start_ms=1_000, end_ms=2_000, text=" Three."),
    ]
    assert times(cues(*segments)) == [(0, 900, "One, two."), (1_000, 2_000, "Three.")]


def test_a_long_segment_has_several_lines() -> None:
    (cue,) = cues(Segment(start_ms=0, end_ms=900, text=" One, two, three."), max_line_width=10)
    assert (cue.lines, cue.text) == (("One, two,", "three."), "One, two, three.")


def test_lines_that_are_too_many_go_to_the_next_cue_at_their_share_of_the_time() -> None:
    segment = Segment(start_ms=1_000, end_ms=3_000, text=" aaaa bbbb cccc dddd")
    found = cues(segment, max_line_width=9, max_lines=1)
    assert times(found) == [(1_000, 2_000, "aaaa bbbb"), (2_000, 3_000, "cccc dddd")]


def test_word_times_place_the_parts() -> None:
    segment = Segment(
        start_ms=1_000,
        end_ms=9_000,
        text=" aaaa bbbb cccc.",
        words=words_at((1_000, 1_400, " aaaa"), (1_400, 1_900, " bbbb"), (8_000, 8_800, " cccc.")),
    )
    found = cues(segment, max_line_width=9, max_lines=1)
    assert times(found) == [(1_000, 1_900, "aaaa bbbb"), (8_000, 9_000, "cccc.")]


def test_words_of_another_text_do_not_place_anything() -> None:
    words = words_at((0, 10, " aaaa"), (10, 20, " XXXX"))
    segment = Segment(start_ms=0, end_ms=1_000, text=" aaaabbbb cccccccc", words=words)
    found = cues(segment, max_line_width=8, max_lines=1)
    assert times(found) == [(0, 500, "aaaabbbb"), (500, 1_000, "cccccccc")]


def test_japanese_parts_are_joined_without_a_space() -> None:
    segment = Segment(start_ms=0, end_ms=1_000, text="東京は日本の首都である")
    (cue,) = cues(segment, max_line_width=8)
    assert (cue.lines, cue.text) == (("東京は日本の首都", "である"), "東京は日本の首都である")


def test_a_cue_that_is_too_fast_stays_into_the_silence() -> None:
    fast = Segment(start_ms=0, end_ms=100, text=" " + 20 * "a")
    following = Segment(start_ms=5_000, end_ms=6_000, text=" bb")
    assert times(cues(fast, following, max_cps=10))[0] == (0, 2_000, 20 * "a")


def test_a_cue_that_is_too_fast_never_covers_the_next_one() -> None:
    fast = Segment(start_ms=0, end_ms=100, text=" " + 20 * "a")
    following = Segment(start_ms=1_200, end_ms=6_000, text=" bb")
    assert times(cues(fast, following, max_cps=10))[0] == (0, 1_200, 20 * "a")


def test_the_last_cue_stays_at_most_to_the_end_of_the_file() -> None:
    last = Segment(start_ms=HOUR_MS - 500, end_ms=HOUR_MS - 400, text=" " + 20 * "a")
    assert times(cues(last, max_cps=10)) == [(HOUR_MS - 500, HOUR_MS, 20 * "a")]


def test_a_cue_that_can_be_read_keeps_its_time() -> None:
    assert times(cues(Segment(start_ms=0, end_ms=900, text=" aa"), max_cps=10)) == [(0, 900, "aa")]


@st.composite
def segments(draw: st.DrawFn) -> list[Segment]:
    """In time order, some with word times, some with an end before the start."""
    start_ms, made = 0, []
    for texts in draw(st.lists(st.lists(st.text("ab,é日。\x07\n\xa0", max_size=12), max_size=12))):
        start_ms += draw(st.integers(0, 3_000))
        end_ms = start_ms + draw(st.integers(-100, 9_000))
        words = None
        if draw(st.booleans()):
            borders = sorted(draw(st.integers(start_ms - 50, start_ms + 9_000)) for _ in texts)
            words = words_at(
                *((at, at + 40, f" {text}") for at, text in zip(borders, texts, strict=True))
            )
        text = "".join(f" {text}" for text in texts)
        made.append(Segment(start_ms=start_ms, end_ms=end_ms, text=text, words=words))
        start_ms = max(start_ms, end_ms)
    return made


limits = st.builds(
    ExportOptions,
    max_line_width=st.integers(8, 40),
    max_lines=st.none() | st.integers(1, 3),
    max_cps=st.none() | st.floats(1, 50),
)


@given(segments(), limits)
def test_the_cues_hold_the_text_of_the_transcript(
    made: list[Segment], options: ExportOptions
) -> None:
    found = cues_of(made, options, duration_ms=HOUR_MS)
    spoken = (one_line(segment.text) for segment in made)
    assert _unspaced(*(cue.text for cue in found)) == _unspaced(*spoken)
    assert [_unspaced(*cue.lines) for cue in found] == [_unspaced(cue.text) for cue in found]


@given(segments(), limits)
def test_times_are_in_order_and_the_limits_are_held(
    made: list[Segment], options: ExportOptions
) -> None:
    found = cues_of(made, options, duration_ms=HOUR_MS)
    assert all(cue.start_ms <= cue.end_ms for cue in found)
    assert all(one.end_ms <= other.start_ms for one, other in pairwise(found))
    assert options.max_line_width is not None
    assert all(len(line) <= options.max_line_width for cue in found for line in cue.lines)
    assert options.max_lines is None or all(len(cue.lines) <= options.max_lines for cue in found)


def _unspaced(*texts: str) -> str:
    return "".join("".join(texts).split())
