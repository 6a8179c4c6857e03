"""The checkpoints that openai-whisper publishes, from small to large.

Names, addresses and hashes are those of whisper._MODELS, and a unit test holds
them equal; they stand here because the web process must not import whisper.
The sizes are rounded and only serve to tell the user what a download costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voice_transcriber.engines.download import Source

_BASE_URL = "https://openaipublic.azureedge.net/main/whisper/models"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One row of the table."""

    source: Source
    note: str  # what the model is good for, in plain words
    alias_of: str | None = None  # the row that it repeats under another name


def _row(
    file_name: str, sha256: str, size_bytes: int, note: str, *, alias_of: str | None = None
) -> Checkpoint:
    source = Source(url=f"{_BASE_URL}/{sha256}/{file_name}", sha256=sha256, size_bytes=size_bytes)
    return Checkpoint(source=source, note=note, alias_of=alias_of)


CHECKPOINTS: Mapping[str, Checkpoint] = {
    "tiny": _row(
        "tiny.pt",
        "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9",
        75_600_000,
        "Smallest and quickest; for clear speech and first tries.",
    ),
    "tiny.en": _row(
        "tiny.en.pt",
        "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03",
        75_600_000,
        "English only; smallest and quickest; for clear speech and first tries.",
    ),
    "base": _row(
        "base.pt",
        "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e",
        145_000_000,
        "Quick; fair text from clear speech.",
    ),
    "base.en": _row(
        "base.en.pt",
        "25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead",
        145_000_000,
        "English only; quick; fair text from clear speech.",
    ),
    "small": _row(
        "small.pt",
        "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794",
        484_000_000,
        "Good text at a moderate pace.",
    ),
    "small.en": _row(
        "small.en.pt",
        "f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872",
        484_000_000,
        "English only; good text at a moderate pace.",
    ),
    "medium": _row(
        "medium.pt",
        "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1",
        1_530_000_000,
        "Better text, slow without a GPU.",
    ),
    "medium.en": _row(
        "medium.en.pt",
        "d7440d1dc186f76616474e0ff0b3b6b879abc9d1a4926b7adfa41db2d497ab4f",
        1_530_000_000,
        "English only; better text, slow without a GPU.",
    ),
    "large-v1": _row(
        "large-v1.pt",
        "e4b87e7e0bf463eb8e6956e646f1e277e901512310def2c24bf0e11bd3c28e9a",
        3_090_000_000,
        "The first large model; for comparison with older work.",
    ),
    "large-v2": _row(
        "large-v2.pt",
        "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524",
        3_090_000_000,
        "The second large model; some prefer it for hard recordings.",
    ),
    "large-v3": _row(
        "large-v3.pt",
        "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb",
        3_090_000_000,
        "The best text; slow without a GPU, needs much memory.",
    ),
    "large": _row(
        "large-v3.pt",
        "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb",
        3_090_000_000,
        "Another name for large-v3.",
        alias_of="large-v3",
    ),
    "large-v3-turbo": _row(
        "large-v3-turbo.pt",
        "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a",
        1_620_000_000,
        "Close to large-v3 and much quicker; it cannot translate.",
    ),
    "turbo": _row(
        "large-v3-turbo.pt",
        "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a",
        1_620_000_000,
        "Another name for large-v3-turbo.",
        alias_of="large-v3-turbo",
    ),
}
