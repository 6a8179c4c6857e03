"""The only start of the program: settings, then services, then a command.

What serves is imported when it is needed: `--help` and wrong arguments are answered at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING

from voice_transcriber.cli.arguments import SERVE, parse_arguments, run_command
from voice_transcriber.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, exit_status
from voice_transcriber.errors import ConfigurationError, TranscriberError

if TYPE_CHECKING:
    from voice_transcriber.services import Services
    from voice_transcriber.settings import Settings
    from voice_transcriber.web.server import Server


def main() -> int:
    arguments = parse_arguments(sys.argv[1:])
    from config import load_settings
    from voice_transcriber.logs import set_up_logging

    try:
        settings = load_settings()
        set_up_logging(level=settings.log_level, instance_id=settings.instance_id)
        if arguments.command == SERVE:
            serve_until_stopped(settings)
            return EXIT_OK
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
    from voice_transcriber.services import Services
    from voice_transcriber.web.server import collect_garbage_rarely

    services = Services(settings)
    try:
        withdraw(settings.data_dir)  # a killed server's
        server = _listen(settings, services)
        services.start()
        services.preload()
        _stop_on_signals(services, server)
        announce(settings.data_dir, host=settings.host, port=server.port)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        shown = "localhost" if host == "127.0.0.1" else host
        print(f"Voice Transcriber is ready on http://{shown}:{settings.port}", flush=True)
        collect_garbage_rarely()
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


def _stop_on_signals(services: Services, server: Server) -> None:
    """Reads go on while running jobs commit what is in work; a second signal ends at once."""

    def stop() -> None:
        services.drain()
        server.close()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        threading.Thread(target=stop, name="shutdown").start()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


if __name__ == "__main__":
    sys.exit(main())
