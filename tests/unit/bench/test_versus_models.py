"""The checkpoint in other programs' forms."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from bench.versus.ggml import q8_0, write_ggml
from bench.versus.models import in_order, merged_from
from voice_transcriber.engines.checkpoints import DEMO_FILE

RANKS = {b"a": 0, b"b": 1, b"c": 2, b"ab": 3, b"bc": 4, b"abc": 5, b"abab": 6}


def test_a_token_is_merged_from_the_two_that_are_left_last() -> None:
    assert merged_from(b"ab", RANKS) == (b"a", b"b")
    assert merged_from(b"abc", RANKS) == (b"ab", b"c")
    assert merged_from(b"abab", RANKS) == (b"ab", b"ab")


def test_merged_tokens_come_in_the_order_of_their_ranks() -> None:
    assert in_order(RANKS) == [b"ab", b"bc", b"abc", b"abab"]


def test_blocks_of_8_bits_give_the_numbers_back() -> None:
    values = np.random.default_rng(1).normal(size=(3, 64)).astype(np.float32)
    values[1] = 0
    blocks = np.frombuffer(q8_0(values), np.dtype([("scale", "<f2"), ("steps", "i1", 32)]))
    read = (blocks["scale"][:, None].astype(np.float32) * blocks["steps"]).reshape(values.shape)
    assert len(blocks) == values.size // 32
    assert np.abs(read - values).max() < np.abs(values).max() / 100
    assert not read[1].any()


def test_a_ggml_file_begins_with_its_sizes_and_is_smaller_with_8_bits(tmp_path: Path) -> None:
    half = write_ggml(DEMO_FILE, tmp_path / "half.ggml", quantized=False)
    small = write_ggml(DEMO_FILE, tmp_path / "small.ggml", quantized=True)
    magic, vocabulary, frames = struct.unpack("<3i", half.read_bytes()[:12])
    assert (magic, vocabulary, frames) == (0x67676D6C, 51865, 1500)
    assert small.stat().st_size < 0.7 * half.stat().st_size
