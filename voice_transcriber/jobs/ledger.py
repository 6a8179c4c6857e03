"""What is planned, waiting and done of one job: the committed plan, held in memory."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from voice_transcriber.job import Chunk, Window, WindowStatus
from voice_transcriber.jobs.coverage import percent_done, text_tail
from voice_transcriber.jobs.languages import most_spoken
from voice_transcriber.store.base import Plan, WindowResult
from voice_transcriber.transcript.model import Segment


class Ledger:
    """Follows what the store has committed; used by the thread that runs the job."""

    def __init__(self, plan: Plan, *, start_sample: int = 0) -> None:
        """`start_sample`: where in the file the audio begins that is transcribed."""
        self._start_sample = start_sample
        self.chunks = {chunk.index: chunk for chunk in plan.chunks}
        self.segments = {start: tuple(found) for start, found in plan.segments.items()}
        self._windows: dict[int, Window] = {}
        self._waiting: dict[int, deque[Window]] = {}  # by chunk
        self._in_work: Counter[int] = Counter()  # windows of each chunk that were taken
        self._suspects: set[int] = set()
        for window in plan.windows:
            self._add(window)
            if window.crashes:
                self.suspect(window)

    @property
    def planned_to(self) -> int:
        """The first sample that no chunk covers yet whose end is fixed."""
        ends = [chunk.end_sample for chunk in self.chunks.values() if _is_fixed(chunk)]
        return max(ends, default=self._start_sample)

    @property
    def unplanned(self) -> Chunk | None:
        """The first chunk whose windows are still to be found."""
        found = (chunk for chunk in self.chunks.values() if not _is_fixed(chunk))
        return min(found, key=lambda chunk: chunk.index, default=None)

    @property
    def unfinished(self) -> Sequence[int]:
        """Indexes of the chunks of which windows wait or are in work, in time order."""
        return sorted(index for index in self.chunks if self._is_unfinished(index))

    def in_turn(self, parallel: int) -> Sequence[int]:
        """Indexes of the chunks that are worked on now: so many side by side, and the one to be
        planned again.
        """
        unplanned = [self.unplanned.index] if self.unplanned else []
        return [*self.unfinished[:parallel], *unplanned]

    def waiting(self, index: int) -> Sequence[Window]:
        """Windows of a chunk that wait."""
        return tuple(self._waiting.get(index, ()))

    def language_before(self, sample: int) -> str | None:
        """Of the last window that starts before a sample, where the windows have their own."""
        last = max((start for start in self._windows if start < sample), default=None)
        return None if last is None else self._windows[last].language

    @property
    def main_language(self) -> str | None:
        """Of most of the speech, where the windows have their own."""
        return most_spoken(self._windows.values())

    @property
    def failed_windows(self) -> list[Window]:
        return [one for one in self._windows.values() if one.status is WindowStatus.FAILED]

    @property
    def given_up(self) -> list[Chunk]:
        return [chunk for chunk in self.chunks.values() if chunk.error is not None]

    def take(self, *, parallel: int, may_go: Callable[[Window], bool]) -> Window | None:
        """The window to be decoded next; it counts as in work until it is put back or ends.

        The first `parallel` unfinished chunks go side by side: the one with the fewest windows in
        work is next, if `may_go` lets its first waiting window go.
        """
        ready = [
            index
            for index in self.unfinished[:parallel]
            if self._waiting.get(index) and may_go(self._waiting[index][0])
        ]
        if not ready:
            return None
        index = min(ready, key=lambda index: (self._in_work[index], index))
        self._in_work[index] += 1
        return self._waiting[index].popleft()

    def add_known(self, chunk: Chunk, results: Iterable[WindowResult]) -> None:
        """A chunk whose windows are finished already."""
        self.chunks[chunk.index] = chunk
        for result in results:
            window = replace(result.window, status=WindowStatus.DONE)
            self._windows[window.start_sample] = window
            self.segments[window.start_sample] = tuple(result.segments)

    def finished(self, index: int) -> Sequence[WindowResult] | None:
        """A chunk's windows with their texts, once none of them waits, is in work or has failed."""
        windows = [one for one in self._windows.values() if one.chunk_index == index]
        if not all(one.status is WindowStatus.DONE for one in windows):
            return None
        return [
            WindowResult(window=one, segments=self.segments[one.start_sample], follow_up=None)
            for one in sorted(windows, key=lambda one: one.start_sample)
        ]

    def add_chunk(self, chunk: Chunk, windows: Iterable[Window]) -> None:
        self.chunks[chunk.index] = chunk
        for window in windows:
            self._add(window)

    def finish(
        self, window: Window, segments: Sequence[Segment], resume: int | None
    ) -> WindowResult:
        """Note a window's text; what it left out from sample `resume` on waits as a new window."""
        follow_up = None
        if resume is not None:
            follow_up = replace(window, start_sample=resume, crashes=0)
            self._add(follow_up)
        self._end_work(replace(window, status=WindowStatus.DONE))
        self.segments[window.start_sample] = tuple(segments)
        return WindowResult(window=window, segments=segments, follow_up=follow_up)

    def suspect(self, window: Window) -> None:
        """From now on this window runs alone."""
        self._suspects.add(window.start_sample)

    def is_suspect(self, window: Window) -> bool:
        return window.start_sample in self._suspects

    def again(self, window: Window) -> None:
        """Put back a window that was taken, unless it has failed for good."""
        self._end_work(window)
        if window.status is WindowStatus.PENDING:
            self._waiting.setdefault(window.chunk_index, deque()).appendleft(window)

    def set_chunk(self, chunk: Chunk) -> None:
        """Note a chunk's failures."""
        self.chunks[chunk.index] = chunk

    def give_up(self, chunk: Chunk, windows: Iterable[Window]) -> None:
        """The chunk gets no further tries; these windows of it, taken or waiting, have failed."""
        self.set_chunk(chunk)
        for window in windows:
            failed = replace(window, status=WindowStatus.FAILED)
            if window in self._waiting.get(chunk.index, ()):
                self._waiting[chunk.index].remove(window)
                self._windows[window.start_sample] = failed
            else:
                self._end_work(failed)

    def percent(self, *, total_samples: int) -> float:
        total_samples = max(total_samples, self.planned_to - self._start_sample)
        done = percent_done(
            self.chunks.values(), self._windows.values(), total_samples=total_samples
        )
        return round(done, 1)

    def text_tail(self) -> str:
        return text_tail(self.segments)

    def _add(self, window: Window) -> None:
        self._windows[window.start_sample] = window
        if window.status is WindowStatus.PENDING:
            self._waiting.setdefault(window.chunk_index, deque()).append(window)

    def _end_work(self, window: Window) -> None:
        self._windows[window.start_sample] = window
        self._in_work[window.chunk_index] -= 1

    def _is_unfinished(self, index: int) -> bool:
        return bool(self._waiting.get(index)) or self._in_work[index] > 0


def _is_fixed(chunk: Chunk) -> bool:
    return chunk.is_planned or chunk.error is not None
