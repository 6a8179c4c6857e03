"""The audio of a job, with byte ranges for players that seek."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePath
from typing import IO

from flask import Request, Response
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import parse_range_header

from voice_transcriber.web.filenames import attachment, inline

# Exact types: the browser must not guess, and nothing here can be a page or a script.
MEDIA_TYPES: Mapping[str, str] = {
    ".aac": "audio/aac",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".amr": "audio/amr",
    ".caf": "audio/x-caf",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".mpga": "audio/mpeg",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".weba": "audio/webm",
    ".wma": "audio/x-ms-wma",
    ".3gp": "video/3gpp",
    ".avi": "video/x-msvideo",
    ".m4v": "video/mp4",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    ".mpeg": "video/mpeg",
    ".mpg": "video/mpeg",
    ".ogv": "video/ogg",
    ".ts": "video/mp2t",
    ".webm": "video/webm",
    ".wmv": "video/x-ms-wmv",
}

_PIECE_BYTES = 64 * 1024


def media_type(filename: str) -> str | None:
    """The type by the name's extension; None for a file that is only offered as a download."""
    return MEDIA_TYPES.get(PurePath(filename).suffix.lower())


def media_response(request: Request, path: Path, *, filename: str, sha256: str) -> Response:
    """The file, or the one range of it that is asked for.

    The server's file wrapper sends it from the I/O loop: a player that is
    paused holds a connection but no thread. Raises RequestedRangeNotSatisfiable.
    """
    size = path.stat().st_size
    span = _asked_span(request, size, sha256)
    start, stop = span or (0, size)
    file = path.open("rb")
    file.seek(start)
    response = Response(
        file_body(request, file, stop - start),
        status=200 if span is None else 206,
        direct_passthrough=True,
    )
    _describe(response, filename)
    response.set_etag(sha256)
    response.headers["Content-Length"] = str(stop - start)
    if span is not None:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return response


def _asked_span(request: Request, size: int, etag: str) -> tuple[int, int] | None:
    """Start and stop of the one range; None for the whole file, as for several ranges."""
    wanted = parse_range_header(request.headers.get("Range"))
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) > 1:
        return None
    if "If-Range" in request.headers and request.if_range.etag != etag:
        return None
    span = wanted.range_for_length(size)
    if span is None:
        raise RequestedRangeNotSatisfiable(length=size)
    return span


def _describe(response: Response, filename: str) -> None:
    kind = media_type(filename)
    response.headers["Content-Type"] = kind or "application/octet-stream"
    response.headers["Content-Disposition"] = inline(filename) if kind else attachment(filename)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, max-age=3600"


def file_body(request: Request, file: IO[bytes], length: int) -> Iterator[bytes]:
    """The next `length` bytes of a file, which is closed when they are sent or the client left.

    Goes with a Content-Length and with direct_passthrough.
    """
    wrapper = request.environ.get("wsgi.file_wrapper")
    if wrapper is None:  # a server without one, such as Flask's own test client
        return _pieces(file, length)
    wrapped: Iterator[bytes] = wrapper(file)
    return wrapped


def _pieces(file: IO[bytes], length: int) -> Iterator[bytes]:
    with file:
        while length > 0 and (piece := file.read(min(length, _PIECE_BYTES))):
            length -= len(piece)
            yield piece
