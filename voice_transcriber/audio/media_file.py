"""Opens any media file and streams its sound. Child side: the one module that imports av.

Files are opened with lists of allowed formats and protocols: a playlist under
another name would make FFmpeg read files (of other users) that it points at.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import av
import av.subtitles.codeccontext
import av.subtitles.stream  # PyAV loads these when a file has subtitles; in the sandbox it cannot
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Discard, Disposition

from voice_transcriber.audio.probe import Probe
from voice_transcriber.errors import DamagedMedia, EmptyFile, MediaError, NoAudioTrack, NotMedia
from voice_transcriber.job import SAMPLE_RATE

SAMPLE_BYTES = 2

FORMATS = (
    "wav,mp3,flac,ogg,mov,matroska,aac,aiff,asf,avi,mpegts,amr,caf,w64"  # mov: also mp4, m4a, 3gp
)
RUN_IN_S = 2.0  # of sound before the wanted part, in which codecs find their feet
GAP_SAMPLES = SAMPLE_RATE // 10  # shorter gaps between time stamps are rounding and encoder delay
MAX_BLIND_GAP_S = 3600.0  # longest gap that is believed of a file that tells no duration
SAMPLE_RATES = range(1_000, 1_000_000)  # beyond, a few bytes could become gigabytes of samples

# How media of these formats begins: what has such a head and cannot be read is damaged.
_HEADS = (
    (0, b"OggS"),
    (0, b"fLaC"),
    (0, b"ID3"),
    (0, b"caff"),
    (0, b"#!AMR"),
    (0, b"riff\x2e\x91\xcf\x11"),  # w64
    (0, b"\x1a\x45\xdf\xa3"),  # matroska, webm
    (0, b"\x30\x26\xb2\x75"),  # asf
    (0, b"\xff\xfb"),  # mp3
    (0, b"\xff\xf3"),
    (0, b"\xff\xf2"),
    (0, b"\xff\xf1"),  # aac
    (0, b"\xff\xf9"),
    (4, b"ftyp"),
    (4, b"moov"),
    (4, b"mdat"),
    (8, b"WAVE"),
    (8, b"AVI "),
    (8, b"AIFF"),
    (8, b"AIFC"),
)


class MediaFile:
    """An open media file and the sound track of it that is read. Used as a context.

    Raises EmptyFile, NotMedia, DamagedMedia, NoAudioTrack, MemoryError when it is made.
    """

    def __init__(self, path: Path, *, track: int | None = None) -> None:
        """`track` counts the sound tracks from 0; None takes the first that can be read."""
        self.broken_parts = 0  # packets and frames that were left out
        self._passed_over = False  # packets just before this one, on the way to the wanted part
        self._file = path.open("rb")
        self._head = self._file.read(16)
        if not self._head:
            raise EmptyFile
        # Opened by number where the system can: the content alone decides the format,
        # while a name that ends in .mp3 makes FFmpeg take any bytes for mp3.
        name = path if sys.platform == "win32" else f"/dev/fd/{self._file.fileno()}"
        self._container = self._opened(f"file:{name}")
        self._stream = self._sound_track() if track is None else self._numbered_track(track)

    def __enter__(self) -> MediaFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()
        self._file.close()

    @property
    def probe(self) -> Probe:
        duration = self._container.duration
        return Probe(
            duration_s=duration / av.time_base if duration else None,
            container=self._container.format.name,
            codec=self._stream.codec_context.name,
            sample_rate_hz=self._stream.sample_rate,
            channels=self._stream.channels,
            has_video=any(
                not stream.disposition & Disposition.attached_pic
                for stream in self._container.streams.video
            ),
        )

    def pcm(self, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Samples start..end as signed 16 bits, 16 kHz, mono, in blocks of a few kilobytes.

        A sample's place is its time in the file: a sound track that starts late or has
        holes is filled up with silence. Broken packets are left out, like FFmpeg does, and counted.
        Raises NotMedia or DamagedMedia at the end when there was no sound at all.
        """
        position = 0
        for block in self._blocks(start):
            first = max(0, start - position) * SAMPLE_BYTES
            last = len(block) if end is None else max(0, end - position) * SAMPLE_BYTES
            if cut := block[first:last]:
                yield cut
            position += len(block) // SAMPLE_BYTES
            if end is not None and position >= end:
                return

    def _blocks(self, start: int) -> Iterator[bytes]:
        """The sound from the beginning on; what lies well before `start` may be silence."""
        track = _Track()
        delay = 0  # of a codec whose first sound bears a later time than its place
        for number, frame in enumerate(self._frames(start)):
            was_passed_over, self._passed_over = self._passed_over, False
            due = self._due_sample(frame, start if was_passed_over else track.position)
            if number == 0 and due <= GAP_SAMPLES:
                delay = due
            if due > track.position + GAP_SAMPLES:
                yield from track.fill_up(due - delay if was_passed_over else due)
            yield from self._converted(track, frame)
        yield from track.end()
        if not track.has_sound:
            raise self._unreadable()

    def _opened(self, name: str) -> InputContainer:
        try:
            return av.open(
                name,
                container_options={"protocol_whitelist": "file", "format_whitelist": FORMATS},
                metadata_errors="replace",
            )
        except FFmpegError as error:
            _raise_if_out_of_memory(error)
            raise self._unreadable() from error

    def _unreadable(self) -> MediaError:
        known = any(self._head.startswith(magic, offset) for offset, magic in _HEADS)
        return DamagedMedia() if known else NotMedia()

    def _sound_track(self) -> AudioStream:
        for stream in self._container.streams.audio:
            if stream.codec_context is None or stream.sample_rate not in SAMPLE_RATES:
                continue
            return self._chosen(stream)
        if self._container.streams.audio or not self._container.streams:
            raise self._unreadable()
        raise NoAudioTrack

    def _numbered_track(self, number: int) -> AudioStream:
        streams = self._container.streams.audio
        if number < len(streams):
            stream = streams[number]
            if stream.codec_context is None or stream.sample_rate not in SAMPLE_RATES:
                raise self._unreadable()
            return self._chosen(stream)
        if not streams:
            raise NoAudioTrack
        tracks = "one sound track" if len(streams) == 1 else f"{len(streams)} sound tracks"
        raise NoAudioTrack(
            f"The file has {tracks}; there is no number {number}.",
            remedy=f"Choose a track from 0 to {len(streams) - 1}, or none for the first.",
        )

    def _chosen(self, stream: AudioStream) -> AudioStream:
        stream.codec_context.thread_count = 1
        self._pass_over_all_but(stream.index)
        return stream

    def _pass_over_all_but(self, index: int) -> None:
        for stream in self._container.streams:
            if stream.index != index:
                stream.discard = Discard.all

    def _frames(self, start: int = 0) -> Iterator[AudioFrame]:
        """The first ones, then those from shortly before sample `start` on: packets between are
        passed over, since seeking is a guess in some formats.
        """
        needed_s = start / SAMPLE_RATE - RUN_IN_S
        has_begun = False
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except FFmpegError as error:  # the rest of the file is cut off
                self._leave_out(error)
                return
            except IndexError:  # PyAV at the end of a file in which streams turned up late
                return
            if has_begun and self._ends_before(packet, needed_s):
                self._passed_over = True
                continue
            try:
                frames = packet.decode()
            except FFmpegError as error:
                self._leave_out(error)
                continue
            has_begun = has_begun or bool(frames)
            yield from (frame for frame in frames if frame.rate in SAMPLE_RATES)

    def _ends_before(self, packet: av.Packet[AudioStream], needed_s: float) -> bool:
        if packet.pts is None or packet.time_base is None:
            return False
        end_s = (packet.pts + (packet.duration or 0)) * packet.time_base
        return end_s - (self._container.start_time or 0) / av.time_base < needed_s

    def _converted(self, track: _Track, frame: AudioFrame) -> list[bytes]:
        try:
            return track.add(frame)
        except FFmpegError as error:
            self._leave_out(error)
            return []

    def _leave_out(self, error: FFmpegError) -> None:
        _raise_if_out_of_memory(error)
        self.broken_parts += 1

    def _due_sample(self, frame: AudioFrame, position: int) -> int:
        """Where the frame's time stamp puts it; `position` when there is none to believe."""
        if frame.time is None:
            return position
        due_s = frame.time - (self._container.start_time or 0) / av.time_base
        duration = self._container.duration
        latest_s = duration / av.time_base if duration else position / SAMPLE_RATE + MAX_BLIND_GAP_S
        return round(due_s * SAMPLE_RATE) if due_s <= latest_s else position


