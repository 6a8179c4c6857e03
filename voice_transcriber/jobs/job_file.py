"""A job as a JSON file with a checksum: its record, and its transcript when it has one.

The transcript's own fields stand on top, as in the files of older versions, which had no record
and no checksum.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, replace
from typing import Any

import msgspec

from voice_transcriber.job import Job, JobStatus
from voice_transcriber.store.rows import to_json
from voice_transcriber.transcript.model import Transcript

_CHECKSUM = re.compile(rb',"checksum":"([0-9a-f]{64})"\}$')

TAIL_BYTES = 128  # the end of a file that holds its checksum

# What belongs to one attempt, or to one database.
_PASSING = (
    "seq",
    "revision",
    "run_at",
    "waits_for",
    "owner",
    "cancel_requested",
    "stage",
    "stage_percent",
    "ends_at",
)


class DamagedFile(ValueError):
    """The file is not what was written."""


def job_file(job: Job, content: str | None) -> bytes:
    """`content`: the transcript as JSON, None when there is none."""
    record = {name: value for name, value in asdict(job).items() if name not in _PASSING}
    transcript = "{" if content is None else content.removesuffix("}") + ","
    return _with_checksum(f'{transcript}"job":{to_json(record)}}}')


def read_job_file(data: bytes) -> tuple[Job | None, str | None]:
    """The job (None in files of older versions) and its transcript as JSON.

    A job that ran is a job that waits. Raises DamagedFile.
    """
    try:
        values = json.loads(_checked(data))
        record = values.pop("job", None)
        if record is not None and not has_checksum(data):
            raise DamagedFile("its checksum is missing")
        job = None if record is None else _job(record)
        if values:
            Transcript.from_dict(values)
    except (ValueError, TypeError, AttributeError, msgspec.MsgspecError) as error:
        raise DamagedFile(str(error)) from error
    return job, to_json(values) if values else None


def has_checksum(end: bytes) -> bool:
    """Whether a file that ends so was written by this version."""
    return _CHECKSUM.search(end) is not None


def _job(record: dict[str, Any]) -> Job:
    job = msgspec.convert({**record, "seq": 0, "revision": 0}, Job)
    if job.status is not JobStatus.RUNNING:
        return job
    return replace(job, status=JobStatus.QUEUED)


def _with_checksum(text: str) -> bytes:
    data = text.encode()
    return data[:-1] + f',"checksum":"{hashlib.sha256(data).hexdigest()}"}}'.encode()


def _checked(data: bytes) -> bytes:
    """Raises DamagedFile. Files of older versions have nothing to check."""
    found = _CHECKSUM.search(data)
    if found is None:
        return data
    checked = data[: found.start()] + b"}"
    if hashlib.sha256(checked).hexdigest().encode() != found[1]:
        raise DamagedFile("its checksum is wrong")
    return checked
