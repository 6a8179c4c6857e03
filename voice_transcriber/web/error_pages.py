"""Errors become answers: problem+json for programs, a page for people."""

from __future__ import annotations

import logging

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from voice_transcriber.errors import InternalError, TranscriberError
from voice_transcriber.web.errors import PROBLEM_TYPE, Problem, problem_for_status

_log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    app.register_error_handler(TranscriberError, _ours)
    app.register_error_handler(HTTPException, _framework)
    app.register_error_handler(Exception, _unexpected)


def _ours(error: TranscriberError) -> Response:
    return _answer(Problem.of(error))


def _framework(error: HTTPException) -> Response:
    response = _answer(problem_for_status(error.code or 500, error.description))
    for name, value in error.get_headers(request.environ):
        if name.lower() != "content-type":
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.path, exc_info=error)
    return _answer(Problem.of(InternalError()))


def _answer(problem: Problem) -> Response:
    if _wants_page():
        page = render_template("error.html", error=problem.error, status=problem.status)
        response = Response(page, content_type="text/html; charset=utf-8")
    else:
        response = Response(problem.body, content_type=PROBLEM_TYPE)
    response.status_code = problem.status
    response.headers.extend(problem.headers)
    return response


def _wants_page() -> bool:
    if request.path.startswith(("/api/", "/ui/", "/health", "/files")):
        return False
    return "text/html" in request.headers.get("Accept", "")
