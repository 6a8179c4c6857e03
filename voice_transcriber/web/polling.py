"""One answer to "what happened since?", for the API and for the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, request

from voice_transcriber.job import Job
from voice_transcriber.web.context import feed, services
from voice_transcriber.web.feed import MAX_CHANGES


def answer_changes(*, since: int, key: str, show: Callable[[Job], Any]) -> Response:
    """`show` makes each changed job's entry, listed under `key`.

    The ETag is the newest revision: while it matches, nothing has happened and
    the answer is 304 without a look at the database.
    """
    newest = feed().revision
    if request.if_none_match.contains(str(newest)):
        return _tagged(Response(status=304), newest)
    if since == newest:
        return _answer(since, {key: [], "deleted": [], "reset": False})
    found = services().store.changes(since=since, limit=MAX_CHANGES)
    entries = [show(job) for job in found.jobs]
    news = {key: entries, "deleted": list(found.deleted), "reset": found.reset}
    return _answer(found.revision, news)


def _answer(told: int, news: dict[str, Any]) -> Response:
    pace = {"queue": list(feed().pulse().queue), "next_poll_ms": feed().next_poll_ms(told=told)}
    return _tagged(jsonify({"revision": told, **news, **pace}), told)


def _tagged(response: Response, revision: int) -> Response:
    response.set_etag(str(revision))
    response.headers["Cache-Control"] = "private, no-cache"
    return response
