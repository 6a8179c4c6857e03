"""One answer to "what happened since?", for the API and for the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, jsonify, request

from voice_transcriber.job import Job
from voice_transcriber.web.context import feed, services
from voice_transcriber.web.feed import MAX_CHANGES


def answer_changes(
    *, since: int, tell: Callable[[Sequence[Job], Sequence[str]], dict[str, Any]]
) -> Response:
    """`tell` words what is new: from the changed jobs, and the ids of those deleted.

    The ETag is the newest revision: while it matches, nothing has happened and
    the answer is 304 without a look at the database.
    """
    newest = feed().revision
    if request.if_none_match.contains(str(newest)):
        return _tagged(Response(status=304), newest)
    if since == newest:
        return _answer(since, {**tell((), ()), "reset": False})
    found = services().store.changes(since=since, limit=MAX_CHANGES)
    return _answer(found.revision, {**tell(found.jobs, found.deleted), "reset": found.reset})


def _answer(told: int, news: dict[str, Any]) -> Response:
    pulse = feed().pulse()
    now = {
        "queue": list(pulse.queue),
        "counts": dict(pulse.counts),
        "next_poll_ms": feed().next_poll_ms(told=told),
    }
    return _tagged(jsonify({"revision": told, **news, **now}), told)


def _tagged(response: Response, revision: int) -> Response:
    response.set_etag(str(revision))
    response.headers["Cache-Control"] = "private, no-cache"
    return response
