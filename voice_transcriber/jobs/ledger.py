"""What is planned, waiting and done of one job: the committed plan, held in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
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
        self.waiting: deque[Window] = deque()
        self._windows: dict[int, Window] = {}
        self._suspects: set[int] = set()
        for window in plan.windows:
            self._windows[window.start_sample] = window
            if window.status is WindowStatus.PENDING:
                self.waiting.append(window)
            if window.crashes:
                self.suspect(window)

    @property
    def planned_to(self) -> int:
        """The first sample that no chunk covers yet."""
        ends = [chunk.end_sample for chunk in self.chunks.values()]
        return max(ends, default=self._start_sample)

    @property
    def last_language(self) -> str | None:
        """Of the last window so far, where the windows have their own."""
        last = max(self._windows, default=None)
        return None if last is None else self._windows[last].language

    @property
    def main_language(self) -> str | None:
        """Of most of the speech, where the windows have their own."""
        return most_spoken(self._windows.values())

    @property
    def failed_windows(self) -> list[Window]:
        return [one for one in self._windows.values() if one.status is WindowStatus.FAILED]

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
        self._windows[window.start_sample] = replace(window, status=WindowStatus.DONE)
        self.segments[window.start_sample] = tuple(segments)
        return WindowResult(window=window, segments=segments, follow_up=follow_up)

    def suspect(self, window: Window) -> None:
        """From now on this window runs alone."""
        self._suspects.add(window.start_sample)

    def is_suspect(self, window: Window) -> bool:
        return window.start_sample in self._suspects

    def again(self, window: Window) -> None:
        """Put back a window that crashed the engine, unless it has failed for good."""
        self._windows[window.start_sample] = window
        if window.status is WindowStatus.PENDING:
            self.waiting.appendleft(window)

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
        self.waiting.append(window)
