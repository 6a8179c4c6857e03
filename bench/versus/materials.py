"""What is transcribed: recordings made from those of the folder, each with its true text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.recordings import (
    SAMPLE_RATE,
    Recording,
    load_recordings,
    read_samples,
    write_flac,
    write_repeated,
)
from bench.versus.cutting import Sentence, cut, joined, nearest_to, sentences_of

LONG, MIDDLE, SHORT, CLIP = "en_12min.opus", "en_5min.opus", "en_30s.flac", "en_5s.wav"
_SEVERAL = (SHORT, "noisy_1min.flac", "quiet_1min.flac", "gaps_4min.opus", MIDDLE, LONG)
_MANIFEST = "manifest.json"


class Materials:
    """Made once in a folder of their own, by name; found there the next time."""

    def __init__(self, audio: Path, folder: Path) -> None:
        self._audio = audio
        self._folder = folder

    def recording(self, name: str) -> Recording:
        return load_recordings(self._audio, [name])[0]

    def several(self, length_s: float) -> Recording:
        """Whole recordings one after the other, again from the first, to about the length."""
        folder = self._folder / f"several-{length_s:.0f}s"
        if not (folder / _MANIFEST).exists():
            self._write_several(folder, length_s)
        return load_recordings(folder)[0]

    def pieces(
        self, source: Recording, *, piece_s: float, most: int | None = None
    ) -> list[Recording]:
        """A recording cut between sentences into files of about `piece_s`, or the first of them."""
        folder = self._folder / f"{source.path.stem}-{piece_s:g}s"
        if not (folder / _MANIFEST).exists():
            _write_pieces(folder, source, piece_s)
        return load_recordings(folder)[:most]

    def repeated(self, name: str, length_s: float) -> Recording:
        """The recording again and again, without a true text."""
        path = self._folder / f"repeated-{length_s:.0f}s{Path(name).suffix}"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            part = path.with_stem(f"{path.stem}-part")
            write_repeated(self._audio / name, part, seconds=length_s).rename(path)
        return Recording(
            path=path,
            text="",
            sentences=(),
            starts_s=(),
            ends_s=(),
            sentence_languages=(),
            english="",
        )

    def _write_several(self, folder: Path, length_s: float) -> None:
        known = {name: self.recording(name) for name in _SEVERAL}
        samples = {name: read_samples(one.path) for name, one in known.items()}
        lengths_s = {name: len(one) / SAMPLE_RATE for name, one in samples.items()}
        names = nearest_to(length_s, lengths_s)
        folder.mkdir(parents=True, exist_ok=True)
        whole = np.concatenate([samples[name] for name in names])
        path = write_flac(folder / f"{folder.name}.flac", whole)
        parts = [(sentences_of(known[name]), lengths_s[name]) for name in names]
        _write_manifest(folder, {path.name: joined(parts)})


def _write_pieces(folder: Path, source: Recording, piece_s: float) -> None:
    samples = read_samples(source.path)
    found = cut(sentences_of(source), total_s=len(samples) / SAMPLE_RATE, piece_s=piece_s)
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for number, piece in enumerate(found):
        start, end = round(piece.start_s * SAMPLE_RATE), round(piece.end_s * SAMPLE_RATE)
        path = write_flac(folder / f"{number:03}.flac", samples[start:end])
        files[path.name] = piece.sentences
    _write_manifest(folder, files)


def _write_manifest(folder: Path, files: dict[str, Sequence[Sentence]]) -> None:
    """As the one of the recordings; written last, so a folder that has it is whole."""
    entries = [
        {
            "file": name,
            "text": " ".join(one.text for one in sentences),
            "segments": [
                {
                    "start": one.start_s,
                    "end": one.end_s,
                    "language": one.language,
                    "text": one.text,
                    "english": one.text if one.language == "en" else "",
                }
                for one in sentences
            ],
        }
        for name, sentences in files.items()
    ]
    (folder / _MANIFEST).write_text(json.dumps(entries, indent=1), encoding="utf-8")
