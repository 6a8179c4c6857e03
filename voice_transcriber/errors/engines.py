"""Models, engines and their work on a job."""

from __future__ import annotations

from voice_transcriber.errors.base import TranscriberError
from voice_transcriber.errors.media import MediaError


class ModelError(TranscriberError):
    """The model cannot be used."""

    code = "model_error"


class ModelUnavailable(ModelError):
    """The model is not on this machine and could not be downloaded."""

    code = "model_unavailable"
    retry_after_s: int | None = 60
    default_remedy = (
        "Connect to the network and retry, put the model's .pt file into WHISPER_MODEL_DIR, "
        "or pick a model that is present."
    )


class Offline(ModelUnavailable):
    """The model is not on this machine, and the program runs offline (OFFLINE)."""

    code = "offline"
    retry_after_s = None
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
    retry_after_s = 60
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
    default_remedy = (
        "Retry the job; if it happens again, choose a smaller model, or raise NO_PROGRESS_LIMIT "
        "and restart."
    )


class DecoderCrashed(EngineError):
    """The decoder's process ended unexpectedly."""

    code = "decoder_crashed"
    default_remedy = "Retry the job; if it happens again, look at the log or close other programs."

    def __init__(
        self,
        message: str | None = None,
        *,
        remedy: str | None = None,
        verdict: MediaError | None = None,
    ) -> None:
        """`verdict` is what is said of the file when it happens again and again."""
        super().__init__(message, remedy=remedy)
        self.verdict = verdict


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


class JobTookTooLong(TranscriberError):
    """The job took longer than JOB_TIME_LIMIT allows; what was finished is kept."""

    code = "job_took_too_long"
    default_remedy = (
        "Retry the job: it goes on where it stopped. If that is not enough, choose a smaller "
        "model, or raise JOB_TIME_LIMIT and restart."
    )


class PoisonWindow(TranscriberError):
    """A part of the recording ended the speech engine three times; the other parts are done."""

    code = "poison_window"
    default_remedy = "Retry the job with another model; the text of the other parts is kept."


class PartsFailed(TranscriberError):
    """The speech engine failed at parts of the recording, several times; the others are done."""

    code = "parts_failed"
    default_remedy = "Retry the job: only what is missing is done again."


class ClaimLost(TranscriberError):
    """Another attempt owns the job now; this attempt's work is discarded."""

    code = "claim_lost"


class DownloadStopped(TranscriberError):
    """The wait for a model's download was given up, as the waiting job asked."""

    code = "download_stopped"
