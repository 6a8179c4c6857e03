"""The only start of the program: settings, then services, then a command.

What serves is imported when it is needed: `--help` and wrong arguments are answered at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

from voice_transcriber.actors import COMMAND_LINE, act_as
from voice_transcriber.cli.arguments import SERVE, parse_arguments, run_command
from voice_transcriber.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, exit_status
from voice_transcriber.errors import ConfigurationError, TranscriberError

if TYPE_CHECKING:
    from voice_transcriber.services import Services
    from voice_transcriber.settings import Settings
    from voice_transcriber.web.server import Server


REST_S = 3.0  # after SHUTDOWN_GRACE, for answers that are under way


def main() -> int:
    arguments = parse_arguments(sys.argv[1:])
    from config import kill_at, load_settings
    from voice_transcriber import kill_points
    from voice_transcriber.logs import log_dead_threads, set_up_logging

    try:
        settings = load_settings()
        kill_points.arm(kill_at())
        set_up_logging(
            level=settings.log_level,
            instance_id=settings.instance_id,
            secrets=settings.secrets,
        )
        log_dead_threads()
        if arguments.command == SERVE:
            serve_until_stopped(settings)
            return EXIT_OK
        act_as(COMMAND_LINE)
        status = run_command(arguments, settings)
        sys.stdout.flush()
        return status
    except TranscriberError as error:
        print(f"{error.message}\n{error.remedy}", file=sys.stderr)
        return exit_status(error)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of our output, such as `head`, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED


def serve_until_stopped(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C, then drain and stop in order."""
    from voice_transcriber.cli.instance import announce, withdraw
    from voice_transcriber.logs import log_to_folder
    from voice_transcriber.services import Services
    from voice_transcriber.web.server import collect_garbage_rarely, take_turns_often

    os.umask(0o077)  # what a server writes holds what people said
    shutdown = Shutdown()
    shutdown.listen()
    services = Services(settings)
    log_to_folder(services.log_dir, size_bytes=settings.log_size_bytes, days=settings.log_days)
    try:
        withdraw(settings.data_dir)  # a killed server's
        server = _listen(settings, services)
        services.start()
        if shutdown.is_asked_for:
            return
        services.preload()
        shutdown.when_asked_for(lambda: _stop(settings, services, server))
        announce(settings.data_dir, host=settings.host, port=server.port)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        shown = "localhost" if host == "127.0.0.1" else host
        print(f"Voice Transcriber is ready on http://{shown}:{settings.port}", flush=True)
        collect_garbage_rarely()
        take_turns_often()
        server.run()
    finally:
        withdraw(settings.data_dir)
        services.stop()


def _listen(settings: Settings, services: Services) -> Server:
    from voice_transcriber.app import create_app
    from voice_transcriber.web.server import serve

    try:
        return serve(create_app(settings, services), services, spool_dir=services.spool_dir)
    except OSError as error:
        raise ConfigurationError(
            f"{settings.host}:{settings.port} cannot be listened on: {error.strerror}.",
            remedy="Stop the program that uses the port, or set PORT to a free one.",
        ) from error


def _stop(settings: Settings, services: Services, server: Server) -> None:
    """Reads go on while running jobs commit what is in work."""
    deadline = time.monotonic() + settings.shutdown_grace_s + REST_S
    services.drain()
    server.close(drain_s=deadline - time.monotonic())


class Shutdown:
    """What SIGTERM and Ctrl-C ask for, whenever they come: nothing is cut off half-way.

    A further SIGTERM changes nothing, because the end is near in any case; a second Ctrl-C is of
    somebody who does not want to wait.
    """

    def __init__(self) -> None:
        self.is_asked_for = False
        self._stop: Callable[[], None] | None = None

    def listen(self) -> None:
        """From now on; only the main thread may call it."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def when_asked_for(self, stop: Callable[[], None]) -> None:
        """`stop` is called once, in a thread of its own; now, if it was asked for already."""
        self._stop = stop
        if self.is_asked_for:
            self._begin()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        self.is_asked_for = True
        self._begin()

    def _begin(self) -> None:
        stop, self._stop = self._stop, None
        if stop is not None:
            threading.Thread(target=stop, name="shutdown").start()


if __name__ == "__main__":
    sys.exit(main())
