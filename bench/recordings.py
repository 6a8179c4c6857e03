"""The recordings with their true texts, and longer ones that are made from them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.resampler import AudioResampler

SAMPLE_RATE = 16_000
_FRAME = 4096  # samples
DEFAULT_FOLDER = Path(__file__).resolve().parents[1] / "tests" / "data" / "audio"


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One file and what is said in it."""

    path: Path
    text: str
    sentences: tuple[str, ...]
    starts_s: tuple[float, ...]  # of the true sentences
    ends_s: tuple[float, ...]
    sentence_languages: tuple[str, ...]
    english: str  # the text in English

    @property
    def languages(self) -> frozenset[str]:
        """Empty: nobody speaks."""
        return frozenset(self.sentence_languages)

    @property
    def length_s(self) -> float:
        return length_s(self.path)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def language(self) -> str | None:
        """The one language of the file; None when there is none, or more than one."""
        return next(iter(self.languages)) if len(self.languages) == 1 else None

    def language_at(self, start_s: float) -> str:
        """Of the sentence that begins there, or nearest to it."""
        nearest = int(np.abs(np.asarray(self.starts_s) - start_s).argmin())
        return self.sentence_languages[nearest]


def load_recordings(folder: Path, names: Sequence[str] = ()) -> list[Recording]:
    """Those of the folder's manifest.json, or the named ones of them."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    found = {entry["file"]: _recording(folder, entry) for entry in manifest}
    if unknown := set(names) - set(found):
        raise SystemExit(f"Not in {folder / 'manifest.json'}: {', '.join(sorted(unknown))}")
    return [found[name] for name in names or found]


def _recording(folder: Path, entry: dict[str, object]) -> Recording:
    segments = entry["segments"]
    assert isinstance(segments, list)
    return Recording(
        path=folder / str(entry["file"]),
        text=str(entry["text"]),
        sentences=tuple(segment["text"] for segment in segments),
        starts_s=tuple(segment["start"] for segment in segments),
        ends_s=tuple(segment["end"] for segment in segments),
        sentence_languages=tuple(segment["language"] for segment in segments),
        english=" ".join(segment["english"] for segment in segments),
    )


def length_s(path: Path) -> float:
    """As the header says."""
    with av.open(path) as container:
        assert container.duration is not None
        return container.duration / av.time_base


def read_samples(path: Path) -> npt.NDArray[np.float32]:
    """16 kHz mono in -1..1, as whisper's load_audio gives it, without a system ffmpeg."""
    resampler = AudioResampler("s16", "mono", SAMPLE_RATE)
    blocks = []
    with av.open(path) as container:
        for frame in [*container.decode(audio=0), None]:
            blocks += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    return np.concatenate(blocks).astype(np.float32) / 32768.0


def write_flac(path: Path, samples: npt.NDArray[np.float32]) -> Path:
    """16 kHz mono."""
    data = np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)
    with av.open(path, "w") as out:
        stream = out.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
        for first in range(0, len(data), _FRAME):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(data[None, first : first + _FRAME]), "s16", "mono"
            )
            frame.sample_rate, frame.pts = SAMPLE_RATE, first
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def write_repeated(source: Path, target: Path, *, seconds: float) -> Path:
    """`source` again and again, its packets copied as they are, until `seconds` are full."""
    with av.open(target, "w") as out, av.open(source) as first:
        stream = out.add_stream_from_template(first.streams.audio[0])
        end = 0
        for packet in _endless_packets(source):
            assert packet.pts is not None
            assert packet.time_base is not None
            packet.pts = packet.dts = end
            end += packet.duration or 0
            packet.stream = stream
            out.mux(packet)
            if end * packet.time_base >= seconds:
                break
    return target


def _endless_packets(source: Path) -> Iterator[av.Packet[av.AudioStream]]:
    while True:
        with av.open(source) as container:
            yield from (packet for packet in container.demux(audio=0) if packet.pts is not None)
