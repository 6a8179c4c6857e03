"""Keeps the files beside the database up to date as jobs end."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from voice_transcriber.errors import NotFound, TranscriberError
from voice_transcriber.job import Job
from voice_transcriber.jobs.hooks import JobHooks
from voice_transcriber.jobs.sidecar import Sidecars
from voice_transcriber.store.base import Store

log = logging.getLogger(__name__)


class JobRecords(JobHooks):
    """The transcript's file was written before the job ended; here the record follows."""

    def __init__(self, store: Store, sidecars: Sidecars) -> None:
        self._store = store
        self._sidecars = sidecars

    def ended(self, job: Job, performance: Mapping[str, Any]) -> None:
        try:
            now = self._store.get(job.id)
            if not now.is_live:
                self._sidecars.note(now)
        except NotFound:  # deleted meanwhile
            return
        except TranscriberError as error:
            log.warning("The record of job %s was not brought up to date: %s", job.id, error)
