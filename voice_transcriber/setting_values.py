"""How the text of a setting is read. Each function raises ValueError with a sentence."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit


def parse_text(text: str) -> str:
    return text.strip()


def parse_instance(text: str) -> str:
    return text.strip() or platform.node()


def parse_switch(text: str) -> bool:
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError("give true or false")


def parse_names(text: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in text.split(",") if name.strip())


def parse_model_names(text: str) -> tuple[str, ...]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    return tuple(dict.fromkeys(names))


def parse_folder(text: str) -> Path:
    if not text.strip():
        raise ValueError("give a folder")
    return _path(text)


def parse_optional_folder(text: str) -> Path | None:
    return parse_folder(text) if text.strip() else None


def parse_optional_file(text: str) -> Path | None:
    return _path(text) if text.strip() else None


def _path(text: str) -> Path:
    try:
        return Path(text.strip()).expanduser()
    except RuntimeError as error:
        raise ValueError("give a path without ~: that user has no home folder") from error


def parse_token(text: str) -> str:
    """A secret that travels in a header."""
    token = text.strip()
    if not all("!" <= sign <= "~" for sign in token):
        raise ValueError("give it without spaces and letters beyond ASCII")
    return token


def parse_server_url(text: str) -> str:
    """Address of a server without credentials, query and fragment; empty when there is none."""
    url = text.strip().rstrip("/")
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("give an address such as https://api.openai.com")
    if parts.username is not None or parts.password is not None:
        raise ValueError("give the address without a name and password; REMOTE_API_KEY is sent")
    if parts.query or parts.fragment or any(sign.isspace() for sign in url):
        raise ValueError("give the address without spaces and without what follows ? or #")
    if parts.port == 0:
        raise ValueError("give a port from 1 to 65535")
    return url


def parse_clamd_address(text: str) -> str:
    """host:port, or the absolute path of a socket."""
    address = text.strip()
    if address.startswith("/"):
        return address
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise ValueError("give host:port, such as localhost:3310, or the path of a socket")
    return address


def parse_remote_models(text: str) -> tuple[str, ...]:
    """The server's name for every model, or pairs of our name and the server's."""
    entries = parse_model_names(text)
    for entry in entries:
        ours, sign, theirs = entry.rpartition("=")
        if not theirs.strip() or (sign and not ours.strip()):
            raise ValueError("give one name, or pairs such as base=whisper-1,large-v3=whisper-1")
    if not entries or sum("=" not in entry for entry in entries) > 1:
        raise ValueError("give one name, or pairs such as base=whisper-1,large-v3=whisper-1")
    return entries


def parse_size(text: str) -> int:
    """Bytes from '500MB', '2 GB', '750KB' or a plain number of megabytes (decimal units)."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(KB|MB|GB|TB)?\s*", text, re.IGNORECASE)
    if match is None:
        raise ValueError("give a size such as 500MB or 2GB")
    unit = (match[2] or "MB").upper()
    size = int(float(match[1]) * {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}[unit])
    if size <= 0:
        raise ValueError("give a size above zero")
    return size


def parse_duration(text: str) -> float:
    """Seconds from '24h', '90m', '600s' or a plain number of seconds."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd])?\s*", text, re.IGNORECASE)
    if match is None:
        raise ValueError("give a time such as 24h, 90m or 600s")
    factors = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    seconds = float(match[1]) * factors[(match[2] or "s").lower()]
    if seconds <= 0:
        raise ValueError("give a time above zero")
    return seconds


def parse_time_limit(text: str) -> float | Literal["auto"]:
    if text.strip().lower() == "auto":
        return "auto"
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ValueError(f"{error}, or auto") from None


def parse_memory_limit(text: str) -> int | Literal["auto", "off"]:
    match text.strip().lower():
        case "auto":
            return "auto"
        case "off":
            return "off"
    try:
        return parse_size(text)
    except ValueError as error:
        raise ValueError(f"{error}, or auto, or off") from None


def whole_number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            number = int(text.strip())
        except ValueError:
            raise ValueError(f"give a whole number from {low} to {high}") from None
        if not low <= number <= high:
            raise ValueError(f"give a whole number from {low} to {high}")
        return number

    return parse


def parse_batch_size(text: str) -> int | Literal["auto"]:
    if text.strip().lower() == "auto":
        return "auto"
    try:
        return whole_number(1, 256)(text)
    except ValueError as error:
        raise ValueError(f"{error}, or auto") from None


def parse_part(text: str) -> float:
    """A number above 0 and at most 1."""
    try:
        part = float(text.strip())
    except ValueError:
        part = 0.0
    if not 0 < part <= 1:
        raise ValueError("give a number above 0 and at most 1")
    return part


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        for choice in choices:
            if text.strip().lower() == choice.lower():
                return choice
        raise ValueError(f"give one of {', '.join(choices)}")

    return parse
