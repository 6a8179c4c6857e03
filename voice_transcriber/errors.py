"""Every error that the product raises on purpose.

TranscriberError
  UserError                       the request or the file is at fault; never retried
    InvalidRequest                invalid_request
    UnknownModel                  unknown_model
    UnknownLanguage               unknown_language
    UnknownFormat                 unknown_format
    NotFound                      not_found
    WrongState                    wrong_state
    EmptyFile                     empty_file
    FileTooLarge                  file_too_large
    MediaError
      NotMedia                    not_media
      NoAudioTrack                no_audio_track
      DamagedMedia                damaged_media
      TooLong                     too_long
      MediaTooCostly              media_too_costly
  AccessError                     the caller may not do this
    HostNotAllowed                host_not_allowed
    KeyRequired                   key_required
    CrossSiteRequest              cross_site_request
  CapacityError                   come back later; carries retry_after_s
    QueueFull                     queue_full
    DiskFull                      disk_full
    ShuttingDown                  shutting_down
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
    RemoteUnreachable             remote_unreachable
  RemoteRefused                   remote_refused
  RemoteTooLarge                  remote_too_large
  PoisonWindow                    poison_window
  PartsFailed                     parts_failed
  ConfigurationError              invalid_setting
  DataFolderBusy                  data_folder_busy
  ClaimLost                       claim_lost
  DownloadStopped                 download_stopped
  InternalError                   internal_error

The docstring of a class is its default message; `code` is stable and part of
the API; `remedy` says what the reader can do. Nothing here knows HTTP.
"""

from __future__ import annotations

from typing import ClassVar


