"""The pages, made on the server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from voice_transcriber.errors import KeyRequired
from voice_transcriber.transcript.exporters import FORMATS
from voice_transcriber.transcript.languages import LANGUAGES, language_name
from voice_transcriber.web.access import SIGNED_IN
from voice_transcriber.web.context import feed, keys, services
from voice_transcriber.web.errors import Problem
from voice_transcriber.web.fields import listed
from voice_transcriber.web.list_views import list_views
from voice_transcriber.web.media import media_type
from voice_transcriber.web.model_shapes import ModelListShape
from voice_transcriber.web.schemas import Filter
from voice_transcriber.web.setting_rows import setting_groups
from voice_transcriber.web.system_shapes import SystemShape
from voice_transcriber.web.ui import PAGE_ROWS, job_view

bp = Blueprint("pages", __name__)

COMMON_LANGUAGES = ("en", "es", "de", "fr", "it", "pt", "nl", "pl", "ru", "zh", "ja", "ar", "hi")


@bp.get("/")
def index() -> str:
    parts = services()
    pulse = feed().pulse()  # before the page of jobs: what changes between is told again
    wanted = Filter.parse(
        {"status": listed(request.args, "status"), "q": request.args.get("q", "").strip()}
    )
    page = parts.store.page(limit=PAGE_ROWS, statuses=wanted.status, search=wanted.q)
    return render_template(
        "index.html",
        pulse=pulse,
        page=page,
        wanted=wanted,
        views=list_views(wanted, pulse.counts),
        formats=list(FORMATS),
        models=ModelListShape.of(parts),
        engine=parts.settings.engine,
        engines=parts.engines.names,
        common_languages=[(code, language_name(code)) for code in COMMON_LANGUAGES],
        languages=sorted(
            ((code, language_name(code)) for code in LANGUAGES), key=lambda pair: pair[1]
        ),
        max_file_size_bytes=parts.settings.max_file_size_bytes,
    )


@bp.get("/jobs/<job_id>")
def job(job_id: str) -> str:
    pulse = feed().pulse()
    view = job_view(job_id)
    kind = media_type(view["job"].filename) or "audio"
    return render_template("job.html", pulse=pulse, is_video=kind.startswith("video/"), **view)


@bp.get("/system")
def system() -> str:
    return render_template("system.html", system=SystemShape.of(services()))


@bp.get("/settings")
def settings() -> str:
    groups = setting_groups(services().settings)
    given = [row for rows in groups.values() for row in rows if row.origin]
    return render_template("settings.html", groups=groups, given=given)


@bp.get("/login")
def login() -> str:
    return render_template("login.html", target=_local_target(), error=None)


@bp.post("/login")
def sign_in() -> Response | tuple[str, int, Mapping[str, str]]:
    refusal = keys().refusal(request.form.get("key", ""), address=request.remote_addr or "")
    if isinstance(refusal, KeyRequired):
        refusal = KeyRequired("This is not the key.", remedy="Copy it again from API_KEY.")
    if refusal:
        problem = Problem.of(refusal)
        page = render_template("login.html", target=_local_target(), error=refusal)
        return page, problem.status, problem.headers
    if not services().settings.api_key:
        return redirect(_local_target(), code=303)  # nothing to sign in to
    session.permanent = True
    session[SIGNED_IN] = True
    return redirect(_local_target(), code=303)


@bp.post("/logout")
def sign_out() -> Response:
    session.clear()
    return redirect(url_for("pages.login"), code=303)


@bp.app_context_processor
def signed_in() -> dict[str, Any]:
    """Whether there is a session to end; no key, no session."""
    return {"signed_in": bool(services().settings.api_key and session.get(SIGNED_IN))}


def _local_target() -> str:
    """The page to go to after signing in; never another site."""
    target = request.values.get("next", "/")
    if not target.startswith("/") or target[1:2] in {"/", "\\"} or not target.isprintable():
        return "/"
    return target
