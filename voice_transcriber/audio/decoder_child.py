"""The decoder's child process: one media file in, one PCM file out, then it ends.

    python -m voice_transcriber.audio.decoder_child probe MAX_DURATION_S SELECTION MEDIA
    python -m voice_transcriber.audio.decoder_child decode MAX_DURATION_S SELECTION MEDIA PCM

SELECTION is a Selection as JSON; MAX_DURATION_S holds for what is selected. It
sends {"probe": {...}}, and while it decodes {"progress": {"samples"}} a few
times a second and {"done": {"samples", "broken_parts", "sha256"}} once the file is safe
on the disk; or {"error": {"code", "message", "remedy"}}. Files come from
strangers, so the process bounds and confines itself before it opens one.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from voice_transcriber.audio.probe import Probe
from voice_transcriber.audio.selection import Selection
from voice_transcriber.errors import (
    DiskFull,
    InvalidRequest,
    MediaTooCostly,
    TooLong,
    TranscriberError,
)
from voice_transcriber.files import FULL_ERRNOS
from voice_transcriber.job import SAMPLE_RATE
from voice_transcriber.processes.channel import Channel
from voice_transcriber.processes.child_side import (
    die_with_parent,
    ignore_interrupts,
    take_channel,
)
from voice_transcriber.processes.limits import give_way, limit_resources, renounce_privileges
from voice_transcriber.processes.sandbox import read_only_this

if TYPE_CHECKING:
    from voice_transcriber.audio.media_file import MediaFile

SAMPLE_BYTES = 2  # of the prepared audio
BYTES_PER_S = SAMPLE_BYTES * SAMPLE_RATE
DATA_BYTES = 1024**3  # private memory; one hour of speech needs about 40 MB
PROGRESS_INTERVAL_S = 0.2
# After each the disk's room is looked at, as a decoder may be fast, and the piece is synced, so
# that on a slow disk none is a long silence.
PIECE_BYTES = 8 * 1024**2
KEPT_FREE_BYTES = 100_000_000  # of the disk: the database must be able to go on
PROCESSOR_S = 30.0  # for any file, and for each second of sound that comes out of it:
PROCESSOR_S_PER_S = 0.25  # common codecs take a hundredth
GUESSED_DURATION = ("mp3", "aac")  # FFmpeg extrapolates from the first frames' bit rate


def main(arguments: list[str]) -> None:
    channel = take_channel()
    die_with_parent()
    ignore_interrupts()
    task, max_duration_s, media = arguments[0], float(arguments[1]), Path(arguments[3])
    selection = Selection(**json.loads(arguments[2]))
    _bound(selection.from_s + max_duration_s)
    try:
        with _translated_errors():
            if task == "probe":
                _confine(media)
                _probe(channel, media, selection, max_duration_s)
            else:
                with Path(arguments[4]).open("xb") as out:
                    _confine(media)
                    _decode(channel, media, selection, max_duration_s, out)
    except TranscriberError as error:
        report = {"code": error.code, "message": error.message, "remedy": error.remedy}
        channel.send({"error": report})


def _bound(last_s: float) -> None:
    """No sample later than `last_s` is ever written."""
    os.umask(0o077)  # audio is private
    give_way()
    renounce_privileges()
    limit_resources(
        data_bytes=DATA_BYTES,
        file_bytes=int(last_s * BYTES_PER_S) + 1024**2,
        cpu_s=int(PROCESSOR_S + last_s * PROCESSOR_S_PER_S) + 1,
        open_files=64,
    )


def _confine(media: Path) -> None:
    """From here on nothing but the media file can be opened: what is needed is imported before."""
    import voice_transcriber.audio.media_file  # noqa: F401  (heavy: only within the limits)

    read_only_this(media)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise MediaTooCostly("Decoding the file needs more memory than is allowed.") from error
    except OSError as error:
        if error.errno in FULL_ERRNOS:
            raise DiskFull from error
        raise


def _probe(channel: Channel, media: Path, selection: Selection, max_duration_s: float) -> None:
    with _opened(media, selection, max_duration_s) as file:
        channel.send({"probe": asdict(file.probe)})


@contextmanager
def _opened(media: Path, selection: Selection, max_duration_s: float) -> Iterator[MediaFile]:
    from voice_transcriber.audio.media_file import MediaFile

    with MediaFile(media, track=selection.track) as file:
        probe = file.probe
        if probe.container not in GUESSED_DURATION:
            _check_length(probe.duration_s, selection, max_duration_s)
        yield file


def _check_length(duration_s: float | None, selection: Selection, max_duration_s: float) -> None:
    if duration_s is None:
        return
    if 0 < duration_s <= selection.from_s:
        raise _begins_too_late(selection, duration_s)
    if (selection.length_s(duration_s) or 0) > max_duration_s:
        raise _too_long(max_duration_s)


def _decode(
    channel: Channel, media: Path, selection: Selection, max_duration_s: float, out: BinaryIO
) -> None:
    with _opened(media, selection, max_duration_s) as file:
        channel.send({"probe": asdict(file.probe)})
        _check_room(out, needed_bytes=_expected_bytes(file.probe, selection))
        first = out.seek(selection.start_sample * SAMPLE_BYTES)
        max_bytes = first + int(max_duration_s * BYTES_PER_S)
        written = synced = first
        digest = hashlib.sha256()  # of what is selected, without the hole before it
        report_at = time.monotonic() + PROGRESS_INTERVAL_S
        for block in file.pcm(start=selection.start_sample, end=selection.end_sample):
            written += out.write(block)
            digest.update(block)
            if written > max_bytes:  # the header told less
                raise _too_long(max_duration_s)
            if written - synced > PIECE_BYTES:
                out.flush()
                _check_room(out, held_bytes=written - first)
                os.fsync(out.fileno())
                synced = written
            if time.monotonic() >= report_at:
                out.flush()
                _check_pace((written - first) / BYTES_PER_S)
                channel.send({"progress": {"samples": written // SAMPLE_BYTES}})
                report_at = time.monotonic() + PROGRESS_INTERVAL_S
        if written == first:
            raise _begins_too_late(selection, file.probe.duration_s)
        out.flush()
        channel.send({"progress": {"samples": written // SAMPLE_BYTES}})
        os.fsync(out.fileno())
        samples, sha256 = written // SAMPLE_BYTES, digest.hexdigest()
        done = {"samples": samples, "broken_parts": file.broken_parts, "sha256": sha256}
        channel.send({"done": done})


def _expected_bytes(probe: Probe, selection: Selection) -> int:
    if probe.container in GUESSED_DURATION:
        return 0
    return int((selection.length_s(probe.duration_s) or 0.0) * BYTES_PER_S)


def _check_room(out: BinaryIO, *, needed_bytes: int = 0, held_bytes: int = 0) -> None:
    """Raises DiskFull while the database still has room to note that the job waits. What is held
    will be given back, and needed again.
    """
    place = out.name if sys.platform == "win32" else out.fileno()
    if shutil.disk_usage(place).free < KEPT_FREE_BYTES + needed_bytes:
        least_mb = math.ceil((KEPT_FREE_BYTES + needed_bytes + held_bytes) / 1e6)
        raise DiskFull(
            f"Waits for room on the disk: at least {least_mb} MB must be free for decoded audio."
        )


def _check_pace(decoded_s: float) -> None:
    """Of processor time, so that nobody suffers from a busy machine or a slow disk."""
    if time.process_time() > PROCESSOR_S + decoded_s * PROCESSOR_S_PER_S:
        raise MediaTooCostly("Decoding the file takes more processor time than is allowed.")


def _begins_too_late(selection: Selection, duration_s: float | None) -> InvalidRequest:
    length = "" if duration_s is None else f" It is {duration_s:.1f} s long."
    return InvalidRequest(
        f"The recording has nothing to hear from {selection.from_s:g} s on.{length}",
        remedy="Choose a start that lies within the recording.",
    )


def _too_long(max_duration_s: float) -> TooLong:
    hours = max_duration_s / 3600
    limit = f"{hours:g} hours" if hours >= 1 else f"{max_duration_s:g} seconds"
    return TooLong(f"The recording is longer than this server accepts ({limit}).")


if __name__ == "__main__":
    main(sys.argv[1:])
