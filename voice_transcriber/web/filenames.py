"""File names in headers: RFC 6266 with the UTF-8 form of RFC 8187."""

from __future__ import annotations

import unicodedata
from pathlib import PurePath
from urllib.parse import quote


def attachment(filename: str) -> str:
    """Content-Disposition of a download."""
    return f"attachment; {_filename_parameters(filename)}"


def inline(filename: str) -> str:
    """Content-Disposition of what is shown in place."""
    return f"inline; {_filename_parameters(filename)}"


def transcript_name(filename: str, extension: str) -> str:
    """The recording's name with the transcript's extension."""
    return f"{PurePath(filename).stem or 'transcript'}.{extension}"


def _filename_parameters(filename: str) -> str:
    plain = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    safe = "".join(sign if sign.isalnum() or sign in " ._-()" else "_" for sign in plain)
    return f"filename=\"{safe or 'file'}\"; filename*=UTF-8''{quote(filename, safe='')}"
