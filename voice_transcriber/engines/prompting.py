"""What a decoder is told before the audio: hotwords, then the prompt. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Encode = Callable[[str], Sequence[int]]


def prompt_tokens(
    encode: Encode, *, hotwords: str | None, prompt: str | None, limit: int
) -> list[int]:
    """At most `limit` tokens, so that the text keeps its room.

    The hotwords stand first, as a list that ends like a sentence, and take at most half: the
    last words are left out then. Of the prompt the beginning is left out, as whisper does.
    """
    first = _hotword_tokens(encode, hotwords, limit=limit // 2) if hotwords else []
    rest = list(encode(f" {prompt.strip()}")) if prompt else []
    return [*first, *rest[max(0, len(rest) - (limit - len(first))) :]]


def _hotword_tokens(encode: Encode, hotwords: str, *, limit: int) -> list[int]:
    words = [word.strip() for word in hotwords.split(",") if word.strip()]
    while words:
        tokens = list(encode(f" {', '.join(words)}."))
        if len(tokens) <= limit:
            return tokens
        words.pop()
    return []
