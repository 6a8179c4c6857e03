"""Exit statuses of every command."""

from __future__ import annotations

from voice_transcriber.errors import (
    ConfigurationError,
    InvalidRequest,
    KeyRequired,
    TranscriberError,
    UnknownFormat,
    UnknownLanguage,
    UnknownModel,
)

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_WRONG = 2  # arguments or settings
EXIT_INTERRUPTED = 130  # as shells tell of Ctrl-C

_WRONG = (
    ConfigurationError,
    InvalidRequest,
    KeyRequired,
    UnknownFormat,
    UnknownLanguage,
    UnknownModel,
)


def exit_status(error: TranscriberError) -> int:
    return EXIT_WRONG if isinstance(error, _WRONG) else EXIT_FAILED
