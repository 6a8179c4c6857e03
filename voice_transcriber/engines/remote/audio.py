"""Stretches of prepared audio on their way to a server: what to cut, and how it is sent.

In plain Python, because the web process loads no numpy. A request's body is a WAV file that
exists only while it is read: a header, then the samples from the file they are in.
"""

from __future__ import annotations

import io
import struct
import sys
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

from voice_transcriber.job import SAMPLE_RATE

SAMPLE_BYTES = 2
SILENCE_PEAK = 32  # of 32768, -60 dBFS: nothing louder is no speech
CUT_SEARCH = 15 * SAMPLE_RATE  # on each side of where a cut is wanted

_HOP = SAMPLE_RATE // 100
_QUIET_HOPS = 40  # 0.4 s
_BLOCK = SAMPLE_RATE
_READ_BYTES = 65_536
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


class _Wav(io.RawIOBase):
    """A WAV file of samples start..end of a PCM file."""

    def __init__(
        self, pcm: Path, start: int, end: int, on_read: Callable[[int], None] | None
    ) -> None:
        self._file = pcm.open("rb")
        self._first = start * SAMPLE_BYTES
        self._header = _wav_header((end - start) * SAMPLE_BYTES)
        self._length = len(self._header) + (end - start) * SAMPLE_BYTES
        self._at = 0
        self._on_read = on_read

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._length - self._at)
        found = self._bytes(wanted) if wanted > 0 else b""
        buffer[: len(found)] = found
        self._at += len(found)
        if self._on_read is not None:
            self._on_read(len(found))
        return len(found)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _bytes(self, wanted: int) -> bytes:
        if self._at < len(self._header):
            return self._header[self._at : self._at + wanted]
        self._file.seek(self._first + self._at - len(self._header))
        return self._file.read(wanted)


def open_wav(
    pcm: Path, start: int, end: int, *, on_read: Callable[[int], None] | None = None
) -> io.BufferedReader:
    """Samples start..end as a WAV file, 16 kHz, mono, 16 bit; `on_read` hears of bytes read."""
    return io.BufferedReader(_Wav(pcm, start, end, on_read), _READ_BYTES)


def sounding_part(pcm: Path, start: int, end: int) -> tuple[int, int] | None:
    """start..end without the silent seconds around it; None where all is silent."""
    blocks = range(start, end, _BLOCK)
    first = next((at for at in blocks if _sounds(pcm, at, min(at + _BLOCK, end))), None)
    if first is None:
        return None
    last = next(at for at in reversed(blocks) if _sounds(pcm, at, min(at + _BLOCK, end)))
    return first, min(last + _BLOCK, end)


def even_pieces(pcm: Path, start: int, end: int, *, limit: int) -> Iterator[tuple[int, int]]:
    """Cut start..end at quiet points into pieces of nearly one length, none above `limit`."""
    while end - start > limit:
        count = -(-(end - start) // limit)
        length = (end - start) // count
        around = min(CUT_SEARCH, length // 4)
        target = start + length
        cut = quiet_point(pcm, target - around, min(target + around, start + limit))
        yield start, cut
        start = cut
    yield start, end


def quiet_point(pcm: Path, first: int, last: int) -> int:
    """The middle of the quietest 0.4 s between two samples."""
    samples = _samples(pcm, first, last)
    levels = [
        sum(map(abs, samples[at : at + _HOP])) for at in range(0, len(samples) - _HOP + 1, _HOP)
    ]
    if len(levels) <= _QUIET_HOPS:
        return (first + last) // 2
    level = sum(levels[:_QUIET_HOPS])
    quietest, place = level, 0
    for at in range(len(levels) - _QUIET_HOPS):
        level += levels[at + _QUIET_HOPS] - levels[at]
        if level <= quietest:
            quietest, place = level, at + 1
    return first + (place + _QUIET_HOPS // 2) * _HOP


def _sounds(pcm: Path, first: int, last: int) -> bool:
    samples = _samples(pcm, first, last)
    return bool(samples) and max(max(samples), -min(samples)) > SILENCE_PEAK


def _samples(pcm: Path, first: int, last: int) -> array[int]:
    with pcm.open("rb") as file:
        file.seek(first * SAMPLE_BYTES)
        samples = array("h", file.read((last - first) * SAMPLE_BYTES))
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _wav_header(data_bytes: int) -> bytes:
    format_bytes, pcm_format, channels = 16, 1, 1
    return _HEADER.pack(
        b"RIFF",
        _HEADER.size - 8 + data_bytes,
        b"WAVE",
        b"fmt ",
        format_bytes,
        pcm_format,
        channels,
        SAMPLE_RATE,
        SAMPLE_RATE * SAMPLE_BYTES,
        SAMPLE_BYTES,
        8 * SAMPLE_BYTES,
        b"data",
        data_bytes,
    )
