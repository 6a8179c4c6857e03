"""Multipart uploads, written straight into the blob store.

waitress has spooled the body before Flask runs (see web.server); Werkzeug would
spool the file part a second time and `save()` copy it a third. Here the parser
writes into a BlobWriter, so that one copy beside the spool is all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from flask import Request as FlaskRequest
from werkzeug.exceptions import RequestEntityTooLarge

from voice_transcriber.errors import FileTooLarge, InvalidRequest
from voice_transcriber.web.schemas import SubmitForm

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

FORM_OVERHEAD_BYTES = 1024 * 1024  # fields and boundaries around a file of the largest size
MAX_FILENAME_CHARACTERS = 255
FORM_TYPES = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Writer(Protocol):
    """The part of a BlobWriter that an upload needs."""

    @property
    def size_bytes(self) -> int: ...
    def write(self, data: bytes) -> int: ...
    def discard(self) -> None: ...


class UploadRequest(FlaskRequest):
    """A request whose file parts go where the view says."""

    open_part: Callable[[], IO[bytes]] | None = None

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> IO[bytes]:
        if self.open_part is None:
            raise InvalidRequest("This address takes no file.")
        return self.open_part()


class _Part:
    """What Werkzeug's parser needs of a file: write, then a rewind that means the end."""

    def __init__(self, writer: Writer, limit_bytes: int) -> None:
        self._writer = writer
        self._limit_bytes = limit_bytes

    def write(self, data: bytes) -> int:
        if self._writer.size_bytes + len(data) > self._limit_bytes:
            raise FileTooLarge
        return self._writer.write(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0

    def close(self) -> None:
        return


@dataclass(frozen=True)
class Received:
    """The fields of a request and its file, which is not yet committed."""

    filename: str | None  # None: there is no file, but the field `upload`
    fields: Mapping[str, str]
    form: SubmitForm


@contextmanager
def received_upload(
    request: FlaskRequest,
    writer: Writer,
    *,
    limit_bytes: int,
    check_file: Callable[[], None],
) -> Iterator[Received]:
    """Read the request into `writer`, which is discarded unless it was committed inside.

    `check_file` is called when a file begins. Raises what it does, InvalidRequest, FileTooLarge,
    DiskFull.
    """
    try:
        yield _receive(cast(UploadRequest, request), writer, limit_bytes, check_file)
    finally:
        writer.discard()


def _receive(
    request: UploadRequest, writer: Writer, limit_bytes: int, check_file: Callable[[], None]
) -> Received:
    if request.mimetype not in FORM_TYPES:
        raise InvalidRequest(
            "The request is not a form with a file.",
            remedy="Send multipart/form-data with the file in the field 'file'.",
        )
    parts = iter([cast("IO[bytes]", _Part(writer, limit_bytes))])

    def open_part() -> IO[bytes]:
        part = next(parts, None)
        if part is None:
            raise InvalidRequest("The request has more than one file.")
        check_file()
        return part

    request.open_part = open_part
    request.max_content_length = limit_bytes + FORM_OVERHEAD_BYTES
    if (request.content_length or 0) > request.max_content_length:
        raise FileTooLarge
    try:
        fields = _single_values(request.form)
    except RequestEntityTooLarge:  # the file has its own limit, so it is the fields
        raise InvalidRequest("The form's fields are too many or too long.") from None
    file = request.files.get("file")
    form = SubmitForm.parse(fields)
    if (file is None) == (form.upload is None):
        raise InvalidRequest(
            "The request has no file."
            if file is None
            else "The request has a file, and names an upload.",
            remedy="Send the file in the field 'file', or name a finished one in 'upload'.",
        )
    return Received(clean_filename(file.filename or "") if file else None, fields, form)


def _single_values(form: MultiDict[str, str]) -> dict[str, str]:
    for name, values in form.lists():
        if len(values) > 1:
            raise InvalidRequest(f"The field {name[:60]!r} is given {len(values)} times.")
    return form.to_dict()


def clean_filename(name: str) -> str:
    """The last part of a client's file name, as data to show: never used as a path.

    Control characters and those that turn the direction of text are left out;
    what is too long loses its middle, so that the extension stays.
    """
    base = _CONTROLS.sub("", re.split(r"[/\\]", name)[-1]).strip()
    # a lone surrogate cannot be stored or shown
    base = base.encode("utf-8", "replace").decode("utf-8")
    if len(base) > MAX_FILENAME_CHARACTERS:
        base = f"{base[:200]}…{base[-54:]}"
    return base if base.strip(".") else "recording"
