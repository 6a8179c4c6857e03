"""What atheris calls (parser_fuzz.py): `python -m tests.faults.parser_targets NAME OPTIONS`."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

import atheris

with atheris.instrument_imports(
    include=["voice_transcriber", "werkzeug.formparser", "werkzeug.sansio.multipart"]
):
    from werkzeug.datastructures import MultiDict
    from werkzeug.test import EnvironBuilder

    from voice_transcriber.errors import ConfigurationError, TranscriberError
    from voice_transcriber.processes.channel import Channel, ChannelBroken
    from voice_transcriber.settings import SETTINGS, Settings
    from voice_transcriber.transcript.times import seconds_of
    from voice_transcriber.web.schemas import (
        BulkRequest,
        ExportQuery,
        ListQuery,
        SubmitForm,
        TranscriptQuery,
    )
    from voice_transcriber.web.tus_headers import parse_checksum, parse_metadata, parse_number
    from voice_transcriber.web.uploads import UploadRequest, clean_filename, received_upload

_LIST_FIELDS = {"ids", "formats", "status"}


class _Memory:
    """Where an upload is written to."""

    def __init__(self) -> None:
        self.size_bytes = 0

    def write(self, data: bytes) -> int:
        self.size_bytes += len(data)
        return len(data)

    def discard(self) -> None:
        return


def times(data: bytes) -> None:
    try:
        seconds = seconds_of(data.decode("utf-8", "replace"))
    except ValueError:
        return
    assert 0 <= seconds < float("inf")


def file_names(data: bytes) -> None:
    name = clean_filename(data.decode("utf-8", "surrogateescape"))
    assert 0 < len(name) <= 255
    assert not re.search(r"[\x00-\x1f/\\]", name)
    name.encode()


def forms(data: bytes) -> None:
    """A multipart body as a client sends it."""
    boundary = "xyz"
    environ = EnvironBuilder(
        method="POST",
        content_type=f"multipart/form-data; boundary={boundary}",
        input_stream=io.BytesIO(b"--xyz\r\nContent-Disposition: form-data; " + data),
        content_length=len(data) + 40,
    ).get_environ()
    try:
        request = UploadRequest(environ)
        with received_upload(
            request, _Memory(), limit_bytes=2048, check_file=lambda: None
        ) as upload:
            upload.form.options(default_model="base")
    except TranscriberError:
        return


def fields(data: bytes) -> None:
    """Queries and forms: names and texts by turns."""
    source = atheris.FuzzedDataProvider(data)
    shapes = (BulkRequest, ExportQuery, ListQuery, SubmitForm, TranscriptQuery)
    shape = shapes[source.ConsumeIntInRange(0, len(shapes) - 1)]
    names = sorted(shape.model_fields)
    values: dict[str, Any] = {}
    for _ in range(source.ConsumeIntInRange(0, 6)):
        name = names[source.ConsumeIntInRange(0, len(names) - 1)]
        name = shape.model_fields[name].alias or name
        text = source.ConsumeUnicode(40)
        values[name] = (text,) if name in _LIST_FIELDS else text
    try:
        shape.parse(MultiDict(values).to_dict() | values)
    except TranscriberError:
        return


def frames(data: bytes) -> None:
    """What a child that has gone mad sends."""
    try:
        for message in Channel(io.BytesIO(data), io.BytesIO()).messages():
            assert isinstance(message, dict)
    except ChannelBroken:
        return


def settings(data: bytes) -> None:
    source = atheris.FuzzedDataProvider(data)
    values = {}
    for _ in range(source.ConsumeIntInRange(1, 4)):
        setting = SETTINGS[source.ConsumeIntInRange(0, len(SETTINGS) - 1)]
        values[setting.name] = source.ConsumeUnicodeNoSurrogates(30)
    try:
        Settings.from_mapping(values)
    except ConfigurationError:
        return


def upload_headers(data: bytes) -> None:
    """Those of an upload in pieces; WSGI gives headers as Latin-1."""
    text = data.decode("latin-1")
    for parse in (parse_checksum, parse_metadata, lambda one: parse_number("Upload-Offset", one)):
        try:
            parse(text)
        except TranscriberError:
            continue


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "times": times,
    "file_names": file_names,
    "forms": forms,
    "fields": fields,
    "frames": frames,
    "settings": settings,
    "upload_headers": upload_headers,
}


def main() -> None:
    name, *options = sys.argv[1:]
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
