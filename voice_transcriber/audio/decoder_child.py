"""The decoder's child process: one media file in, one PCM file out, then it ends.

    python -m voice_transcriber.audio.decoder_child probe MAX_DURATION_S MEDIA
    python -m voice_transcriber.audio.decoder_child decode MAX_DURATION_S MEDIA PCM

It sends {"probe": {...}}, and while it decodes {"progress": {"samples"}} a few
times a second and {"done": {"samples", "broken_parts"}} once the file is safe
on the disk; or {"error": {"code", "message", "remedy"}}. Files come from
strangers, so the process bounds itself before it opens one.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from voice_transcriber.errors import DiskFull, MediaTooCostly, TooLong, TranscriberError
from voice_transcriber.job import SAMPLE_RATE
from voice_transcriber.processes.channel import Channel
from voice_transcriber.processes.child_side import (
    die_with_parent,
    ignore_interrupts,
    take_channel,
)
from voice_transcriber.processes.limits import give_way, limit_resources, renounce_privileges

if TYPE_CHECKING:
    from voice_transcriber.audio.media_file import MediaFile

BYTES_PER_S = 2 * SAMPLE_RATE  # of the prepared audio
DATA_BYTES = 1024**3  # private memory; one hour of speech needs about 40 MB
PROGRESS_INTERVAL_S = 0.2
GUESSED_DURATION = ("mp3", "aac")  # FFmpeg extrapolates from the first frames' bit rate


def main(arguments: list[str]) -> None:
    channel = take_channel()
    die_with_parent()
    ignore_interrupts()
    task, max_duration_s, media = arguments[0], float(arguments[1]), Path(arguments[2])
    _bound(max_duration_s)
    try:
        with _translated_errors():
            if task == "probe":
                _probe(channel, media, max_duration_s)
            else:
                _decode(channel, media, max_duration_s, Path(arguments[3]))
    except TranscriberError as error:
        report = {"code": error.code, "message": error.message, "remedy": error.remedy}
        channel.send({"error": report})


def _bound(max_duration_s: float) -> None:
    os.umask(0o077)  # audio is private
    give_way()
    renounce_privileges()
    limit_resources(
        data_bytes=DATA_BYTES,
        file_bytes=int(max_duration_s * BYTES_PER_S) + 1024**2,
        cpu_s=300 + int(max_duration_s / 10),  # common codecs take a hundredth of the duration
        open_files=64,
    )


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise MediaTooCostly("Decoding the file needs more memory than is allowed.") from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFull from error
        raise


def _probe(channel: Channel, media: Path, max_duration_s: float) -> None:
    with _opened(media, max_duration_s) as file:
        channel.send({"probe": asdict(file.probe)})


@contextmanager
def _opened(media: Path, max_duration_s: float) -> Iterator[MediaFile]:
    from voice_transcriber.audio.media_file import MediaFile  # heavy: only within the limits

    with MediaFile(media) as file:
        probe = file.probe
        is_guess = probe.container in GUESSED_DURATION
        if not is_guess and (probe.duration_s or 0) > max_duration_s:
            raise _too_long(max_duration_s)
        yield file


def _decode(channel: Channel, media: Path, max_duration_s: float, pcm: Path) -> None:
    with _opened(media, max_duration_s) as file, pcm.open("xb") as out:
        channel.send({"probe": asdict(file.probe)})
        max_bytes = int(max_duration_s * BYTES_PER_S)
        written = 0
        report_at = time.monotonic() + PROGRESS_INTERVAL_S
        for block in file.pcm():
            written += out.write(block)
            if written > max_bytes:  # the header told less
                raise _too_long(max_duration_s)
            if time.monotonic() >= report_at:
                out.flush()
                channel.send({"progress": {"samples": written // 2}})
                report_at = time.monotonic() + PROGRESS_INTERVAL_S
        out.flush()
        channel.send({"progress": {"samples": written // 2}})
        os.fsync(out.fileno())
        done = {"samples": written // 2, "broken_parts": file.broken_parts}
        channel.send({"done": done})


def _too_long(max_duration_s: float) -> TooLong:
    hours = max_duration_s / 3600
    limit = f"{hours:g} hours" if hours >= 1 else f"{max_duration_s:g} seconds"
    return TooLong(f"The recording is longer than this server accepts ({limit}).")


if __name__ == "__main__":
    main(sys.argv[1:])