class _Track:
    """The prepared sound as it grows. `position` counts the samples given so far."""

    def __init__(self) -> None:
        self.position = 0
        self.has_sound = False  # silence that was filled in does not count
        self._resampler: AudioResampler | None = None
        self._shape: tuple[str, str, int] | None = None

    def add(self, frame: AudioFrame) -> list[bytes]:
        """Resample and mix down. A file may change its format on the way; a resampler may not."""
        shape = (frame.format.name, frame.layout.name, frame.rate)
        tail = [] if shape == self._shape else self.end()
        resampler = self._resampler or AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
        self._resampler = None  # one that has failed is of no more use
        sound = self._counted(resampler.resample(frame))
        self._resampler, self._shape = resampler, shape
        return tail + sound

    def fill_up(self, sample: int) -> Iterator[bytes]:
        """Silence up to a sample number."""
        yield from self.end()
        second = bytes(SAMPLE_RATE * SAMPLE_BYTES)
        while self.position < sample:
            samples = min(sample - self.position, SAMPLE_RATE)
            self.position += samples
            yield second[: samples * SAMPLE_BYTES]

    def end(self) -> list[bytes]:
        """What the resampler still holds; more may follow."""
        resampler, self._resampler = self._resampler, None
        return self._counted(resampler.resample(None)) if resampler else []

    def _counted(self, frames: Sequence[AudioFrame]) -> list[bytes]:
        self.position += sum(frame.samples for frame in frames)
        self.has_sound = self.has_sound or bool(frames)
        return [bytes(frame.planes[0])[: frame.samples * SAMPLE_BYTES] for frame in frames]


def _raise_if_out_of_memory(error: FFmpegError) -> None:
    if cast(int, error.errno) == errno.ENOMEM:
        raise MemoryError from error
