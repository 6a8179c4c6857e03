"""The API's document, and the two pages that show it."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify, render_template

from voice_transcriber.web.context import services
from voice_transcriber.web.headers import content_security_policy
from voice_transcriber.web.openapi.document import document

bp = Blueprint("openapi", __name__, url_prefix="/api")
pages = Blueprint("api_pages", __name__, url_prefix="/api")

# Both viewers write styles into the page and take small pictures from data: addresses.
VIEWER_POLICY = content_security_policy(style="'self' 'unsafe-inline'", img="'self' data:")


@bp.get("/openapi.json")
def openapi() -> Response:
    needs_key = bool(services().settings.api_key)
    return jsonify(document(current_app, needs_key=needs_key))


@pages.get("/docs")
def swagger() -> Response:
    return _page("api_swagger.html")


@pages.get("/redoc")
def redoc() -> Response:
    return _page("api_redoc.html")


def _page(template: str) -> Response:
    headers = {"Content-Security-Policy": VIEWER_POLICY}
    return Response(render_template(template), headers=headers)
