"""What the metadata of an upload says of the job that is to be made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voice_transcriber.errors import InvalidRequest
from voice_transcriber.web.schemas import SubmitForm
from voice_transcriber.web.tus_headers import parse_metadata
from voice_transcriber.web.uploads import clean_filename

NAME = "filename"
KIND = "filetype"  # tus clients send it; what a file is, is found out by looking into it


@dataclass(frozen=True, kw_only=True)
class Announced:
    """The metadata of one upload."""

    filename: str
    fields: Mapping[str, str]  # of the form for jobs

    def form(self, given: Mapping[str, str] | None = None) -> SubmitForm:
        """The fields of the metadata, and above them those of `given`. Raises InvalidRequest."""
        return SubmitForm.parse({**self.fields, **(given or {})})


def announced(metadata: str) -> Announced:
    """Raises InvalidRequest."""
    fields = parse_metadata(metadata)
    filename = fields.pop(NAME, "")
    fields.pop(KIND, None)
    if not filename:
        raise InvalidRequest(
            "Upload-Metadata names no file.", remedy=f"Give the file's name as {NAME}."
        )
    if "upload" in fields:
        raise InvalidRequest("An upload cannot be made of another one.")
    return Announced(filename=clean_filename(filename), fields=fields)
