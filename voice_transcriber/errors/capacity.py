"""Come back later; carries retry_after_s."""

from __future__ import annotations

from voice_transcriber.errors.base import TranscriberError


class CapacityError(TranscriberError):
    """The server cannot take this now."""

    code = "capacity"
    retry_after_s = 30


class QueueFull(CapacityError):
    """The queue is full; nothing was accepted."""

    code = "queue_full"
    default_remedy = "Wait until jobs have finished, cancel some, or raise MAX_QUEUE_SIZE."


class TooManyQueued(CapacityError):
    """Too many jobs of this client wait; nothing was accepted."""

    code = "too_many_queued"
    default_remedy = "Wait until jobs have finished, or raise MAX_QUEUE_PER_KEY."


class RequestInFlight(CapacityError):
    """A request with this Idempotency-Key is being answered."""

    code = "request_in_flight"
    default_remedy = "Send it again in a moment: the answer will be that of the first one."
    retry_after_s = 1


class DiskFull(CapacityError):
    """The disk that holds the data folder is full; nothing was accepted."""

    code = "disk_full"
    default_remedy = "Free disk space (delete finished jobs or other files) and try again."
    retry_after_s = 60


class StorageRefuses(CapacityError):
    """The disk that holds the data folder refuses to read or write; nothing was accepted."""

    code = "storage_refuses"
    default_remedy = (
        "Look whether the disk is mounted read-only, failing or away; nothing needs a restart "
        "when it is back."
    )
    retry_after_s = 60


class DatabaseDamaged(CapacityError):
    """The database is damaged; nothing was accepted."""

    code = "database_damaged"
    default_remedy = (
        "Restart the server: it moves the damaged database aside and restores its newest backup "
        "and all finished transcripts."
    )
    retry_after_s = 60


class ShuttingDown(CapacityError):
    """The server is shutting down; nothing was accepted."""

    code = "shutting_down"
    default_remedy = "Try again when the server has been started again."
    retry_after_s = 15


class Busy(CapacityError):
    """As many requests of this kind are being worked on as the server takes at once."""

    code = "busy"
    default_remedy = "Try again in a few seconds."
    retry_after_s = 5


class ScannerAway(CapacityError):
    """The virus scanner cannot be reached, and files are accepted only when scanned."""

    code = "scanner_away"
    default_remedy = (
        "Start clamd and check CLAMD_ADDRESS, or set SCAN_UPLOADS to false and restart."
    )


class TooManyTries(CapacityError):
    """Too many wrong keys came from this address."""

    code = "too_many_tries"
    default_remedy = "Wait as long as Retry-After says, then send the right key."

    def __init__(
        self, message: str | None = None, *, remedy: str | None = None, retry_after_s: int = 60
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_s = retry_after_s
