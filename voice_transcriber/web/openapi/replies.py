"""Answers of jobs that are more than the JSON of a model."""

from __future__ import annotations

from voice_transcriber.transcript.exporters import FORMATS
from voice_transcriber.web.media import MEDIA_TYPES
from voice_transcriber.web.openapi.operation import Content, Reply
from voice_transcriber.web.shapes import JobShape

UNKNOWN_MEDIA = "application/octet-stream"

_MEDIA = (*sorted(set(MEDIA_TYPES.values())), UNKNOWN_MEDIA)
_NAME = {"Content-Disposition": "A file name after the recording's."}

ACCEPTED = Reply(
    description="The job and its file are on the disk.",
    shapes=(JobShape,),
    headers={"Location": "Address of the job."},
)
ARCHIVE = Content(description="A zip archive.", types=("application/zip",), headers=_NAME)
TRANSCRIPT = Content(
    description="The transcript as a file.",
    types=tuple(sorted({kind.content_type.split(";")[0] for kind in FORMATS.values()})),
    headers=_NAME,
)
RECORDING = Content(description="The whole file.", types=_MEDIA, headers=_NAME)
PART_OF_RECORDING = Content(
    description="The range of bytes that was asked for.",
    types=_MEDIA,
    headers={**_NAME, "Content-Range": "Which bytes these are."},
)
