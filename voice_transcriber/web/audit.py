"""Who did what, as far as a request tells it: sign-ins, and what was taken out or removed.

Changes of jobs are recorded by the store, in the transaction that makes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Flask, Response, request

from voice_transcriber.web.context import services
from voice_transcriber.web.fields import listed

# By endpoint; whoever adds a view that changes something adds it here, or records it in the store.
ACTIONS: Mapping[str, str] = {
    "job_files.transcript": "transcript.read",
    "job_files.audio": "recording.read",
    "job_files.export": "transcript.export",
    "job_files.export_by_form": "transcript.export",
    "api_models.download": "model.download",
    "api_models.cancel": "model.cancel_download",
    "api_models.delete": "model.delete",
    "api_cache.clear": "cache.clear",
    "api_cache.forget": "cache.forget",
    "pages.sign_in": "login",
    "pages.sign_out": "logout",
}


def install(app: Flask) -> None:
    app.after_request(_record)


def _record(response: Response) -> Response:
    action = ACTIONS.get(request.endpoint or "")
    if action and response.status_code < 400 and not _is_known(response):
        for subject in _subjects():
            services().store.note(action, subject)
    return response


def _is_known(response: Response) -> bool:
    """Nothing was sent; or a player goes on in what it has begun."""
    content_range = response.headers.get("Content-Range", "bytes 0-")
    return response.status_code == 304 or not content_range.startswith("bytes 0-")


def _subjects() -> Sequence[str]:
    """A job's id or a model's name; each one, where there are many."""
    if ids := listed(request.values, "ids"):
        return ids
    return [" ".join(str(value) for value in (request.view_args or {}).values())]
