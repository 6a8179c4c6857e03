"""The recordings with their true texts, and longer ones that are made from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.audio.resampler import AudioResampler

SAMPLE_RATE = 16_000
DEFAULT_FOLDER = Path(__file__).resolve().parents[1] / "tests" / "data" / "audio"


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One file and what is said in it."""

    path: Path
    text: str
    starts_s: tuple[float, ...]  # of the true sentences
    languages: frozenset[str]  # empty: nobody speaks

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def language(self) -> str | None:
        """The one language of the file; None when there is none, or more than one."""
        return next(iter(self.languages)) if len(self.languages) == 1 else None


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
        starts_s=tuple(segment["start"] for segment in segments),
        languages=frozenset(segment["language"] for segment in segments),
    )


def read_samples(path: Path) -> npt.NDArray[np.float32]:
    """16 kHz mono in -1..1, as whisper's load_audio gives it, without a system ffmpeg."""
    resampler = AudioResampler("s16", "mono", SAMPLE_RATE)
    blocks = []
    with av.open(path) as container:
        for frame in [*container.decode(audio=0), None]:
            blocks += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    return np.concatenate(blocks).astype(np.float32) / 32768.0


def write_repeated(source: Path, target: Path, *, seconds: float) -> Path:
    """`source` again and again, its packets copied as they are, until `seconds` are full."""
    with av.open(target, "w") as out, av.open(source) as first:
        stream = out.add_stream_from_template(first.streams.audio[0])
        offset_s = Fraction(0)
        while offset_s < seconds:
            offset_s = _append(source, out, stream, offset_s, seconds)
    return target


def _append(
    source: Path,
    out: av.container.OutputContainer,
    stream: av.AudioStream,
    offset_s: Fraction,
    limit_s: float,
) -> Fraction:
    """Copy the packets; returns where the next copy begins."""
    end_s = offset_s
    with av.open(source) as container:
        for packet in container.demux(audio=0):
            if packet.pts is None or packet.time_base is None or end_s >= limit_s:
                continue
            shift = round(offset_s / packet.time_base)
            packet.pts += shift
            packet.dts = packet.pts
            end_s = (packet.pts + (packet.duration or 0)) * packet.time_base
            packet.stream = stream
            out.mux(packet)
    return end_s
