"""Uploads that can be resumed: the tus protocol, version 1.0.0, at /files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import IO

from flask import Blueprint, Response, request, url_for
from werkzeug.http import http_date

from voice_transcriber.errors import (
    Busy,
    ChecksumMismatch,
    DiskFull,
    EmptyFile,
    EngineNotOffered,
    FileTooLarge,
    InvalidRequest,
    KeyReused,
    NotFound,
    QueueFull,
    RequestInFlight,
    ShuttingDown,
    TooManyQueued,
    UnknownLanguage,
    UnknownModel,
    UnsupportedProtocol,
    WrongContentType,
    WrongOffset,
)
from voice_transcriber.submission import Upload
from voice_transcriber.web.announced import announced
from voice_transcriber.web.context import services
from voice_transcriber.web.openapi import paths
from voice_transcriber.web.openapi.operation import Example, Reply, documented
from voice_transcriber.web.origin import KEY_DOCUMENTED, request_origin
from voice_transcriber.web.tus_headers import (
    ALGORITHMS,
    EXTENSIONS,
    VERSION,
    parse_checksum,
    parse_number,
)

MAX_CHUNK_BYTES = 16 * 1024 * 1024  # the server spools a request's body before it is stored
CHUNK_TYPE = "application/offset+octet-stream"
PIECE_BYTES = 1024 * 1024

Answer = tuple[str, int, dict[str, str]]

bp = Blueprint("files", __name__, url_prefix="/files")

_RESUMABLE = {"Tus-Resumable": VERSION}
_VERSION_DOCUMENTED = {"Tus-Resumable": f"{VERSION}, always."}
_OFFSET_DOCUMENTED = {
    "Upload-Offset": "So many bytes are on the server's disk.",
    "Upload-Expires": "When the upload is deleted if it stands still.",
}
_PROTOCOL = (InvalidRequest, UnsupportedProtocol)
_STORING = (WrongContentType, ChecksumMismatch, FileTooLarge, DiskFull, ShuttingDown, Busy)


@bp.before_request
def check_version() -> None:
    """Raises UnsupportedProtocol."""
    if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != VERSION:
        raise UnsupportedProtocol


@bp.after_request
def tell_version(response: Response) -> Response:
    response.headers.extend(_RESUMABLE)
    if response.status_code == 412:
        response.headers["Tus-Version"] = VERSION
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.route("", methods=["OPTIONS"], provide_automatic_options=False, strict_slashes=False)
@bp.route("/<upload_id>", methods=["OPTIONS"], provide_automatic_options=False)
def options(upload_id: str = "") -> Answer:
    """What this server can do, for clients of the protocol."""
    told = {
        "Tus-Version": VERSION,
        "Tus-Extension": ",".join(EXTENSIONS),
        "Tus-Max-Size": str(services().settings.max_file_size_bytes),
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }
    return "", 204, told


@bp.post("", strict_slashes=False)
@documented(
    "Announce an upload",
    headers={
        **_VERSION_DOCUMENTED,
        "Upload-Length": "Bytes of the file.",
        "Upload-Metadata": "Pairs of a name and its value in base64: filename, and the fields of "
        "POST /api/v1/jobs.",
        **KEY_DOCUMENTED,
    },
    answers={
        201: Reply(
            description="Send the bytes to the address in Location.",
            headers={"Location": "Address of the upload.", **_OFFSET_DOCUMENTED},
        )
    },
    errors=(
        *_PROTOCOL,
        UnknownModel,
        UnknownLanguage,
        EngineNotOffered,
        EmptyFile,
        *_STORING,
        QueueFull,
        TooManyQueued,
        RequestInFlight,
        KeyReused,
        NotFound,  # of the request's key: its upload was deleted after its job was made
    ),
    examples=(
        Example(
            status=201,
            headers={
                "Tus-Resumable": VERSION,
                "Upload-Length": "1048576",
                "Upload-Metadata": "filename dGFsay5tcDM=,language ZW4=",
            },
        ),
    ),
)
def create() -> Answer:
    """Nothing is accepted yet: that is what POST /api/v1/jobs does when all bytes are there.

    The body may already have the first bytes.
    """
    for header in ("Upload-Defer-Length", "Upload-Concat"):
        if header in request.headers:
            raise InvalidRequest(f"This server does not know the header {header}.")
    origin = request_origin()
    size_bytes = parse_number("Upload-Length", request.headers.get("Upload-Length"))
    metadata = request.headers.get("Upload-Metadata", "")
    parts = services()
    wanted = announced(metadata).form()
    parts.manager.check_options(wanted.options(default_model=parts.settings.default_model))
    with parts.in_flight.once(origin):
        upload = parts.uploads.create(size_bytes=size_bytes, metadata=metadata, origin=origin)
        if request.content_length and not upload.offset_bytes:
            upload = _first_bytes(upload)
    location = url_for("files.append", upload_id=upload.id)
    return "", 201, {"Location": location, **_offset(upload)}


def _first_bytes(upload: Upload) -> Upload:
    """An upload whose first bytes were refused cannot be found by its client: it goes."""
    with ExitStack() as refused:
        refused.callback(_take_back, upload.id)
        appended = _append(upload.id, 0)
        refused.pop_all()
    return appended


def _take_back(upload_id: str) -> None:
    with suppress(Busy):  # it expires
        services().uploads.terminate(upload_id)


@bp.route("/<upload_id>", methods=["HEAD"], provide_automatic_options=False)
@documented(
    "How far an upload is",
    path={"upload_id": paths.UPLOAD},
    headers=_VERSION_DOCUMENTED,
    answers={
        200: Reply(
            description="The headers tell.",
            headers={
                **_OFFSET_DOCUMENTED,
                "Upload-Length": "Bytes of the file.",
                "Upload-Metadata": "As it was announced.",
            },
        )
    },
    errors=(NotFound, UnsupportedProtocol, Busy),
    examples=(Example(status=200, headers=_RESUMABLE),),
)
def look(upload_id: str) -> Answer:
    upload = services().uploads.look(upload_id)
    told = {"Upload-Length": str(upload.size_bytes), "Upload-Metadata": upload.metadata}
    return "", 200, {**told, **_offset(upload)}


@bp.patch("/<upload_id>")
@documented(
    "Send bytes of an upload",
    path={"upload_id": paths.UPLOAD},
    body=CHUNK_TYPE,
    headers={
        **_VERSION_DOCUMENTED,
        "Upload-Offset": "Where these bytes belong: as many as the server has.",
        "Upload-Checksum": f"One of {', '.join(ALGORITHMS)}, a space, and the base64 of the sum.",
    },
    answers={204: Reply(description="The bytes are on the disk.", headers=_OFFSET_DOCUMENTED)},
    errors=(*_PROTOCOL, NotFound, WrongOffset, *_STORING),
    examples=(
        Example(
            status=204,
            headers={**_RESUMABLE, "Upload-Offset": "0", "Content-Type": CHUNK_TYPE},
            body="RIFF",
        ),
    ),
)
def append(upload_id: str) -> Answer:
    """At most 16 MiB in one request. After an error nothing of it was kept."""
    offset_bytes = parse_number("Upload-Offset", request.headers.get("Upload-Offset"))
    return "", 204, _offset(_append(upload_id, offset_bytes))


@bp.delete("/<upload_id>")
@documented(
    "Give an upload up",
    path={"upload_id": paths.UPLOAD},
    headers=_VERSION_DOCUMENTED,
    answers={204: Reply(description="Its bytes are gone; a job that was made of it stays.")},
    errors=(NotFound, UnsupportedProtocol, Busy),
    examples=(Example(status=204, headers=_RESUMABLE),),
)
def terminate(upload_id: str) -> Answer:
    services().uploads.terminate(upload_id)
    return "", 204, {}


@bp.post("/<upload_id>")
@documented(
    "PATCH, DELETE or HEAD, for clients that cannot send these",
    path={"upload_id": paths.UPLOAD},
    headers={**_VERSION_DOCUMENTED, "X-HTTP-Method-Override": "The method that is meant."},
    answers={
        204: Reply(description="As the method that is meant."),
        200: Reply(description="As HEAD."),
    },
    errors=(*_PROTOCOL, NotFound, WrongOffset, *_STORING),
    examples=(
        Example(status=204, headers={**_RESUMABLE, "X-HTTP-Method-Override": "DELETE"}),
        Example(status=200, headers={**_RESUMABLE, "X-HTTP-Method-Override": "HEAD"}),
    ),
)
def overridden(upload_id: str) -> Answer:
    meant: Mapping[str, Callable[[str], Answer]] = {
        "PATCH": append,
        "DELETE": terminate,
        "HEAD": look,
    }
    view = meant.get(request.headers.get("X-HTTP-Method-Override", ""))
    if view is None:
        raise InvalidRequest("The header X-HTTP-Method-Override names no method of an upload.")
    return view(upload_id)


def _append(upload_id: str, offset_bytes: int) -> Upload:
    if request.mimetype != CHUNK_TYPE:
        raise WrongContentType(
            "The bytes of an upload come under another type.",
            remedy=f"Send them with 'Content-Type: {CHUNK_TYPE}'.",
        )
    length_bytes = request.content_length or 0
    if length_bytes > MAX_CHUNK_BYTES:
        raise chunk_too_large()
    request.max_content_length = MAX_CHUNK_BYTES
    checksum = parse_checksum(request.headers.get("Upload-Checksum"))
    pieces: Iterable[bytes] = pieces_of(request.stream)
    return services().uploads.append(
        upload_id,
        offset_bytes=offset_bytes,
        length_bytes=length_bytes,
        pieces=checksum.checked(pieces) if checksum else pieces,
    )


def chunk_too_large() -> FileTooLarge:
    return FileTooLarge(
        f"One request takes at most {MAX_CHUNK_BYTES} bytes of an upload.",
        remedy="Send the file in chunks of 8 MiB (chunkSize in tus-js-client).",
    )


def pieces_of(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(PIECE_BYTES):
        yield piece


def _offset(upload: Upload) -> dict[str, str]:
    return {
        "Upload-Offset": str(upload.offset_bytes),
        "Upload-Expires": http_date(upload.expires_at),
    }
