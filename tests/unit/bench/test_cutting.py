"""Recordings joined and cut: no sentence is cut in two, lost, or moved."""

from __future__ import annotations

from itertools import pairwise

import pytest

from bench.versus.cutting import Piece, Sentence, cut, joined, nearest_to


def said(*times_s: tuple[float, float]) -> list[Sentence]:
    return [
        Sentence(text=f"No. {number}", start_s=start_s, end_s=end_s, language="en")
        for number, (start_s, end_s) in enumerate(times_s)
    ]


TEN = said(*((start_s + 0.5, start_s + 2.5) for start_s in range(0, 30, 3)))


def texts(pieces: list[Piece]) -> list[list[str]]:
    return [[sentence.text for sentence in piece.sentences] for piece in pieces]


def test_cuts_lie_in_the_middle_of_the_nearest_pauses() -> None:
    pieces = cut(TEN, total_s=30.0, piece_s=10.0)
    assert [(piece.start_s, piece.end_s) for piece in pieces] == [(0, 9), (9, 21), (21, 30)]


@pytest.mark.parametrize("piece_s", [1.0, 3.0, 4.4, 7.0, 29.0, 100.0])
def test_pieces_cover_the_recording_and_hold_every_sentence_whole(piece_s: float) -> None:
    pieces = cut(TEN, total_s=30.0, piece_s=piece_s)
    assert (pieces[0].start_s, pieces[-1].end_s) == (0.0, 30.0)
    assert all(one.end_s == after.start_s for one, after in pairwise(pieces))
    assert [text for piece in texts(pieces) for text in piece] == [one.text for one in TEN]
    for piece in pieces:
        for sentence in piece.sentences:
            assert 0 <= sentence.start_s < sentence.end_s <= piece.end_s - piece.start_s


def test_times_count_from_the_start_of_the_piece() -> None:
    pieces = cut(TEN, total_s=30.0, piece_s=15.0)
    assert pieces[1].sentences[0].start_s == pytest.approx(15.5 - pieces[1].start_s)


@pytest.mark.parametrize(("total_s", "count"), [(3540.123, 20), (1.0, 3), (391.7, 5)])
def test_an_even_division_gives_as_many_pieces(total_s: float, count: int) -> None:
    sentences = said(
        *((total_s * number / 99, total_s * (number + 0.7) / 99) for number in range(99))
    )
    assert len(cut(sentences, total_s=total_s, piece_s=total_s / count)) == count


def test_a_recording_of_one_sentence_is_one_piece() -> None:
    assert texts(cut(said((0.0, 9.0)), total_s=10.0, piece_s=2.0)) == [["No. 0"]]


def test_joined_recordings_follow_each_other() -> None:
    one, two = said((0.5, 1.0)), said((0.25, 2.0))
    assert [sentence.start_s for sentence in joined([(one, 4.0), (two, 3.0)])] == [0.5, 4.25]


@pytest.mark.parametrize(
    ("length_s", "names"),
    [
        (5.0, ["short"]),
        (36.0, ["short", "long"]),
        (55.0, ["short", "long", "short"]),
        (100.0, ["short", "long", "short", "long", "short"]),
    ],
)
def test_recordings_are_taken_in_turn_up_to_the_nearest_length(
    length_s: float, names: list[str]
) -> None:
    assert nearest_to(length_s, {"short": 10.0, "long": 30.0}) == names
