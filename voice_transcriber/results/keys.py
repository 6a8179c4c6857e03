"""Under which key a result is kept: a hash of all that its text depends on.

Whatever is not named here is in the key: an option that somebody adds makes
results differ until it is named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from voice_transcriber.job import TranscribeOptions

# Raise it with every change of the program that can change a text or a time.
PIPELINE_VERSION = 1

NOT_OF_THE_TEXT = frozenset({"use_cache", "engine"})  # what an engine changes is in Computing
SELECTION = frozenset({"from_s", "to_s", "audio_track"})
NOT_OF_THE_PLACE = frozenset(
    {
        *NOT_OF_THE_TEXT,
        *SELECTION,
        *("language", "task", "prompt", "hotwords", "word_timestamps", "vad_filter"),
    }
)

Computing = Mapping[str, Any]  # engine, checkpoint, types, versions: how a text is computed


def file_key(
    *, pcm_sha256: str, start_sample: int, options: TranscribeOptions, computing: Computing
) -> str:
    """Of the transcript of a decoded selection, which begins at a sample of its file."""
    return _digest(
        "file",
        pcm=pcm_sha256,
        start=start_sample,
        options=_of_the_text(options),
        computing=computing,
    )


def chunk_key(
    *,
    pcm_sha256: str,
    gain: float,
    language: str | None,
    language_before: str | None,
    options: TranscribeOptions,
    computing: Computing,
) -> str:
    """Of one chunk, wherever in a file it lies.

    `language` is what is known before its first decode; `language_before` that of the window
    before it, where a recording has several.
    """
    chosen = {name: value for name, value in _of_the_text(options).items() if name not in SELECTION}
    return _digest(
        "chunk",
        pcm=pcm_sha256,
        gain=gain,
        language=language,
        language_before=language_before,
        options=chosen,
        computing=computing,
    )


def selection_key(options: TranscribeOptions, decoder: str) -> str:
    """Which part of a file is decoded, and by what."""
    chosen = {name: value for name, value in asdict(options).items() if name in SELECTION}
    return _digest("selection", selection=chosen, decoder=decoder)


def place_key(options: TranscribeOptions, basis: Computing) -> str:
    """For what a model computes on: settings, its file, and options that may choose an engine."""
    chosen = {
        name: value for name, value in asdict(options).items() if name not in NOT_OF_THE_PLACE
    }
    return _digest("place", options=chosen, basis=basis)


def _of_the_text(options: TranscribeOptions) -> dict[str, Any]:
    return {name: value for name, value in asdict(options).items() if name not in NOT_OF_THE_TEXT}


def _digest(kind: str, **parts: Any) -> str:
    text = json.dumps([kind, PIPELINE_VERSION, parts], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
