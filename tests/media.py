"""Makes media files for tests, with PyAV; none is stored."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

SPEECH = Path(__file__).parent / "data" / "audio" / "en_5s.wav"
HOLE_AT_S = 2

# FFmpeg calls its own Vorbis encoder experimental; it makes stereo only.
_ENCODER_OPTIONS = {"vorbis": {"strict": "-2"}, "wmav2": {"b": "64000"}}

# Extension -> codec, for every container that people send.
CODECS = {
    "wav": "pcm_s16le",
    "mp3": "libmp3lame",
    "m4a": "aac",
    "mp4": "aac",
    "mov": "aac",
    "webm": "libopus",
    "ogg": "vorbis",
    "opus": "libopus",
    "flac": "flac",
    "mkv": "alac",
    "aiff": "pcm_s16be",
    "avi": "libmp3lame",
    "ts": "aac",
    "aac": "aac",
    "wma": "wmav2",
    "caf": "pcm_s16le",
    "w64": "pcm_s16le",
}


def encode(
    path: Path,
    source: Path = SPEECH,
    *,
    codec: str | None = None,
    rate_hz: int = 48_000,
    layout: str = "mono",
    audio_start_s: float = 0.0,
    hole_s: float = 0.0,
    with_video: bool = False,
) -> Path:
    """Write `source` in the container and codec of `path`'s extension.

    The sound starts at `audio_start_s`, and after HOLE_AT_S of it time jumps by `hole_s`.
    A video of 8 s is the first stream when it is wanted.
    """
    with av.open(path, "w") as container:
        video = add_video(container, path) if with_video else None
        name = codec or CODECS[path.suffix[1:]]
        options = _ENCODER_OPTIONS.get(name, {})
        audio = container.add_stream(name, rate=rate_hz, layout=layout, options=options)
        if video is not None:
            write_video(container, video, seconds=8)
        assert audio.codec_context.format is not None
        resampler = AudioResampler(audio.codec_context.format, layout, rate_hz, _frame_size(audio))
        samples = 0
        for frame in _resampled(source, resampler):
            start_s = audio_start_s + (hole_s if samples >= HOLE_AT_S * rate_hz else 0)
            frame.pts, frame.time_base = samples + round(start_s * rate_hz), Fraction(1, rate_hz)
            samples += frame.samples
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


def write_tone(
    path: Path, *, seconds: float, rate_hz: int, layout: str = "mono", codec: str = "pcm_s16le"
) -> Path:
    """A 440 Hz tone, the same on all channels."""
    times = np.arange(int(seconds * rate_hz)) / rate_hz
    tone = (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout=layout)
        channels = stream.codec_context.layout.nb_channels
        for start in range(0, len(tone), 4096):
            block = np.repeat(tone[start : start + 4096], channels).reshape(1, -1)
            frame = AudioFrame.from_ndarray(block, "s16", layout)
            frame.rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_silence_opus(path: Path, *, seconds: int) -> Path:
    """Hours of silence in a hundred kilobytes: packets of six empty Opus frames of 20 ms."""
    samples = 6 * 960
    with av.open(path, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        for start in range(0, seconds * 48_000, samples):
            packet = av.Packet(b"\xfb\x06")
            packet.stream, packet.time_base = stream, Fraction(1, 48_000)
            packet.pts = packet.dts = start
            packet.duration = samples
            container.mux(packet)
    return path


def write_tracks(path: Path, *sources: Path) -> Path:
    """A sound track for each source, in their order."""
    with av.open(path, "w") as container:
        streams = [container.add_stream("flac", rate=16_000, layout="mono") for _ in sources]
        for source, stream in zip(sources, streams, strict=True):
            resampler = AudioResampler("s16", "mono", 16_000, _frame_size(stream))
            samples = 0
            for frame in _resampled(source, resampler):
                frame.pts, frame.time_base = samples, Fraction(1, 16_000)
                samples += frame.samples
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def write_video_without_sound(path: Path) -> Path:
    with av.open(path, "w") as container:
        write_video(container, add_video(container, path), seconds=2)
    return path


def write_mp3_with_cover(path: Path) -> Path:
    """Speech with an ID3 picture, which FFmpeg shows as a video stream."""
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "rgb24"
    encoder.time_base = Fraction(1, 5)
    (png,) = encoder.encode(VideoFrame(64, 48, "rgb24"))
    picture = b"\0image/png\0\3\0" + bytes(png)
    frame = b"APIC" + len(picture).to_bytes(4, "big") + b"\0\0" + picture
    length = bytes([len(frame) >> 7 & 0x7F, len(frame) & 0x7F])
    path.write_bytes(b"ID3\3\0\0\0\0" + length + frame + encode(path).read_bytes())
    return path


def add_video(container: OutputContainer, path: Path) -> VideoStream:
    codec = "libvpx" if path.suffix == ".webm" else "mpeg4"
    stream = container.add_stream(codec, rate=5)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    return stream


def write_video(container: OutputContainer, stream: VideoStream, *, seconds: int) -> None:
    for number in range(seconds * 5):
        frame = VideoFrame(64, 48, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 5)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _resampled(source: Path, resampler: AudioResampler) -> Iterator[AudioFrame]:
    with av.open(source) as container:
        for frame in container.decode(audio=0):
            yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _frame_size(audio: av.AudioStream) -> int | None:
    if not audio.codec_context.is_open:
        audio.codec_context.open()
    return audio.codec_context.frame_size or None
