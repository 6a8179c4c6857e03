"""The Flask application, put together in one place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from voice_transcriber.settings import Settings
from voice_transcriber.web import (
    access,
    api_audit,
    api_cache,
    api_docs,
    api_gpu,
    api_job_files,
    api_jobs,
    api_models,
    api_ops,
    api_system,
    audit,
    context,
    error_pages,
    models_page,
    pages,
    tus,
    ui,
    wording,
)
from voice_transcriber.web.admission import SMALL_BODY_BYTES
from voice_transcriber.web.auth import HostGuard, session_secret
from voice_transcriber.web.headers import SecurityHeaders
from voice_transcriber.web.uploads import UploadRequest

if TYPE_CHECKING:
    from voice_transcriber.services import Services

PROJECT_DIR = Path(__file__).resolve().parents[1]
SESSION_DAYS = 30


def create_app(settings: Settings, services: Services) -> Flask:
    """The WSGI application over services that the caller starts and stops."""
    app = Flask(
        __name__,
        template_folder=str(PROJECT_DIR / "templates"),
        static_folder=str(PROJECT_DIR / "static"),
    )
    app.request_class = UploadRequest
    _configure(app, settings)
    context.bind(app, services)
    access.install(app)
    audit.install(app)
    error_pages.install(app)
    wording.install(app)
    app.register_blueprint(api_jobs.bp)
    app.register_blueprint(api_job_files.bp)
    app.register_blueprint(tus.bp)
    app.register_blueprint(api_models.bp)
    app.register_blueprint(api_cache.bp)
    app.register_blueprint(api_audit.bp)
    app.register_blueprint(api_ops.bp)
    app.register_blueprint(api_system.bp)
    app.register_blueprint(api_gpu.bp)
    app.register_blueprint(api_docs.bp)
    app.register_blueprint(api_docs.pages)
    app.register_blueprint(pages.bp)
    app.register_blueprint(models_page.bp)
    app.register_blueprint(ui.bp)
    guarded = HostGuard(app.wsgi_app, settings.hosts)
    app.wsgi_app = SecurityHeaders(guarded)  # type: ignore[method-assign]
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        MAX_CONTENT_LENGTH=SMALL_BODY_BYTES,  # the upload's view raises it for itself
        # Werkzeug counts its read buffer of 64 KiB, parts of a file in it included
        MAX_FORM_MEMORY_SIZE=256 * 1024,
        MAX_FORM_PARTS=20,
        SEND_FILE_MAX_AGE_DEFAULT=None,  # asked again with the ETag: an update shows at once
        PERMANENT_SESSION_LIFETIME=SESSION_DAYS * 86_400,
        # the port is part of the name: cookies are shared by all ports of a host
        SESSION_COOKIE_NAME=f"voice_transcriber_{settings.port}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
    )
    if settings.api_key:
        app.secret_key = session_secret(settings.api_key)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
