"""The access rules of every request: API key or session, and no foreign page's changes."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Flask, redirect, request, session, url_for
from werkzeug.wrappers import Response

from voice_transcriber.actors import act_as
from voice_transcriber.errors import TranscriberError
from voice_transcriber.web.auth import check_same_origin, given_key
from voice_transcriber.web.context import keys, services

SIGNED_IN = "signed_in"

# What opens without a key: the sign-in page with its looks, and the verdict on health.
OPEN_ENDPOINTS = frozenset({"static", "pages.login", "pages.sign_in", "ops.health", "ops.ready"})

# Blueprints for people: without a session, a browser is sent to sign in.
PAGES = frozenset({"pages", "api_pages"})


def install(app: Flask) -> None:
    app.before_request(admit)


def is_admitted() -> bool:
    """Whether this request may see and do everything."""
    return _refusal() is None or bool(session.get(SIGNED_IN))


def admit() -> Response | None:
    """Raises KeyRequired, TooManyTries or CrossSiteRequest; sends a browser without a session to
    sign in.
    """
    refusal = _refusal()
    if services().settings.api_key and refusal is None:
        _act("key")
        return None  # a foreign page cannot know the key, so the request is not one's trick
    check_same_origin(request.method, request.headers, host=request.host)
    if refusal is None or session.get(SIGNED_IN):
        _act("session" if refusal else "anyone")
        return None
    _act("stranger")
    if request.endpoint in OPEN_ENDPOINTS:
        return None
    if request.blueprint in PAGES and request.method == "GET":
        target = urlencode({"next": request.full_path.rstrip("?")})
        return redirect(f"{url_for('pages.login')}?{target}")
    raise refusal


def _refusal() -> TranscriberError | None:
    return keys().refusal(given_key(request.headers), address=request.remote_addr or "")


def _act(how: str) -> None:
    act_as(f"{how} {request.remote_addr}")
