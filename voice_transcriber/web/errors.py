"""Errors as HTTP answers: one table of statuses, and problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus

from voice_transcriber import errors
from voice_transcriber.web.shapes import ProblemShape


class TusStatus(IntEnum):
    """What the tus protocol adds to HTTP's statuses."""

    CHECKSUM_MISMATCH = 460

    @property
    def phrase(self) -> str:
        return "Checksum Mismatch"


STATUS_OF: Mapping[type[errors.TranscriberError], HTTPStatus | TusStatus] = {
    errors.TranscriberError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.UserError: HTTPStatus.BAD_REQUEST,
    errors.InvalidRequest: HTTPStatus.BAD_REQUEST,
    errors.UnknownModel: HTTPStatus.BAD_REQUEST,
    errors.UnknownLanguage: HTTPStatus.BAD_REQUEST,
    errors.UnknownFormat: HTTPStatus.NOT_FOUND,  # the format is part of the address
    errors.EngineNotOffered: HTTPStatus.BAD_REQUEST,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.WrongState: HTTPStatus.CONFLICT,
    errors.EmptyFile: HTTPStatus.BAD_REQUEST,
    errors.FileTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.TooSlow: HTTPStatus.REQUEST_TIMEOUT,
    errors.WrongOffset: HTTPStatus.CONFLICT,
    errors.ChecksumMismatch: TusStatus.CHECKSUM_MISMATCH,
    errors.WrongContentType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.UnsupportedProtocol: HTTPStatus.PRECONDITION_FAILED,
    errors.KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.MediaError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotMedia: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.NoAudioTrack: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.DamagedMedia: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.TooLong: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.MediaTooCostly: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Infected: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.AccessError: HTTPStatus.FORBIDDEN,
    errors.HostNotAllowed: HTTPStatus.MISDIRECTED_REQUEST,
    errors.KeyRequired: HTTPStatus.UNAUTHORIZED,
    errors.CrossSiteRequest: HTTPStatus.FORBIDDEN,
    errors.CapacityError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.QueueFull: HTTPStatus.TOO_MANY_REQUESTS,
    errors.TooManyQueued: HTTPStatus.TOO_MANY_REQUESTS,
    errors.RequestInFlight: HTTPStatus.CONFLICT,
    errors.DiskFull: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.StorageRefuses: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.DatabaseDamaged: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ShuttingDown: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ScannerAway: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TooManyTries: HTTPStatus.TOO_MANY_REQUESTS,
    errors.DownloadStopped: HTTPStatus.INTERNAL_SERVER_ERROR,  # inside only
    errors.ModelError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ModelUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Offline: HTTPStatus.CONFLICT,  # another try ends the same
    errors.ModelDamaged: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ModelTooLarge: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.EngineError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.EngineCrashed: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.EngineOutOfMemory: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.GpuFailed: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.EngineStalled: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.DecoderCrashed: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.RemoteUnreachable: HTTPStatus.BAD_GATEWAY,
    errors.RemoteRefused: HTTPStatus.BAD_GATEWAY,
    errors.RemoteTooLarge: HTTPStatus.BAD_GATEWAY,
    errors.JobTookTooLong: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.PoisonWindow: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.PartsFailed: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ConfigurationError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.DatabaseTooNew: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.JobRecordLost: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.DataFolderBusy: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ClaimLost: HTTPStatus.CONFLICT,
    errors.InternalError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """An error on its way to the client."""

    error: errors.TranscriberError
    status: HTTPStatus | TusStatus

    @classmethod
    def of(cls, error: errors.TranscriberError) -> Problem:
        return cls(error=error, status=STATUS_OF[type(error)])

    @property
    def headers(self) -> dict[str, str]:
        """Headers beyond the content type that the error calls for."""
        if self.error.retry_after_s is not None:
            return {"Retry-After": str(self.error.retry_after_s)}
        if isinstance(self.error, errors.KeyRequired):
            return {"WWW-Authenticate": "Bearer"}
        return {}

    @property
    def body(self) -> bytes:
        shape = ProblemShape(
            type=f"urn:voice-transcriber:{self.error.code}",
            title=self.status.phrase,
            status=self.status.value,
            detail=self.error.message,
            code=self.error.code,
            remedy=self.error.remedy,
        )
        return shape.model_dump_json().encode()


PROBLEM_TYPE = "application/problem+json"


def problem_for_status(status: int, detail: str | None) -> Problem:
    """The problem for an HTTP error that the framework raised by itself."""
    known = HTTPStatus(status)
    if known is HTTPStatus.NOT_FOUND:
        return Problem.of(errors.NotFound())
    if known is HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Problem.of(errors.FileTooLarge())
    if known < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Problem(error=errors.InvalidRequest(detail), status=known)
    return Problem(error=errors.InternalError(), status=known)
