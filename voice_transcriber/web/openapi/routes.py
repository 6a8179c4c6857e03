"""The API's routes, from the application's map of addresses."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voice_transcriber.web.access import OPEN_ENDPOINTS
from voice_transcriber.web.openapi.operation import Operation, operation_of

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.routing import Rule

GPU_STATUS = "/api/gpu-status"  # an address that has users already
API_PATHS = ("/api/v1/", "/files", GPU_STATUS, "/health")
UNTOLD_METHODS = {"HEAD", "OPTIONS"}  # the framework adds them by itself


@dataclass(frozen=True, kw_only=True)
class Route:
    """One method of one address, and what its view declares."""

    path: str  # as OpenAPI writes it: /jobs/{job_id}
    method: str
    endpoint: str
    operation: Operation
    description: str

    @property
    def tag(self) -> str:
        if self.path == GPU_STATUS:
            return "System"
        return self.path.removeprefix("/api/v1").split("/")[1].capitalize()

    @property
    def is_open(self) -> bool:
        """Whether it answers without the API key."""
        return self.endpoint in OPEN_ENDPOINTS


def api_rules(app: Flask) -> Iterator[Rule]:
    """The rules of the native API, documented or not."""
    return (rule for rule in app.url_map.iter_rules() if rule.rule.startswith(API_PATHS))


def told_methods(rule: Rule) -> Sequence[str]:
    """Those that the view itself answers."""
    methods = rule.methods or set()
    return sorted(methods - UNTOLD_METHODS or methods - {"OPTIONS"})


def routes(app: Flask) -> Iterator[Route]:
    """What can be documented; a view without a declaration is left out."""
    for rule in api_rules(app):
        view = app.view_functions[rule.endpoint]
        operation = operation_of(view)
        if operation is None:
            continue
        for method in told_methods(rule):
            yield Route(
                path=re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule),
                method=method,
                endpoint=rule.endpoint,
                operation=operation,
                description=inspect.cleandoc(view.__doc__ or ""),
            )
