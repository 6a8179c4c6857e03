"""What the store promises of bringing back jobs that a lost or older database does not know."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Protocol

from voice_transcriber.job import Job, JobStatus


class RecoveryStore(Protocol):
    @property
    def database_id(self) -> str:
        """Made with the database; its copies have it too."""
        ...

    @property
    def problem(self) -> str | None:
        """The damage that was met since the store was opened; a restart is needed then."""
        ...

    def statuses(self) -> Mapping[str, JobStatus]:
        """Of every job, by id."""
        ...

    def deleted_ids(self) -> Set[str]:
        """Ids of the newest jobs that were deleted."""
        ...

    def bring_back(self, job: Job, content: str | None) -> None:
        """Put a job in the state that it had, with its transcript; replaces what there is of it.

        `content` is the transcript as rows.transcript_to_column writes it. The job keeps its place
        in the order of acceptance where it has one, and gets the next one otherwise.
        """
        ...

    def erase(self, job_id: str) -> None:
        """Delete a job that an older database still has, whatever its state. Harmless when gone."""
        ...
