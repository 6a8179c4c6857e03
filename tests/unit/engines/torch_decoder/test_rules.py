"""What may follow a text, against whisper's own rules."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from whisper.decoding import ApplyTimestampRules
from whisper.tokenizer import get_tokenizer

from voice_transcriber.engines.torch_decoder.rules import Text, Vocabulary

TOKENIZER = get_tokenizer(multilingual=True, language="en", task="transcribe")
SIZE = TOKENIZER.timestamp_begin + 1501
VOCABULARY = Vocabulary.of(TOKENIZER, SIZE)
WORD = 1000
PREFIX = list(TOKENIZER.sot_sequence)

tokens = st.lists(
    st.one_of(st.integers(WORD, WORD + 5), st.integers(TOKENIZER.timestamp_begin, SIZE - 1)),
    max_size=8,
)


def open_by_whisper(written: list[int]) -> torch.Tensor:
    """True for each token that whisper leaves open when no timestamp is likely."""
    logits = torch.zeros(1, SIZE)
    logits[0, [WORD, TOKENIZER.eot]] = 100.0  # else all timestamps together outweigh the words
    rules = ApplyTimestampRules(TOKENIZER, len(PREFIX), 50)
    rules.apply(logits, torch.tensor([[*PREFIX, *written]]))
    return logits[0] != -torch.inf


@given(tokens)
def test_whisper_opens_the_same(written: list[int]) -> None:
    theirs = open_by_whisper(written)
    allowed = VOCABULARY.allowed_after(written)
    begin = TOKENIZER.timestamp_begin
    times = torch.arange(VOCABULARY.times)
    ours = (times >= allowed.first_time) & (times <= allowed.last_time)
    assert torch.equal(theirs[begin:], ours)
    assert bool(theirs[WORD]) is (allowed.text is Text.ALL)
    assert bool(theirs[TOKENIZER.eot]) is (allowed.text is not Text.NONE)


def test_marks_are_never_written() -> None:
    assert {TOKENIZER.sot, TOKENIZER.no_speech, TOKENIZER.no_timestamps} <= set(
        VOCABULARY.suppressed
    )
    assert TOKENIZER.eot not in VOCABULARY.suppressed