class TranscriberError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    default_remedy: ClassVar[str] = "Try again; the log has the details."

    def __init__(self, message: str | None = None, *, remedy: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.remedy = remedy or self.default_remedy
        super().__init__(self.message)


class UserError(TranscriberError):
    """The request cannot be carried out as it stands."""

    code = "user_error"
    default_remedy = "Correct the request and send it again."


class InvalidRequest(UserError):
    """The request has a field that is missing or wrong."""

    code = "invalid_request"


class UnknownModel(UserError):
    """There is no model of that name."""

    code = "unknown_model"
    default_remedy = "Choose one of the names that GET /api/v1/models lists."


class UnknownLanguage(UserError):
    """There is no language of that name."""

    code = "unknown_language"
    default_remedy = "Give a code such as en, de or es, or leave the language out to detect it."


class UnknownFormat(UserError):
    """There is no transcript format of that name."""

    code = "unknown_format"


class NotFound(UserError):
    """There is nothing at this address."""

    code = "not_found"
    default_remedy = "Check the address; the job may have been deleted."


class WrongState(UserError):
    """The job's state does not allow this."""

    code = "wrong_state"
    default_remedy = "Look at the job's state first."


class EmptyFile(UserError):
    """The file is empty."""

    code = "empty_file"
    default_remedy = (
        "Choose a file that has content; an interrupted copy often leaves an empty one."
    )


class FileTooLarge(UserError):
    """The file is larger than this server accepts."""

    code = "file_too_large"
    default_remedy = "Send a smaller file, or raise MAX_FILE_SIZE and restart."


class MediaError(UserError):
    """The file cannot be turned into audio."""

    code = "media_error"


class NotMedia(MediaError):
    """The file is not audio or video of a kind that this program opens."""

    code = "not_media"
    default_remedy = "Send audio or video such as wav, mp3, m4a, mp4, webm, ogg, flac, mkv or mov."


class NoAudioTrack(MediaError):
    """The file has no sound track."""

    code = "no_audio_track"
    default_remedy = "Choose a file with sound; this one has pictures only."


class DamagedMedia(MediaError):
    """The file is damaged or incomplete and no sound could be read from it."""

    code = "damaged_media"
    default_remedy = "Copy or export the file again: it may have been cut off on the way."


class TooLong(MediaError):
    """The recording is longer than this server accepts."""

    code = "too_long"
    default_remedy = "Cut the recording into parts, or raise MAX_DURATION and restart."


class MediaTooCostly(MediaError):
    """Decoding the file took more memory or time than is allowed."""

    code = "media_too_costly"
    default_remedy = "Convert the file to a plain format such as wav or flac and send that."


class AccessError(TranscriberError):
    """This is not allowed."""

    code = "access_denied"


class HostNotAllowed(AccessError):
    """The request names a host that this server does not answer for."""

    code = "host_not_allowed"
    default_remedy = (
        "Open the server by a name in ALLOWED_HOSTS, or add the name there and restart."
    )


class KeyRequired(AccessError):
    """This server needs an API key."""

    code = "key_required"
    default_remedy = "Send the key as 'Authorization: Bearer KEY', or sign in on the page."


class CrossSiteRequest(AccessError):
    """The request comes from another web site."""

    code = "cross_site_request"
    default_remedy = "Use this server's own page, or a program that sends the API key."


class CapacityError(TranscriberError):
    """The server cannot take this now."""

    code = "capacity"
    retry_after_s: ClassVar[int] = 30


class QueueFull(CapacityError):
    """The queue is full; nothing was accepted."""

    code = "queue_full"
    default_remedy = "Wait until jobs have finished, cancel some, or raise MAX_QUEUE_SIZE."


class DiskFull(CapacityError):
    """The disk that holds the data folder is full; nothing was accepted."""

    code = "disk_full"
    default_remedy = "Free disk space (delete finished jobs or other files) and try again."
    retry_after_s = 60


class ShuttingDown(CapacityError):
    """The server is shutting down; nothing was accepted."""

    code = "shutting_down"
    default_remedy = "Try again when the server has been started again."
    retry_after_s = 15


class ModelError(TranscriberError):
    """The model cannot be used."""

    code = "model_error"


class ModelUnavailable(ModelError):
    """The model is not on this machine and could not be downloaded."""

    code = "model_unavailable"
    default_remedy = (
        "Connect to the network and retry, put the model's .pt file into WHISPER_MODEL_DIR, "
        "or pick a model that is present."
    )


class Offline(ModelUnavailable):
    """The model is not on this machine, and the program runs offline (OFFLINE)."""

    code = "offline"
    default_remedy = (
        "Copy the model's .pt file into WHISPER_MODEL_DIR, pick a model that is present, or set "
        "OFFLINE to false and restart."
    )


class ModelDamaged(ModelError):
    """The model file is damaged or is not a Whisper checkpoint."""

    code = "model_damaged"
    default_remedy = "Delete the file; it is downloaded again at the next use."


class ModelTooLarge(ModelError):
    """The model does not fit into the memory that is free."""

    code = "model_too_large"
    default_remedy = "Choose a smaller model, or close other programs."


class EngineError(TranscriberError):
    """The speech engine failed."""

    code = "engine_error"


class EngineCrashed(EngineError):
    """The speech engine's process ended unexpectedly."""

    code = "engine_crashed"
    default_remedy = (
        "Retry the job; if it happens again, look at the log or choose a smaller model."
    )


class EngineOutOfMemory(EngineError):
    """The speech engine ran out of memory."""

    code = "engine_out_of_memory"
    default_remedy = "Choose a smaller model, or close other programs and retry."


class GpuFailed(EngineError):
    """The GPU failed."""

    code = "gpu_failed"
    default_remedy = "Retry the job, or set ENABLE_GPU_ACCELERATION to false to use the CPU."


class EngineStalled(EngineError):
    """The speech engine made no progress for too long and was stopped."""

    code = "engine_stalled"
    default_remedy = "Retry the job; if it happens again, choose a smaller model."


class RemoteUnreachable(EngineError):
    """The remote server could not be reached, or could not do the work, several times in a row."""

    code = "remote_unreachable"
    default_remedy = (
        "Retry the job when the server is back; REMOTE_FALLBACK lets the local engine take over."
    )


class RemoteRefused(TranscriberError):
    """The remote server refuses the work."""

    code = "remote_refused"
    default_remedy = "Check REMOTE_URL, REMOTE_MODEL and REMOTE_API_KEY."


class RemoteTooLarge(TranscriberError):
    """The remote server takes no request of this size."""

    code = "remote_too_large"
    default_remedy = "Lower REMOTE_MAX_SIZE, or raise the limit of the server or its proxy."


class PoisonWindow(TranscriberError):
    """A part of the recording ended the speech engine three times; the other parts are done."""

    code = "poison_window"
    default_remedy = "Retry the job with another model; the text of the other parts is kept."


class PartsFailed(TranscriberError):
    """The speech engine failed at parts of the recording, several times; the others are done."""

    code = "parts_failed"
    default_remedy = "Retry the job: only what is missing is done again."


class ConfigurationError(TranscriberError):
    """A setting has a wrong value."""

    code = "invalid_setting"
    default_remedy = "Correct the setting in the environment or in .env and start again."


class DataFolderBusy(TranscriberError):
    """Another instance of this program uses the data folder."""

    code = "data_folder_busy"
    default_remedy = "Stop the other instance, or give this one its own DATA_DIR and PORT."


class ClaimLost(TranscriberError):
    """Another attempt owns the job now; this attempt's work is discarded."""

    code = "claim_lost"


class DownloadStopped(TranscriberError):
    """The wait for a model's download was given up, as the waiting job asked."""

    code = "download_stopped"


class InternalError(TranscriberError):
    """The program made a mistake."""

    code = "internal_error"
    default_remedy = "Try again; if it happens again, report it with the lines from the log."


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
