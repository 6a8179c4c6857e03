"""The installation or the program itself is at fault."""

from __future__ import annotations

from voice_transcriber.errors.base import TranscriberError


class ConfigurationError(TranscriberError):
    """A setting has a wrong value."""

    code = "invalid_setting"
    default_remedy = "Correct the setting in the environment or in .env and start again."


class DatabaseTooNew(TranscriberError):
    """The database was written by a newer version of this program."""

    code = "database_too_new"
    default_remedy = (
        "Start the newer version, or give this one the copy of the database that the newer one "
        "made before it changed it."
    )


class JobRecordLost(TranscriberError):
    """The recording was kept, but what was known of its job was lost with the database."""

    code = "job_record_lost"
    default_remedy = "Retry the job to transcribe the recording anew, or delete it."


class DataFolderBusy(TranscriberError):
    """Another instance of this program uses the data folder."""

    code = "data_folder_busy"
    default_remedy = "Stop the other instance, or give this one its own DATA_DIR and PORT."


class InternalError(TranscriberError):
    """The program made a mistake."""

    code = "internal_error"
    default_remedy = "Try again; if it happens again, report it with the lines from the log."
