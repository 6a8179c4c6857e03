"""Variable parts of addresses that several views share.

The examples name a job in each state: the tests make jobs of these ids and send the examples.
"""

from __future__ import annotations

from voice_transcriber.transcript.exporters import FORMATS
from voice_transcriber.web.openapi.operation import PathParameter


def _job(example: str) -> PathParameter:
    return PathParameter(description="The job's id, as its answers tell it.", example=example)


COMPLETED_JOB = _job("7d1f0c52a9b84e3c8f6a21d0b94e5c17")
RUNNING_JOB = _job("2b9e64d7f0c14a58b3d7908c1e5fa642")
QUEUED_JOB = _job("e40c7a31d5964bb28a1f6c93075d2e8b")
FAILED_JOB = _job("95a8f3be617d4c0f9e24b7d01c36a5f8")
CANCELLED_JOB = _job("c3d6051f8e2a47b99b70e4f2d8a1630e")

UPLOAD = PathParameter(
    description="The upload's id, the last part of its address.",
    example="51c07e9d2b6f4ac8a3d1f0e874b92d65",
)
WHOLE_UPLOAD = "0f6b2ad4c98e4d17b5a3e6217d90c84f"  # one whose bytes are all there

FORMAT = PathParameter(
    description="Format of the transcript.", example="srt", choices=tuple(FORMATS)
)

MODEL = PathParameter(description="The model's name, as the list tells it.", example="tiny")
