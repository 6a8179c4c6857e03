"""The record of who did what, over the native API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from flask import Blueprint, Response, jsonify, request
from pydantic import Field

from voice_transcriber.web.context import services
from voice_transcriber.web.openapi.operation import Example, documented
from voice_transcriber.web.schemas import DEFAULT_PAGE, MAX_PAGE, MAX_SEQ, Request
from voice_transcriber.web.shapes import Shape

bp = Blueprint("api_audit", __name__, url_prefix="/api/v1/audit")


class AuditQuery(Request):
    """Which page of the record."""

    limit: int = Field(DEFAULT_PAGE, ge=1, le=MAX_PAGE)
    cursor: int | None = Field(
        None, ge=0, le=MAX_SEQ, description="`next_cursor` of the page before."
    )


class AuditEntryShape(Shape):
    """One thing that somebody did."""

    seq: int = Field(description="Grows by one.")
    at: float = Field(description="Unix seconds, as they went into the hash.")
    actor: str = Field(description="How the caller was let in, and the address.")
    action: str
    subject: str = Field(description="A job's id, a model's name, or nothing.")
    prev_hash: str
    hash: str = Field(
        description="SHA-256 of the JSON array of seq, at, actor, action, subject and prev_hash."
    )


class AuditPageShape(Shape):
    """One page of the record, newest first."""

    entries: Sequence[AuditEntryShape]
    next_cursor: int | None = Field(description="`cursor` of the next page; null on the last.")

    @classmethod
    def of(cls, found: Sequence[object], *, limit: int) -> Self:
        """`found` may be one more than the page holds."""
        shown = [AuditEntryShape.model_validate(entry) for entry in found[:limit]]
        return cls(entries=shown, next_cursor=shown[-1].seq if len(found) > limit else None)


@bp.get("")
@documented(
    "Who did what, newest first",
    query=AuditQuery,
    answers={200: AuditPageShape},
    examples=(Example(status=200, query={"limit": 20}),),
)
def show() -> Response:
    """Each entry holds the hash of the one before it: `check` on the command line verifies all."""
    query = AuditQuery.parse(request.args.to_dict())
    found = services().store.audit_page(limit=query.limit + 1, before_seq=query.cursor)
    return jsonify(AuditPageShape.of(found, limit=query.limit).json_value())
