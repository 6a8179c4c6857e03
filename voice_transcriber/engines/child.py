"""The engine's process (`python -m voice_transcriber.engines.child`), or its loop in a thread.

Both give the app a RunningHost; ENGINE_ISOLATION chooses the constructor.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from voice_transcriber.engines.device import prepare_device
from voice_transcriber.engines.protocol import HostOptions
from voice_transcriber.processes.channel import Channel, channel_pair
from voice_transcriber.processes.child_side import die_with_parent, ignore_interrupts, take_channel
from voice_transcriber.processes.spawn import Child, Spawner

_NICENESS = 10  # the web process answers first
_LOG_TAIL_LINES = 5


class RunningHost(Protocol):
    """An engine's loop that runs somewhere."""

    channel: Channel

    @property
    def pid(self) -> int | None:
        """The child's process id; None in a thread."""
        ...

    def kill(self) -> None: ...

    def cause_of_death(self) -> str:
        """How it ended, in words, with the last lines that it logged."""
        ...


HostStarter = Callable[[], RunningHost]


class HostProcess:
    """The loop in a child process."""

    def __init__(self, child: Child, log_file: Path) -> None:
        self._child = child
        self._log_file = log_file
        self.channel = child.channel

    @property
    def pid(self) -> int | None:
        return self._child.pid

    def kill(self) -> None:
        self._child.kill()

    def cause_of_death(self) -> str:
        code = self._child.process.wait()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        tail = self._log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        lines = [line for line in tail if line.strip()][-_LOG_TAIL_LINES:]
        return "; ".join([how, *lines])


class HostThread:
    """The loop in a thread of the app: for a debugger and the smallest machines."""

    pid = None

    def __init__(self, options: HostOptions) -> None:
        self.channel, theirs = channel_pair()
        thread = threading.Thread(target=_serve, args=(theirs, options), name="engine", daemon=True)
        thread.start()

    def kill(self) -> None:
        self.channel.close()

    def cause_of_death(self) -> str:
        return "the engine's thread ended"


def process_starter(spawner: Spawner, options: HostOptions, log_file: Path) -> HostStarter:
    def start() -> RunningHost:
        arguments = [json.dumps(options.to_message())]
        with log_file.open("wb") as log:
            child = spawner.start("voice_transcriber.engines.child", arguments, log=log)
        return HostProcess(child, log_file)

    return start


def thread_starter(options: HostOptions) -> HostStarter:
    return lambda: HostThread(options)


def _serve(
    channel: Channel, options: HostOptions, *, on_end: Callable[[], None] | None = None
) -> None:
    def read() -> None:
        host.read()
        if on_end is not None:
            on_end()

    try:  # whatever fails, the app hears that nobody answers any more
        place = prepare_device(options)
        # Only now: its imports load numpy, whose threads were set above.
        from voice_transcriber.engines.host import EngineHost

        host = EngineHost(channel, options, place=place)
        threading.Thread(target=read, name="engine-inbox", daemon=True).start()
        host.run()
    finally:
        channel.close()


def main() -> None:
    channel = take_channel()
    die_with_parent()
    ignore_interrupts()
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    options = HostOptions(**json.loads(sys.argv[1]))
    # The parent is gone at end of input: a batch in work has nobody left to hear of it.
    _serve(channel, options, on_end=lambda: os._exit(0))


if __name__ == "__main__":
    main()
