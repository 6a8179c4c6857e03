"""Many transcripts as one zip, made on disk: one transcript is in memory at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from tempfile import TemporaryFile
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from voice_transcriber.errors import NotFound, WrongState
from voice_transcriber.files import full_disk_told
from voice_transcriber.job import Job, JobStatus
from voice_transcriber.transcript.exporters import format_named, render
from voice_transcriber.transcript.exporters.names import UsedNames, safe_stem
from voice_transcriber.transcript.exporters.options import ExportOptions
from voice_transcriber.transcript.model import Transcript

FIRST_TIME = (1980, 1, 1, 0, 0, 0)  # zip knows none before it
LEFT_OUT = "left out"  # name of the file that tells what was deleted meanwhile


@dataclass(frozen=True)
class Member:
    """One file of an archive."""

    name: str
    body: bytes
    changed_at: float | None = None  # Unix seconds


def check_completed(jobs: Iterable[Job]) -> None:
    """Raises WrongState for the first job that has no transcript."""
    for job in jobs:
        if job.status is not JobStatus.COMPLETED:
            raise WrongState(
                f"The job {job.id} ({job.filename[:80]}) is {job.status} and has no transcript.",
                remedy="Leave it out, or wait until it has completed.",
            )


def transcript_files(
    jobs: Sequence[Job],
    formats: Sequence[str],
    options: ExportOptions,
    *,
    read: Callable[[str], Transcript],
) -> Iterator[Member]:
    """A file of each format for each job; one more names the jobs that were deleted meanwhile."""
    names = UsedNames()
    endings = [format_named(name).extension for name in formats]
    gone: list[str] = []
    for job in jobs:
        try:
            transcript = read(job.id)
        except (NotFound, WrongState):
            gone.append(job.filename)
            continue
        paths = names.take(safe_stem(job.filename), endings)
        title = PurePath(job.filename).stem
        for path, name in zip(paths, formats, strict=True):
            body = render(transcript, name, options, title=title).body
            yield Member(path, body, job.finished_at)
    if gone:
        lines = "".join(f"{name!r} was deleted while this was made.\n" for name in gone)
        yield Member(names.take(LEFT_OUT, ["txt"])[0], lines.encode("utf-8", "replace"))


def zipped(members: Iterable[Member]) -> IO[bytes]:
    """A zip archive in a file without a name, at its start; closing the file removes it.

    On disk and not while it is sent: a client that reads slowly would hold a thread of the server
    as long as it likes. Raises DiskFull.
    """
    file = TemporaryFile()  # noqa: SIM115
    try:
        with full_disk_told():
            with ZipFile(file, "w", ZIP_DEFLATED) as archive:
                for member in members:
                    archive.writestr(_info(member), member.body)
            file.seek(0)
    except BaseException:
        with suppress(OSError):  # closing writes what the full disk did not take
            file.close()
        raise
    return file


def _info(member: Member) -> ZipInfo:
    changed_at = time.localtime(member.changed_at)[:6]
    info = ZipInfo(member.name, max(changed_at, FIRST_TIME))
    info.compress_type = ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info
