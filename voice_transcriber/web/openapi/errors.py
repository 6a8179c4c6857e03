"""The errors of an operation, grouped by their status."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from voice_transcriber import errors
from voice_transcriber.web.auth import SAFE_METHODS
from voice_transcriber.web.errors import PROBLEM_TYPE, STATUS_OF, Problem
from voice_transcriber.web.openapi.operation import Operation

PROBLEM = {"$ref": "#/components/schemas/ProblemShape"}

TOO_LONG: dict[str, Any] = {  # the server's own answer, before any operation is known
    "description": "`invalid_request`: The address and the headers take more than 32 KiB.",
    "content": {PROBLEM_TYPE: {"schema": PROBLEM}},
}

Kind = type[errors.TranscriberError]


def errors_of(operation: Operation, method: str, *, is_open: bool) -> set[Kind]:
    """Those that the view names, and those that any such request may meet."""
    kinds: set[Kind] = {
        *operation.errors,
        errors.DatabaseDamaged,
        errors.HostNotAllowed,
        errors.InternalError,
        errors.StorageRefuses,
    }
    if operation.query or operation.form or operation.json:
        kinds.add(errors.InvalidRequest)
    if "job_id" in operation.path:
        kinds.add(errors.NotFound)
    if method not in SAFE_METHODS:
        kinds.add(errors.CrossSiteRequest)
    if operation.form or operation.json:
        kinds.add(errors.TooSlow)
    if not is_open:
        kinds |= {errors.KeyRequired, errors.TooManyTries}
    return kinds


def error_responses(kinds: Iterable[Kind]) -> dict[str, Any]:
    """Responses by status; each lists the codes that it may carry."""
    by_status: dict[int, list[Kind]] = {}
    for kind in sorted(kinds, key=lambda kind: kind.code):
        by_status.setdefault(STATUS_OF[kind].value, []).append(kind)
    return {str(status): _response(found) for status, found in sorted(by_status.items())}


def _response(kinds: list[Kind]) -> Mapping[str, Any]:
    lines = [f"`{kind.code}`: {kind().message}" for kind in kinds]
    codes = {"properties": {"code": {"enum": [kind.code for kind in kinds]}}}
    content = {
        "schema": {"allOf": [PROBLEM, codes]},
        "examples": {kind.code: {"value": json.loads(Problem.of(kind()).body)} for kind in kinds},
    }
    response: dict[str, Any] = {
        "description": "\n\n".join(lines),
        "content": {PROBLEM_TYPE: content},
    }
    if all(kind.retry_after_s is not None for kind in kinds):
        response["headers"] = {
            "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        }
    return response
