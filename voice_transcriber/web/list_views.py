"""The list's views: all recordings, or those of one state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from voice_transcriber.job import JobStatus
from voice_transcriber.web.schemas import Filter

_NAMES: Mapping[JobStatus, str] = {
    JobStatus.QUEUED: "Waiting",
    JobStatus.RUNNING: "Running",
    JobStatus.COMPLETED: "Done",
    JobStatus.FAILED: "Failed",
    JobStatus.CANCELLED: "Cancelled",
}


@dataclass(frozen=True, kw_only=True)
class ListView:
    """A link above the list."""

    name: str
    status: str  # as the address has it; empty shows all
    address: str
    jobs: int
    is_current: bool


def list_views(wanted: Filter, counts: Mapping[JobStatus, int]) -> Sequence[ListView]:
    """All states, in the order of a job's life; each keeps the search of `wanted`."""
    every = ListView(
        name="All",
        status="",
        address=_address("", wanted.q),
        jobs=sum(counts.values()),
        is_current=not wanted.status,
    )
    return [every] + [
        ListView(
            name=name,
            status=status.value,
            address=_address(status.value, wanted.q),
            jobs=counts[status],
            is_current=wanted.status == (status,),
        )
        for status, name in _NAMES.items()
    ]


def _address(status: str, search: str) -> str:
    values = {name: value for name, value in (("status", status), ("q", search)) if value}
    return f"/?{urlencode(values)}" if values else "/"
