"""The same recording in other containers has to give the same text."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.product import Product
from bench.recordings import Recording
from bench.tables import Bound
from bench.words import differing_words
from tests.media import encode

MAX_DIFFERENT_PERCENT = 1.0
ENDINGS = ("mp3", "m4a", "webm", "mp4")  # mp4 with a video track


def container_bounds(product: Product, recordings: Sequence[Recording]) -> list[Bound]:
    """For each ending the words that differ, over the short lossless recordings together."""
    sources = [one for one in recordings if one.language and one.path.suffix == ".flac"]
    if not sources:
        return []
    originals = [product.read(one.path, language=one.language).text for one in sources]
    with tempfile.TemporaryDirectory(prefix="voice-transcriber-bench-") as folder:
        return [
            _bound(ending, originals, list(_texts(product, sources, ending, Path(folder))))
            for ending in ENDINGS
        ]


def _texts(
    product: Product, sources: Sequence[Recording], ending: str, folder: Path
) -> Iterator[str]:
    for source in sources:
        path = folder / f"{source.path.stem}.{ending}"
        encode(path, source.path, with_video=ending == "mp4")
        yield product.read(path, language=source.language).text


def _bound(ending: str, originals: Sequence[str], texts: Sequence[str]) -> Bound:
    percent = differing_words(" ".join(originals), " ".join(texts))
    return Bound(
        name=f"words that differ as {ending}",
        measured=f"{percent:.2f} %",
        limit=f"<= {MAX_DIFFERENT_PERCENT:.0f} %",
        kept=percent <= MAX_DIFFERENT_PERCENT,
        detail=f"{len(texts)} flac recordings",
    )
