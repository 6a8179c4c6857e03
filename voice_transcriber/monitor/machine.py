"""The machine's use and that of our processes, by psutil."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import psutil

from voice_transcriber.monitor.sample import DECODERS, ENGINE, ROLES, WEB, MachineUse, ProcessUse

_ProcessKey = tuple[int, float]  # id and start: ids are used again


class MachineMeter:
    """Each read tells of the time since the read before. One thread at a time.

    psutil.cpu_percent() is not used: it remembers its last call for each thread, and reads come
    from a pool.
    """

    def __init__(self, engine_pid: Callable[[], int | None]) -> None:
        """`engine_pid` gives None when the engine has no process of its own now."""
        self._engine_pid = engine_pid
        self._cores = psutil.cpu_count() or 1
        self._read_at = time.monotonic()
        self._machine_s = _machine_times_s()
        self._process_s: dict[_ProcessKey, float] = {}
        self._processes_use(0.0)  # what they took until now is not of the first read's time

    def read(self) -> MachineUse:
        now = time.monotonic()
        elapsed_s, self._read_at = now - self._read_at, now
        memory = psutil.virtual_memory()
        return MachineUse(
            cores=self._cores,
            cpu_percent=self._machine_percent(),
            memory_used_bytes=memory.total - memory.available,
            memory_total_bytes=memory.total,
            processes=self._processes_use(elapsed_s),
        )

    def _machine_percent(self) -> float:
        busy_s, total_s = _machine_times_s()
        (last_busy_s, last_total_s), self._machine_s = self._machine_s, (busy_s, total_s)
        return _percent(busy_s - last_busy_s, total_s - last_total_s)

    def _processes_use(self, elapsed_s: float) -> dict[str, ProcessUse]:
        taken_s = dict.fromkeys(ROLES, 0.0)
        memory_bytes = dict.fromkeys(ROLES, 0)
        count = dict.fromkeys(ROLES, 0)
        seen: dict[_ProcessKey, float] = {}
        for role, process in self._processes():
            try:
                with process.oneshot():
                    key = (process.pid, process.create_time())
                    seen[key] = sum(process.cpu_times()[:2])
                    memory_bytes[role] += process.memory_info().rss
            except psutil.Error:  # it has ended
                continue
            count[role] += 1
            taken_s[role] += seen[key] - self._process_s.get(key, 0.0)
        self._process_s = seen
        return {
            role: ProcessUse(
                count=count[role],
                cpu_percent=_percent(taken_s[role], elapsed_s * self._cores),
                memory_bytes=memory_bytes[role],
            )
            for role in ROLES
        }

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        """Ours by role: children beside the engine are decoders, of jobs or of the prober."""
        own = psutil.Process()
        yield WEB, own
        engine = self._engine_pid()
        for child in own.children():
            yield ENGINE if child.pid == engine else DECODERS, child


def _machine_times_s() -> tuple[float, float]:
    """Processor seconds since the machine's start: busy ones and all."""
    times = psutil.cpu_times()
    guests = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)
    total_s = sum(times) - guests  # Linux counts them among user and nice too
    idle_s = times.idle + getattr(times, "iowait", 0.0)
    return total_s - idle_s, total_s


def _percent(part: float, whole: float) -> float:
    """Between 0 and 100: the clocks of the two figures are not read at the same moment."""
    if whole <= 0:
        return 0.0
    return round(min(100.0, max(0.0, 100 * part / whole)), 1)
