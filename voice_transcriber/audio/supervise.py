"""Hears a decoder child out, ends one that hangs, and says what its death means."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Generator, Iterator

from voice_transcriber.errors import (
    DamagedMedia,
    InternalError,
    MediaTooCostly,
    TranscriberError,
    error_from_code,
)
from voice_transcriber.processes.channel import ChannelBroken, Message
from voice_transcriber.processes.spawn import Child

# Signals of a crash in native code, and of the limits; named, for not every system has them all.
_CRASHES = ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL", "SIGTRAP")
_LIMITS = ("SIGXCPU", "SIGKILL")  # SIGKILL that we did not send: the system's memory ran out


class Watchdog:
    """Kills a child that sends nothing for `silence_s` seconds or lives for `life_s`."""

    def __init__(self, child: Child, *, silence_s: float, life_s: float) -> None:
        self.has_bitten = False
        self._child = child
        self._silence_s = silence_s
        self._heard_at = time.monotonic()
        self._end_at = self._heard_at + life_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="decoder-watchdog", daemon=True)

    def heard(self) -> None:
        self._heard_at = time.monotonic()

    def __enter__(self) -> Watchdog:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(max(0.0, self._bite_at() - time.monotonic())):
            if time.monotonic() >= self._bite_at():
                self.has_bitten = True
                self._child.kill()
                return

    def _bite_at(self) -> float:
        return min(self._heard_at + self._silence_s, self._end_at)


def hear(child: Child, *, silence_s: float, life_s: float) -> Generator[Message]:
    """Yield the child's messages; at the end it is reaped and its pipes are closed.

    Raises the error that the child reports, or the one that its death means.
    """
    watchdog = Watchdog(child, silence_s=silence_s, life_s=life_s)
    with watchdog, child.process:
        for message in _whole_messages(child):
            watchdog.heard()
            if "error" in message:
                raise error_from_code(**message["error"])
            yield message
    status = child.process.returncode
    if status and watchdog.has_bitten:
        raise MediaTooCostly("Decoding the file made no progress and was stopped.")
    if status:
        raise _meaning_of_death(status)


def _whole_messages(child: Child) -> Iterator[Message]:
    try:
        yield from child.channel.messages()
    except ChannelBroken:  # it died while it wrote; its exit status says why
        return


def _meaning_of_death(status: int) -> TranscriberError:
    name = signal.Signals(-status).name if status < 0 else ""
    if name in _CRASHES:
        return DamagedMedia(f"The file is damaged: decoding it crashed ({name}).")
    if name in _LIMITS:
        return MediaTooCostly()
    return InternalError(f"The decoder ended unexpectedly (exit status {status}).")
