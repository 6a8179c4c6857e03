"""Hears a decoder child out, ends one that hangs, and says what its death means."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Generator

from voice_transcriber.errors import (
    DamagedMedia,
    DecoderCrashed,
    MediaTooCostly,
    TranscriberError,
    error_from_code,
)
from voice_transcriber.processes.channel import ChannelBroken, Message
from voice_transcriber.processes.spawn import Child
from voice_transcriber.processes.watch import AwakeClock, is_stopped, out_of_memory_kills

NONSENSE = "The decoder sent what cannot be understood."
ENDING_S = 1.0  # for a child that has closed its channel to be gone
ROUND_S = 5.0  # between two looks at a clock that must be asked often

# Signals of a crash in native code; named, for not every system has them all.
_CRASHES = ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS")


class Watchdog:
    """Kills a child that sends nothing for `silence_s` seconds or lives for `life_s`.

    The time in which the machine or the container was suspended does not count.
    """

    def __init__(self, child: Child, *, silence_s: float, life_s: float) -> None:
        self.has_bitten = False
        self.was_silent = False  # it was not its life that was over
        self.was_stopped = False  # from outside, so its silence was not the file's fault
        self._child = child
        self._silence_s = silence_s
        self._clock = AwakeClock()
        self._heard_at = self._clock()
        self._end_at = self._heard_at + life_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="decoder-watchdog", daemon=True)

    def heard(self) -> None:
        self._heard_at = self._clock()

    def __enter__(self) -> Watchdog:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(self._pause_s()):
            if self._clock() >= self._bite_at():
                self.was_silent = self._silent_at() <= self._end_at
                self.was_stopped = is_stopped(self._child.pid)
                self.has_bitten = True
                self._child.kill()
                return

    def _pause_s(self) -> float:
        return min(ROUND_S, max(0.0, self._bite_at() - self._clock()))

    def _bite_at(self) -> float:
        return min(self._silent_at(), self._end_at)

    def _silent_at(self) -> float:
        return self._heard_at + self._silence_s


def hear(child: Child, *, silence_s: float, life_s: float) -> Generator[Message]:
    """Yield the child's messages; at the end it is reaped and its pipes are closed.

    Raises the error that the child reports, or the one that its death means: DecoderCrashed
    when that may have nothing to do with the file.
    """
    memory_kills = out_of_memory_kills()
    ended_by_itself = True
    watchdog = Watchdog(child, silence_s=silence_s, life_s=life_s)
    with watchdog, child.process:
        try:
            for message in child.channel.messages():
                watchdog.heard()
                if "error" in message:
                    raise error_from_code(**message["error"])
                yield message
        except ChannelBroken:
            ended_by_itself = _has_ended(child)
    status = child.process.returncode
    if status and watchdog.has_bitten:
        raise _stalled(watchdog)
    if not ended_by_itself:
        raise DecoderCrashed(NONSENSE)
    if status:
        raise _meaning_of_death(status, out_of_memory=out_of_memory_kills() > memory_kills)


def _has_ended(child: Child) -> bool:
    """A truncated message is that of a dying child, whose status says why; another is ended."""
    try:
        child.process.wait(ENDING_S)
    except subprocess.TimeoutExpired:
        child.kill()
        return False
    return True


def _stalled(watchdog: Watchdog) -> TranscriberError:
    """Silence may be that of a slow disk; a life that is over was spent on the file."""
    if watchdog.was_stopped:
        return DecoderCrashed("The decoder was stopped from outside (SIGSTOP) and was replaced.")
    if not watchdog.was_silent:
        return MediaTooCostly("Decoding the file took too long and was stopped.")
    cause = "Decoding the file made no progress and was stopped."
    return DecoderCrashed(cause, verdict=MediaTooCostly(f"{cause} It happened again and again."))


def _meaning_of_death(status: int, *, out_of_memory: bool) -> TranscriberError:
    """A limit that the child has set itself is the file's fault at once; the others may not be."""
    if status > 0:
        return DecoderCrashed(f"The decoder's process ended unexpectedly (exit status {status}).")
    name = signal.Signals(-status).name
    if name == "SIGXCPU":
        return MediaTooCostly("Decoding the file took more processor time than is allowed.")
    if name in _CRASHES:
        verdict = DamagedMedia(
            f"The file is damaged: decoding it crashed again and again ({name})."
        )
        return DecoderCrashed(f"Decoding the file crashed ({name}).", verdict=verdict)
    if out_of_memory:
        cause = f"The system ended the decoder because memory ran out ({name})."
    else:
        cause = f"The decoder was ended from outside ({name})."
    return DecoderCrashed(cause, verdict=MediaTooCostly(f"{cause} It happened again and again."))
