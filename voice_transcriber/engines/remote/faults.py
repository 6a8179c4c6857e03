"""What a server's refusal means: come back later, send less, ask otherwise, or give up. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from voice_transcriber.engines.remote.backoff import retry_after_s
from voice_transcriber.engines.remote.options import RemoteOptions
from voice_transcriber.errors import RemoteRefused, RemoteTooLarge

_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_WRONG_FORM = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
_ABOUT_SIZE = re.compile(
    r"(audio|file|content|request|body|payload|duration|input).{0,60}"
    r"(too (large|long|big)|longer than|exceed|limit)",
    re.IGNORECASE,
)
_ABOUT_FORM = re.compile(r"response_format|verbose_json|timestamp_granularities", re.IGNORECASE)
_NO_QUOTA = "insufficient_quota"
_LONGEST_MESSAGE = 200

_REMEDIES: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Set REMOTE_API_KEY to a key that this server accepts, and restart.",
    HTTPStatus.PAYMENT_REQUIRED: "Look at the account to which REMOTE_API_KEY belongs.",
    HTTPStatus.FORBIDDEN: "Ask for the right to use this model, or set another REMOTE_API_KEY.",
    HTTPStatus.NOT_FOUND: "Check REMOTE_URL, and that the server has the model that REMOTE_MODEL "
    "names.",
}
_OTHER_REMEDY = "Check REMOTE_URL and REMOTE_MODEL; the server's log may say more."


class TryAgain(Exception):
    """The same request may succeed later."""

    def __init__(
        self, reason: str, *, wait_s: float | None = None, is_timeout: bool = False
    ) -> None:
        """`wait_s`: how long the server asks to wait."""
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s
        self.is_timeout = is_timeout


class TooSlow(Exception):
    """The server did not answer in time; a shorter stretch may be answered."""

    def __init__(self, failures: int) -> None:
        """`failures`: tries that were used up."""
        super().__init__(failures)
        self.failures = failures


class TimesMissing(Exception):
    """The server gives text without times, and the stretch is longer than one piece of text
    should be.
    """


class FormRefused(Exception):
    """The server does not answer in the form that was asked for."""

    def __init__(self, refusal: RemoteRefused) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, options: RemoteOptions
) -> Exception:
    """What to raise for an answer that is no transcript."""
    said, code = _said(body, options.key)
    told = f"{options.server} answered {status}" + (f": {said}" if said else "")
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return RemoteTooLarge(f"{told}.")
    if code == _NO_QUOTA:
        return RemoteRefused(f"{told}.", remedy=_REMEDIES[HTTPStatus.PAYMENT_REQUIRED])
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TryAgain(told, wait_s=retry_after_s(headers.get("Retry-After")))
    if status in _WRONG_FORM and _ABOUT_FORM.search(said):
        return FormRefused(RemoteRefused(f"{told}.", remedy=_OTHER_REMEDY))
    if status in _WRONG_FORM and _ABOUT_SIZE.search(said):
        return RemoteTooLarge(f"{told}.")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        target = _printable(headers.get("Location", "another address"), options.key)
        return RemoteRefused(
            f"{told}: it redirects to {target}, and redirects are not followed.",
            remedy="Set REMOTE_URL to the address at which the server itself answers.",
        )
    return RemoteRefused(f"{told}.", remedy=_REMEDIES.get(status, _OTHER_REMEDY))


def _said(body: bytes, key: str) -> tuple[str, str | None]:
    """The server's message and code, as OpenAI and FastAPI shape them."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", None  # a proxy's page tells nothing
    if not isinstance(content, dict):
        return "", None
    error = content.get("error", content)
    if not isinstance(error, dict):
        return _printable(str(error), key), None
    message = error.get("message") or error.get("detail") or ""
    code = error.get("code")
    return _printable(str(message), key), code if isinstance(code, str) else None


def _printable(text: str, key: str) -> str:
    """One line without the key, which some servers repeat."""
    if key:
        text = text.replace(key, "(the key)")
    plain = "".join(" " if unicodedata.category(one)[0] == "C" else one for one in text)
    return " ".join(plain.split())[:_LONGEST_MESSAGE].rstrip(".")
