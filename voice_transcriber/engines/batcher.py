"""Which waiting windows are decoded together next.

Windows of all running jobs share one waiting room. The most urgent goes first
and takes along those that may share its batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

from voice_transcriber.engines.protocol import WindowRequest

BatchKey = tuple[str | None, ...]


@dataclass(frozen=True)
class Waiting:
    """A window in the waiting room; ids grow with arrival."""

    id: int
    request: WindowRequest


def batch_key(request: WindowRequest) -> BatchKey:
    """Windows with equal keys may share a batch: same model, start tokens and prompt."""
    return (
        request.model,
        request.checkpoint,
        request.language,
        request.task,
        request.prompt,
        request.hotwords,
    )


class Batcher:
    """The waiting room. Used by the engine's loop alone."""

    def __init__(self, *, batch_size: int) -> None:
        self._batch_size = batch_size
        self._waiting: dict[int, Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, item: Waiting) -> None:
        self._waiting[item.id] = item

    def drop(self, ids: Collection[int]) -> None:
        for item_id in ids:
            self._waiting.pop(item_id, None)

    def take(self, *, is_loaded: Callable[[str], bool]) -> list[Waiting]:
        """The next batch, removed from the room; empty when nobody waits.

        Among equally urgent windows those whose model is loaded go first, so that
        jobs with more models than the cache holds do not reload at every batch;
        then files take turns, so that a clip does not wait for all of a long file.
        """
        if not self._waiting:
            return []
        turns = self._turns()
        order = sorted(
            self._waiting.values(),
            key=lambda item: (
                item.request.priority,
                not is_loaded(item.request.model),
                turns[item.id],
                item.id,
            ),
        )
        batch = self._companions(order)
        self.drop([item.id for item in batch])
        return batch

    def _turns(self) -> dict[int, int]:
        """How many windows of the same file arrived before each window."""
        seen: Counter[str] = Counter()
        turns = {}
        for item in self._waiting.values():
            turns[item.id] = seen[item.request.pcm]
            seen[item.request.pcm] += 1
        return turns

    def _companions(self, order: list[Waiting]) -> list[Waiting]:
        first = order[0]
        if first.request.alone:
            return [first]
        key = batch_key(first.request)
        matching = [
            item for item in order if batch_key(item.request) == key and not item.request.alone
        ]
        return matching[: self._batch_size]
