"""Which waiting windows are decoded together next.

Windows of all running jobs share one waiting room. The most urgent goes first
and takes along those that may share its batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

from voice_transcriber.engines.protocol import ModelKey, WindowRequest
from voice_transcriber.job import SAMPLE_RATE

BatchKey = tuple[str | int | None, ...]

PATIENCE_BATCHES = 32  # a window that waited for so many goes first, whatever else waits
LIKE_LENGTH = 5 * SAMPLE_RATE  # by so much those may be longer that others should not wait for


@dataclass(frozen=True)
class Waiting:
    """A window in the waiting room; ids grow with arrival."""

    id: int
    request: WindowRequest


def batch_key(request: WindowRequest) -> BatchKey:
    """Windows with equal keys may share a batch: same engine, model, start tokens and prompt."""
    return (
        request.engine,
        request.model,
        request.checkpoint,
        request.language,
        request.task,
        request.prompt,
        request.hotwords,
        request.beam_size,
    )


class Batcher:
    """The waiting room. Used by the engine's loop alone."""

    def __init__(self) -> None:
        self._waiting: dict[int, Waiting] = {}
        self._taken = 0  # batches so far; they are the clock of this room
        self._came_at: dict[int, int] = {}
        self._served_at: dict[str, int] = {}  # files, while they have windows here
        self._overdue_at = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, item: Waiting) -> None:
        self._waiting[item.id] = item
        # Before the files of the batch that is in work now.
        self._came_at[item.id] = self._taken - 1

    def drop(self, ids: Collection[int]) -> None:
        for item_id in ids:
            self._waiting.pop(item_id, None)
            self._came_at.pop(item_id, None)

    def take(
        self, *, is_loaded: Callable[[ModelKey], bool], batch_size: Callable[[WindowRequest], int]
    ) -> list[Waiting]:
        """The next batch, removed from the room; empty when nobody waits.

        Among equally urgent windows those whose model is loaded go first, so that jobs with more
        models than the cache holds do not reload at every batch; then the file that was served
        the longest ago, so that a clip does not wait for all of a long file. Of those that may
        share the batch, the nearest in length come along. `batch_size(first)` is the most that
        share one.
        """
        if not self._waiting:
            return []
        order = self._order(is_loaded)
        first = self._overdue() or order[0]
        batch = [first, *self._companions(first.request, order)[: batch_size(first.request) - 1]]
        self._taken += 1
        self.drop([item.id for item in batch])
        self._note_served(batch)
        return batch

    def take_joining(self, first: WindowRequest, *, room: int) -> list[Waiting]:
        """At most `room` windows that came after the batch of `first` was taken and may share it,
        removed from here: none when something more urgent waits.
        """
        if first.alone or room <= 0 or self.has_before(first.priority):
            return []
        order = self._order(lambda key: key == first.key)
        joining = [
            item
            for item in self._companions(first, order)
            if item.request.priority == first.priority and _is_like(item.request, first)
        ][:room]
        self.drop([item.id for item in joining])
        self._note_served(joining)
        return joining

    def has_before(self, priority: int) -> bool:
        """Whether something more urgent waits, for whatever model."""
        return any(item.request.priority < priority for item in self._waiting.values())

    def take_before(
        self, running: WindowRequest, *, batch_size: Callable[[WindowRequest], int]
    ) -> list[Waiting]:
        """The windows that may pass while `running` is decoded, removed from the room: more
        urgent ones for the same model, none that must be alone.
        """
        order = [
            item
            for item in self._order(lambda key: key == running.key)
            if item.request.priority < running.priority
            and (item.request.key, item.request.checkpoint) == (running.key, running.checkpoint)
            and not item.request.alone
        ]
        if not order:
            return []
        first = order[0]
        batch = [first, *self._companions(first.request, order)[: batch_size(first.request) - 1]]
        self.drop([item.id for item in batch])
        self._note_served(batch)
        return batch

    def _order(self, is_loaded: Callable[[ModelKey], bool]) -> list[Waiting]:
        turns, since = self._turns(), self._since()
        return sorted(
            self._waiting.values(),
            key=lambda item: (
                item.request.priority,
                not is_loaded(item.request.key),
                since[item.request.pcm],
                turns[item.id],
                item.id,
            ),
        )

    def _since(self) -> dict[str, int]:
        """When each file was served last, or when its first window here came, if that is later."""
        since: dict[str, int] = {}
        for item in self._waiting.values():
            pcm = item.request.pcm
            if pcm not in since:
                since[pcm] = max(self._came_at[item.id], self._served_at.get(pcm, -1))
        return since

    def _note_served(self, batch: list[Waiting]) -> None:
        self._served_at |= {item.request.pcm: self._taken for item in batch}
        here = {item.request.pcm for item in self._waiting.values()}
        self._served_at = {pcm: at for pcm, at in self._served_at.items() if pcm in here}

    def _turns(self) -> dict[int, int]:
        """How many windows of the same file arrived before each window."""
        seen: Counter[str] = Counter()
        turns = {}
        for item in self._waiting.values():
            turns[item.id] = seen[item.request.pcm]
            seen[item.request.pcm] += 1
        return turns

    def _overdue(self) -> Waiting | None:
        """The longest waiting, when urgent work or another model kept it for too long.

        Others are kept for as long again before the next one is overdue.
        """
        oldest = next(iter(self._waiting.values()))
        if self._taken - max(self._came_at[oldest.id], self._overdue_at) < PATIENCE_BATCHES:
            return None
        self._overdue_at = self._taken
        return oldest

    def _companions(self, first: WindowRequest, order: list[Waiting]) -> list[Waiting]:
        """Those that may share the batch: the more urgent, then the nearer in length, first."""
        if first.alone:
            return []
        key = batch_key(first)
        matching = [
            item
            for item in order
            if item.request is not first
            and not item.request.alone
            and batch_key(item.request) == key
            and _keeps_nobody(item.request, first)
        ]
        return sorted(
            matching,
            key=lambda item: (
                item.request.priority,
                abs(item.request.speech_samples - first.speech_samples),
            ),
        )


def _keeps_nobody(request: WindowRequest, first: WindowRequest) -> bool:
    """An urgent clip is not kept by a long window that may wait."""
    return request.priority <= first.priority or _is_like(request, first)


def _is_like(request: WindowRequest, first: WindowRequest) -> bool:
    return request.speech_samples <= first.speech_samples + LIKE_LENGTH
