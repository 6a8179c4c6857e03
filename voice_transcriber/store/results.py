"""What the store promises of results that were computed once and serve again.

A result belongs to the jobs that made or used it: with the last of them it is
deleted, so that no text outlives the jobs that a person can see.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from voice_transcriber.job import Claim


class ResultKind(StrEnum):
    FILE = "file"  # the transcript of a whole selection
    CHUNK = "chunk"  # the windows of one chunk


@dataclass(frozen=True, kw_only=True)
class StoredResult:
    """One entry. The content is opaque here; its checksum travels with it."""

    key: str
    kind: ResultKind
    content: bytes
    checksum: str
    jobs: Collection[str] = ()  # ids of the jobs that it belongs to, when it was read


@dataclass(frozen=True, kw_only=True)
class DecodedAs:
    """What a part of a media file is once it is decoded: known, it need not be decoded again."""

    blob_sha256: str
    selection: str  # which part of which track, and decoded by what
    pcm_sha256: str
    end_sample: int  # where in the file the decoded part ends
    duration_ms: int  # of the whole file


@dataclass(frozen=True, kw_only=True)
class ResultNotes:
    """What a job that completes leaves to later ones."""

    made: StoredResult | None = None
    used: Collection[str] = ()  # keys of results that its text comes from
    decoded: DecodedAs | None = None


@dataclass(frozen=True, kw_only=True)
class KnownAnswer:
    """A transcript that was known before, as it ends a job."""

    key: str
    content: str  # the transcript as rows.transcript_to_column writes it
    duration_s: float  # of what was asked for
    language: str | None
    language_probability: float | None
    text_tail: str
    performance: Mapping[str, Any] = field(default_factory=dict)
    decoded: DecodedAs | None = None


@dataclass(frozen=True, kw_only=True)
class ResultTotals:
    entries: int
    size_bytes: int


class ResultStore(Protocol):
    """The part of the Store that serves the result cache."""

    def find_result(self, key: str, *, made_after: float) -> StoredResult | None:
        """An entry that was made after a Unix time."""
        ...

    def most_used_results(
        self, *, limit: int, max_bytes: int, made_after: float
    ) -> Sequence[StoredResult]:
        """Most uses first, as many as `limit` and `max_bytes` of content allow."""
        ...

    def keep_result(self, job_id: str, result: StoredResult) -> bool:
        """Store an entry that belongs to a job, in place of one with its key; False when the job
        was deleted meanwhile.
        """
        ...

    def drop_result(self, key: str) -> None:
        """Harmless when there is none."""
        ...

    def forget_results_of(self, blob_sha256: str) -> Collection[str]:
        """Delete every entry that belongs to a job with this recording, whoever else uses it;
        the keys of those that were there.
        """
        ...

    def jobs_with(self, blob_sha256: str) -> Collection[str]:
        """Ids of the jobs of a recording."""
        ...

    def clear_results(self) -> int:
        """Delete all entries, some at a time; their number."""
        ...

    def trim_results(self, *, max_bytes: int, made_after: float) -> int:
        """Delete what is older, then what was not used for longest until the rest fits, some at
        a time; how many entries that were.
        """
        ...

    def result_totals(self) -> ResultTotals: ...

    def find_decoded(self, blob_sha256: str, selection: str) -> DecodedAs | None: ...

    def fact(self, name: str) -> str | None:
        """What was noted last under a name."""
        ...

    def note_fact(self, name: str, value: str) -> None: ...

    def complete_queued(self, job_id: str, answer: KnownAnswer) -> bool:
        """End a job that still waits with a transcript that was known; False when it no longer
        waits.
        """
        ...

    def complete_known(self, claim: Claim, answer: KnownAnswer) -> None:
        """End a running job with a transcript that was known; what was planned of it goes."""
        ...
