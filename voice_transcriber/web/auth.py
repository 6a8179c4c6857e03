"""Who may do what: host names, API key, and requests from other web sites."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from voice_transcriber.errors import CrossSiteRequest, HostNotAllowed
from voice_transcriber.web.errors import PROBLEM_TYPE, Problem

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_HOST = re.compile(r"(?P<name>[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE)


class Headers(Protocol):
    """What is needed of a request's headers."""

    def get(self, name: str, /) -> str | None: ...


def check_host(host: str, allowed: Collection[str]) -> None:
    """Raise HostNotAllowed unless `host`, with or without a port, is one of `allowed`.

    This stops DNS rebinding: a foreign page can point its own name at this
    machine, but the browser still sends that name. The port may differ, as it
    does behind a tunnel or a container's port mapping.
    """
    match = _HOST.fullmatch(host)
    if match is None or match["name"].lower().rstrip(".") not in allowed:
        raise HostNotAllowed


def check_same_origin(method: str, headers: Headers, *, host: str) -> None:
    """Raise CrossSiteRequest for a change that another web site's page asks for.

    Browsers send Sec-Fetch-Site to https and localhost, and Origin to all
    others. A request with neither is not a browser's (curl, SDKs).
    """
    if method in SAFE_METHODS:
        return
    site = headers.get("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        raise CrossSiteRequest
    origin = headers.get("Origin")
    if site is None and origin is not None and host_of(origin) != host.lower():
        raise CrossSiteRequest


def host_of(uri: str) -> str:
    """In lower case, with the port where one is given; empty where there is none."""
    try:
        return urlsplit(uri).netloc.lower()
    except ValueError:  # brackets that hold no address
        return ""


def given_key(headers: Headers) -> str:
    """The key of `Authorization: Bearer` or `X-API-Key`; empty when there is none."""
    scheme, _, token = (headers.get("Authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("X-API-Key") or ""


def is_key(given: str, api_key: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), api_key.encode())


def session_secret(api_key: str) -> bytes:
    """What signs the session cookie; a new API key ends every session."""
    return hashlib.sha256(b"voice-transcriber session\0" + api_key.encode()).digest()


class HostGuard:
    """WSGI middleware that answers no request for a foreign host."""

    def __init__(self, app: WSGIApplication, allowed: Collection[str]) -> None:
        self._app = app
        self._allowed = frozenset(allowed)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            check_host(environ.get("HTTP_HOST", ""), self._allowed)
        except HostNotAllowed as error:
            problem = Problem.of(error)
            status = f"{problem.status.value} {problem.status.phrase}"
            start_response(status, [("Content-Type", PROBLEM_TYPE)])
            return [problem.body]
        return self._app(environ, start_response)
