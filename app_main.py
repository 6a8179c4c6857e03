"""The only start of the program: settings, then services, then a command."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType

from config import load_settings
from voice_transcriber.app import create_app
from voice_transcriber.cli.arguments import Command, parse_arguments
from voice_transcriber.cli.check import check_installation
from voice_transcriber.errors import ConfigurationError, TranscriberError
from voice_transcriber.logs import set_up_logging
from voice_transcriber.services import Services
from voice_transcriber.settings import Settings
from voice_transcriber.web.server import Server, serve

EXIT_OK, EXIT_FAILED, EXIT_SETTINGS = 0, 1, 2


def main() -> int:
    command = parse_arguments(sys.argv[1:])
    try:
        settings = load_settings()
        set_up_logging(level=settings.log_level, instance_id=settings.instance_id)
        if command is Command.CHECK:
            check_installation(settings, print)
        else:
            serve_until_stopped(settings)
    except TranscriberError as error:
        print(f"{error.message}\n{error.remedy}", file=sys.stderr)
        return EXIT_SETTINGS if isinstance(error, ConfigurationError) else EXIT_FAILED
    return EXIT_OK


def serve_until_stopped(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C, then drain and stop in order."""
    services = Services(settings)
    try:
        server = _listen(settings, services)
        services.start()
        _stop_on_signals(services, server)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        shown = "localhost" if host == "127.0.0.1" else host
        print(f"Voice Transcriber is ready on http://{shown}:{settings.port}", flush=True)
        server.run()
    finally:
        services.stop()


def _listen(settings: Settings, services: Services) -> Server:
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
