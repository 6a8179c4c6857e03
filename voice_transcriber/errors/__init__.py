"""Every error that the product raises on purpose.

TranscriberError
  UserError                       the request or the file is at fault; never retried
    InvalidRequest                invalid_request
    UnknownModel                  unknown_model
    UnknownLanguage               unknown_language
    UnknownFormat                 unknown_format
    EngineNotOffered              engine_not_offered
    NotFound                      not_found
    WrongState                    wrong_state
    EmptyFile                     empty_file
    FileTooLarge                  file_too_large
    WrongOffset                   wrong_offset
    ChecksumMismatch              checksum_mismatch
    WrongContentType              wrong_content_type
    UnsupportedProtocol           unsupported_protocol
    KeyReused                     idempotency_key_reused
    TooSlow                       too_slow
    MediaError
      NotMedia                    not_media
      NoAudioTrack                no_audio_track
      DamagedMedia                damaged_media
      TooLong                     too_long
      MediaTooCostly              media_too_costly
      Infected                    infected
  AccessError                     the caller may not do this
    HostNotAllowed                host_not_allowed
    KeyRequired                   key_required
    CrossSiteRequest              cross_site_request
  CapacityError                   come back later; carries retry_after_s
    QueueFull                     queue_full
    TooManyQueued                 too_many_queued
    RequestInFlight               request_in_flight
    DiskFull                      disk_full
    StorageRefuses                storage_refuses
    DatabaseDamaged               database_damaged
    ShuttingDown                  shutting_down
    Busy                          busy
    ScannerAway                   scanner_away
    TooManyTries                  too_many_tries
  ModelError                      the model file is at fault; never retried by itself
    ModelUnavailable              model_unavailable
      Offline                     offline
    ModelDamaged                  model_damaged
    ModelTooLarge                 model_too_large
  EngineError                     the machine is at fault; retried with backoff
    EngineCrashed                 engine_crashed
    EngineOutOfMemory             engine_out_of_memory
    GpuFailed                     gpu_failed
    EngineStalled                 engine_stalled
    DecoderCrashed                decoder_crashed
    RemoteUnreachable             remote_unreachable
  RemoteRefused                   remote_refused
  RemoteTooLarge                  remote_too_large
  JobTookTooLong                  job_took_too_long
  PoisonWindow                    poison_window
  PartsFailed                     parts_failed
  ConfigurationError              invalid_setting
  DatabaseTooNew                  database_too_new
  JobRecordLost                   job_record_lost
  DataFolderBusy                  data_folder_busy
  ClaimLost                       claim_lost
  DownloadStopped                 download_stopped
  InternalError                   internal_error

The docstring of a class is its default message; `code` is stable and part of
the API; `remedy` says what the reader can do. Nothing here knows HTTP.
"""

from __future__ import annotations

from voice_transcriber.errors.access import (
    AccessError,
    CrossSiteRequest,
    HostNotAllowed,
    KeyRequired,
)
from voice_transcriber.errors.base import TranscriberError
from voice_transcriber.errors.capacity import (
    Busy,
    CapacityError,
    DatabaseDamaged,
    DiskFull,
    QueueFull,
    RequestInFlight,
    ScannerAway,
    ShuttingDown,
    StorageRefuses,
    TooManyQueued,
    TooManyTries,
)
from voice_transcriber.errors.engines import (
    ClaimLost,
    DecoderCrashed,
    DownloadStopped,
    EngineCrashed,
    EngineError,
    EngineOutOfMemory,
    EngineStalled,
    GpuFailed,
    JobTookTooLong,
    ModelDamaged,
    ModelError,
    ModelTooLarge,
    ModelUnavailable,
    Offline,
    PartsFailed,
    PoisonWindow,
    RemoteRefused,
    RemoteTooLarge,
    RemoteUnreachable,
)
from voice_transcriber.errors.media import (
    DamagedMedia,
    Infected,
    MediaError,
    MediaTooCostly,
    NoAudioTrack,
    NotMedia,
    TooLong,
)
from voice_transcriber.errors.program import (
    ConfigurationError,
    DatabaseTooNew,
    DataFolderBusy,
    InternalError,
    JobRecordLost,
)
from voice_transcriber.errors.requests import (
    ChecksumMismatch,
    EmptyFile,
    EngineNotOffered,
    FileTooLarge,
    InvalidRequest,
    KeyReused,
    NotFound,
    TooSlow,
    UnknownFormat,
    UnknownLanguage,
    UnknownModel,
    UnsupportedProtocol,
    UserError,
    WrongContentType,
    WrongOffset,
    WrongState,
)

__all__ = [
    "AccessError",
    "Busy",
    "CapacityError",
    "ChecksumMismatch",
    "ClaimLost",
    "ConfigurationError",
    "CrossSiteRequest",
    "DamagedMedia",
    "DataFolderBusy",
    "DatabaseDamaged",
    "DatabaseTooNew",
    "DecoderCrashed",
    "DiskFull",
    "DownloadStopped",
    "EmptyFile",
    "EngineCrashed",
    "EngineError",
    "EngineNotOffered",
    "EngineOutOfMemory",
    "EngineStalled",
    "FileTooLarge",
    "GpuFailed",
    "HostNotAllowed",
    "Infected",
    "InternalError",
    "InvalidRequest",
    "JobRecordLost",
    "JobTookTooLong",
    "KeyRequired",
    "KeyReused",
    "MediaError",
    "MediaTooCostly",
    "ModelDamaged",
    "ModelError",
    "ModelTooLarge",
    "ModelUnavailable",
    "NoAudioTrack",
    "NotFound",
    "NotMedia",
    "Offline",
    "PartsFailed",
    "PoisonWindow",
    "QueueFull",
    "RemoteRefused",
    "RemoteTooLarge",
    "RemoteUnreachable",
    "RequestInFlight",
    "ScannerAway",
    "ShuttingDown",
    "StorageRefuses",
    "TooLong",
    "TooManyQueued",
    "TooManyTries",
    "TooSlow",
    "TranscriberError",
    "UnknownFormat",
    "UnknownLanguage",
    "UnknownModel",
    "UnsupportedProtocol",
    "UserError",
    "WrongContentType",
    "WrongOffset",
    "WrongState",
    "error_from_code",
]


def error_from_code(code: str, message: str, remedy: str) -> TranscriberError:
    """Rebuild an error that crossed a process border as (code, message, remedy).

    An unknown code gives InternalError: the two sides are the same version, so
    it can only be a fault of ours.
    """
    pending: list[type[TranscriberError]] = [TranscriberError]
    while pending:
        kind = pending.pop()
        if kind.code == code:
            return kind(message, remedy=remedy)
        pending.extend(kind.__subclasses__())
    return InternalError(message, remedy=remedy)
