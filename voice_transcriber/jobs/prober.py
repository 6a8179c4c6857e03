"""Looks at waiting files before their turn: how long they are, and whether they are audio at all.

A bad file fails at once instead of after the queue, and a short one is found
for the express lane.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable

from voice_transcriber.audio.crashes import MAX_CRASHES
from voice_transcriber.audio.decode import Decoder
from voice_transcriber.audio.probe import Probe
from voice_transcriber.audio.selection import Selection
from voice_transcriber.blobs.base import BlobStore
from voice_transcriber.errors import DecoderCrashed, TranscriberError, UserError
from voice_transcriber.job import Job, JobError
from voice_transcriber.store.base import Store

log = logging.getLogger(__name__)

PATIENCE_S = 1.0  # a free worker takes a new job within this time, and looks at it itself


class Prober:
    """One thread, which `supervise` replaces when it has died."""

    def __init__(
        self,
        *,
        store: Store,
        blobs: BlobStore,
        decoder: Decoder,
        on_known: Callable[[], None],
    ) -> None:
        """`on_known` is called when a length became known: the job may be for the express lane."""
        self._store = store
        self._blobs = blobs
        self._decoder = decoder
        self._on_known = on_known
        self._unknown: set[str] = set()  # looked at, and no wiser
        self._crashes: Counter[str] = Counter()  # of the decoder, by job
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._work, name="prober", daemon=True)
        self._thread.start()

    def supervise(self) -> None:
        """Start a thread in the place of one that has died."""
        if self._thread and not self._thread.is_alive() and not self._stopping.is_set():
            log.error("The prober's thread has died and is replaced.")
            self.start()

    def stop(self) -> None:
        self._stopping.set()

    def _work(self) -> None:
        while not self._stopping.wait(PATIENCE_S):
            try:
                while not self._stopping.is_set() and (job := self._next()):
                    self._probe(job)
            except Exception:  # the thread must live on
                log.exception("The prober met an unexpected error.")

    def _next(self) -> Job | None:
        return self._store.next_unprobed(skip=self._unknown, older_than_s=PATIENCE_S)

    def _probe(self, job: Job) -> None:
        try:
            probe = self._decoder.probe(
                self._blobs.path(job.blob_sha256), Selection.of(job.options)
            )
        except UserError as error:
            self._store.fail_queued(
                job.id, JobError(code=error.code, message=error.message, remedy=error.remedy)
            )
        except DecoderCrashed as error:
            self._note_crash(job, error)
        except TranscriberError:
            log.exception("Job %s could not be looked at; its worker will say why.", job.id)
            self._unknown.add(job.id)
        else:
            self._note(job, probe)

    def _note_crash(self, job: Job, error: DecoderCrashed) -> None:
        """It is looked at again; in the end its worker says whether it is the file's fault."""
        log.warning("Job %s could not be looked at: %s", job.id, error.message)
        self._crashes[job.id] += 1
        if self._crashes[job.id] >= MAX_CRASHES:
            del self._crashes[job.id]
            self._unknown.add(job.id)

    def _note(self, job: Job, probe: Probe) -> None:
        length_s = Selection.of(job.options).length_s(probe.duration_s)
        if length_s is None:  # the header does not say, as in recordings of a browser
            self._unknown.add(job.id)
            return
        if self._store.set_probe(job.id, duration_s=length_s):
            self._on_known()
