"""The engine's process (`python -m voice_transcriber.engines.child`), or its loop in a thread.

Both give the app a RunningHost; ENGINE_ISOLATION chooses the constructor.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from voice_transcriber.engines.device import prepare_device
from voice_transcriber.engines.host_watch import Death
from voice_transcriber.engines.protocol import HostOptions
from voice_transcriber.engines.pulse import Pulse
from voice_transcriber.errors import EngineOutOfMemory
from voice_transcriber.processes.channel import Channel, channel_pair
from voice_transcriber.processes.child_side import die_with_parent, ignore_interrupts, take_channel
from voice_transcriber.processes.limits import give_way
from voice_transcriber.processes.sandbox import refuse_network
from voice_transcriber.processes.spawn import Child, Spawner
from voice_transcriber.processes.watch import out_of_memory_kills

_NICENESS = 10  # the web process answers first
_LOG_TAIL_LINES = 5
_LOG_TAIL_BYTES = 8192
_ENDING_S = 10.0  # for a child that has closed its channel to write its last words


class RunningHost(Protocol):
    """An engine's loop that runs somewhere."""

    channel: Channel

    @property
    def pid(self) -> int | None:
        """The child's process id; None in a thread."""
        ...

    def kill(self) -> None:
        """End it now; harmless when it has ended."""
        ...

    def death(self) -> Death:
        """How it ended, with the last lines that it logged. Its channel is at its end; if it is
        still there after a moment, it is ended.
        """
        ...


HostStarter = Callable[[], RunningHost]


class HostProcess:
    """The loop in a child process."""

    def __init__(self, child: Child, log_file: Path) -> None:
        self._child = child
        self._log_file = log_file
        self._memory_kills = out_of_memory_kills()  # of the system, until now
        self.channel = child.channel

    @property
    def pid(self) -> int | None:
        return self._child.pid

    def kill(self) -> None:
        self._child.kill()

    def death(self) -> Death:
        code = self._exit_status()
        lines = _last_lines(self._log_file)
        if code >= 0:
            return Death(cause="; ".join([f"exit status {code}", *lines]))
        name = signal.Signals(-code).name
        if name == "SIGKILL" and out_of_memory_kills() > self._memory_kills:
            how = f"signal {name} of the system, whose memory ran out"
            return Death(cause="; ".join([how, *lines]), kind=EngineOutOfMemory)
        return Death(cause="; ".join([f"signal {name}", *lines]))

    def _exit_status(self) -> int:
        try:
            return self._child.process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            return self._child.process.wait()


class HostThread:
    """The loop in a thread of the app: for a debugger and the smallest machines.

    A thread cannot be ended from outside: one that hangs is left alone with what it holds, and
    another one takes its place. A crash in native code ends the app.
    """

    pid = None

    def __init__(self, options: HostOptions) -> None:
        self.channel, self._theirs = channel_pair()
        thread = threading.Thread(
            target=_serve, args=(self._theirs, options), name="engine", daemon=True
        )
        thread.start()

    def kill(self) -> None:
        self.channel.close()
        self._theirs.close()  # so that it is not waited for

    def death(self) -> Death:
        return Death(cause="the engine's thread ended")


def process_starter(spawner: Spawner, options: HostOptions, log_file: Path) -> HostStarter:
    def start() -> RunningHost:
        arguments = [json.dumps(options.to_message())]
        with _fresh(log_file) as log:
            child = spawner.start("voice_transcriber.engines.child", arguments, log=log)
        return HostProcess(child, log_file)

    return start


def thread_starter(options: HostOptions) -> HostStarter:
    return lambda: HostThread(options)


def _fresh(log_file: Path) -> BinaryIO:
    """A new log, for our user alone; the one of the child before is kept as NAME.1.

    It is appended to, so that it can be cut while the child lives.
    """
    if log_file.exists():
        log_file.replace(log_file.with_name(f"{log_file.name}.1"))
    return cast(BinaryIO, open(log_file, "ab", opener=partial(os.open, mode=0o600)))


def _last_lines(log_file: Path) -> list[str]:
    try:
        with log_file.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_TAIL_BYTES))
            tail = log.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in tail.splitlines() if line.strip()][-_LOG_TAIL_LINES:]


def _serve(
    channel: Channel, options: HostOptions, *, on_end: Callable[[], None] | None = None
) -> None:
    def read() -> None:
        host.read()
        if on_end is not None:
            on_end()

    pulse = Pulse(channel)
    pulse.start()
    try:  # whatever fails, the app hears that nobody answers any more
        place = prepare_device(options)
        # Only now: its imports load numpy, whose threads were set above.
        from voice_transcriber.engines.host import EngineHost

        host = EngineHost(channel, options, place=place, on_step=pulse.step)
        threading.Thread(target=read, name="engine-inbox", daemon=True).start()
        host.run()
    finally:
        pulse.stop()
        channel.close()


def main() -> None:
    channel = take_channel()
    die_with_parent()
    ignore_interrupts()
    refuse_network()
    give_way(niceness=_NICENESS)
    options = HostOptions(**json.loads(sys.argv[1]))
    # The parent is gone at end of input: a batch in work has nobody left to hear of it.
    _serve(channel, options, on_end=lambda: os._exit(0))
    os._exit(0)  # what other threads still do is for nobody


if __name__ == "__main__":
    main()
