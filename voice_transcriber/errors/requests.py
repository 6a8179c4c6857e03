"""The request or the file is at fault; never retried."""

from __future__ import annotations

from voice_transcriber.errors.base import TranscriberError


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


class EngineNotOffered(UserError):
    """The engine that the job names cannot compute it here."""

    code = "engine_not_offered"
    default_remedy = "Leave the engine out: the job is computed as the installation is set."


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


class TooSlow(UserError):
    """The request came too slowly and was given up."""

    code = "too_slow"
    default_remedy = "Send it again over a better connection; uploads can go on where they stopped."


class WrongOffset(UserError):
    """The upload goes on at another byte."""

    code = "wrong_offset"
    default_remedy = "Ask for the upload's offset (HEAD) and go on from there."


class ChecksumMismatch(UserError):
    """The bytes are not those that the checksum was made of; none of them was kept."""

    code = "checksum_mismatch"
    default_remedy = "Send the same part again."


class WrongContentType(UserError):
    """The body is of another type than this address takes."""

    code = "wrong_content_type"


class UnsupportedProtocol(UserError):
    """The request is not of the version of the tus protocol that this server speaks."""

    code = "unsupported_protocol"
    default_remedy = "Send the header 'Tus-Resumable: 1.0.0'."


class KeyReused(UserError):
    """The Idempotency-Key was used for another request."""

    code = "idempotency_key_reused"
    default_remedy = "Give each request a new key; send one again with the key and content it had."
