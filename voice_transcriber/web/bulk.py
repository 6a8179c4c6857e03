"""One action for many jobs: each by itself, so that one refusal stops no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from voice_transcriber.errors import TranscriberError
from voice_transcriber.web.schemas import BulkRequest
from voice_transcriber.web.shapes import BulkFailureShape, BulkShape

if TYPE_CHECKING:
    from voice_transcriber.services import Services


def change_many(services: Services, wanted: BulkRequest) -> BulkShape:
    """Never raises for a single job; its reason is in the answer."""
    manager = services.manager
    actions: Mapping[str, Callable[[str], object]] = {
        "cancel": manager.cancel,
        "retry": manager.retry,
        "delete": manager.delete,
    }
    act = actions[wanted.action]
    done: list[str] = []
    failed: list[BulkFailureShape] = []
    for job_id in dict.fromkeys(wanted.ids):
        try:
            act(job_id)
        except TranscriberError as error:
            failed.append(_failure(job_id, error))
        else:
            done.append(job_id)
    return BulkShape(done=done, failed=failed)


def _failure(job_id: str, error: TranscriberError) -> BulkFailureShape:
    return BulkFailureShape(id=job_id, code=error.code, message=error.message, remedy=error.remedy)
