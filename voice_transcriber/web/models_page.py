"""The page of the models, and the pieces that its script fetches."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from werkzeug.wrappers import Response

from voice_transcriber.web.context import services
from voice_transcriber.web.model_shapes import ModelListShape, ModelShape

bp = Blueprint("models_page", __name__)

BUSY_POLL_MS = 1_000  # while a download goes on or a model is being loaded
IDLE_POLL_MS = 10_000


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """One file, with all names that it goes by."""

    model: ModelShape
    aliases: tuple[str, ...]

    @property
    def is_busy(self) -> bool:
        return self.model.loading or self.model.download.state == "downloading"


@bp.get("/models")
def models() -> str:
    return render_template("models.html", **_news())


@bp.get("/ui/models")
def changes() -> Response:
    """All rows as one piece; 304 while it is what the client has."""
    news = _news()
    response = jsonify(news)
    response.set_etag(news["revision"])
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(request)


def _news() -> dict[str, Any]:
    found = ModelListShape.of(services())
    rows = model_rows(found.models)
    html = render_template("_models.html", rows=rows, found=found)
    return {
        "html": html,
        "revision": hashlib.sha256(html.encode()).hexdigest()[:16],
        "next_poll_ms": BUSY_POLL_MS if any(row.is_busy for row in rows) else IDLE_POLL_MS,
    }


def model_rows(models: Sequence[ModelShape]) -> Sequence[ModelRow]:
    """In the order given; a further name of a file is told with its first one."""
    return [
        ModelRow(
            model=model,
            aliases=tuple(other.name for other in models if other.alias_of == model.name),
        )
        for model in models
        if model.alias_of is None
    ]
