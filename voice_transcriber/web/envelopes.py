"""Answers of the native API that hold several shapes, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from voice_transcriber.web.shapes import JobShape, Shape


class JobPageShape(Shape):
    """One page of the list, newest first."""

    jobs: Sequence[JobShape]
    next_cursor: int | None = Field(description="`cursor` of the next page; null on the last.")
    total: int = Field(description="Jobs that the filter lets through, on all pages.")


class ChangesShape(Shape):
    """What happened after the revision that was asked for."""

    revision: int = Field(description="Pass it as `since` the next time.")
    jobs: Sequence[JobShape] = Field(description="Jobs that are new or have changed.")
    deleted: Sequence[str] = Field(description="Ids of jobs that are gone.")
    reset: bool = Field(description="True: `since` is too old or unknown, load the list anew.")
    queue: Sequence[str] = Field(description="Ids of the first waiting jobs, in their order.")
    counts: Mapping[str, int] = Field(description="Number of jobs in each status.")
    next_poll_ms: int = Field(description="Ask again after about this time.")


class HealthShape(Shape):
    """The verdict; the rest is told only to those who may use the server."""

    status: Literal["ok", "unavailable"]


class HealthDetailShape(HealthShape):
    """The verdict with its reasons."""

    version: str
    problems: Sequence[str] = Field(description="Sentences; none while the status is ok.")
    details: Mapping[str, Any]


class ReadyShape(Shape):
    """Whether jobs can be taken and run."""

    ready: bool
