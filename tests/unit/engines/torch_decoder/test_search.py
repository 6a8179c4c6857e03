"""The bookkeeping of one window's beams."""

from __future__ import annotations

from voice_transcriber.engines.torch_decoder.search import Beam, WindowSearch


def test_the_best_has_the_greatest_mean() -> None:
    window = WindowSearch(0, beams=[Beam((1,), -9.0), Beam((2,), -9.5)])
    window.ended = [Beam((1, 2), -2.0, is_ended=True), Beam((1, 2, 3, 4), -3.0, is_ended=True)]
    assert window.best().tokens == (1, 2, 3, 4)


def test_texts_that_did_not_end_fill_up_the_field() -> None:
    window = WindowSearch(0, beams=[Beam((5,), -0.1), Beam((6,), -0.2)])
    window.ended = [Beam((1, 2), -2.0, is_ended=True)]
    assert window.best().tokens == (5,)


def test_an_empty_text_has_its_own_score() -> None:
    window = WindowSearch(0, beams=[Beam((), -1.0)])
    assert window.best().tokens == ()
