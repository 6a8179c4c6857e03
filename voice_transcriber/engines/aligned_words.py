"""From a path of (token, frame) pairs to words, as whisper's find_alignment (timing.py) does it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from whisper.audio import TOKENS_PER_SECOND
from whisper.tokenizer import Tokenizer

from voice_transcriber.engines.base import WordTiming


def aligned_words(
    path: Sequence[tuple[int, int]],
    probabilities: Sequence[float],
    tokens: Sequence[int],
    tokenizer: Tokenizer,
) -> list[WordTiming]:
    """`probabilities` belong to the tokens, which are text tokens only."""
    words, word_tokens = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
    if len(word_tokens) <= 1:
        return []
    token_indices, frames = np.array(path).T
    jumps = np.pad(np.diff(token_indices), (1, 0), constant_values=1).astype(bool)
    jumps_s = frames[jumps] / TOKENS_PER_SECOND
    borders = np.pad(np.cumsum([len(one) for one in word_tokens[:-1]]), (1, 0))
    return [
        WordTiming(
            text=text,
            tokens=tuple(spoken),
            start_s=float(jumps_s[first]),
            end_s=float(jumps_s[end]),
            probability=float(np.mean(probabilities[first:end])),
        )
        for text, spoken, first, end in zip(
            words[:-1], word_tokens[:-1], borders[:-1], borders[1:], strict=True
        )
    ]
