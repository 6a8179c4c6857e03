"""The server's address in its data folder, where commands find it. Nothing in it is secret."""

from __future__ import annotations

import json
from pathlib import Path

from voice_transcriber.files import write_durably

FILE_NAME = "instance.json"

_WILDCARDS = {"": "127.0.0.1", "*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


def announce(data_dir: Path, *, host: str, port: int) -> None:
    """Tell commands on this machine where the server answers; only the folder's owner may."""
    data = json.dumps({"host": host, "port": port})
    write_durably(data_dir / FILE_NAME, data.encode())


def withdraw(data_dir: Path) -> None:
    """The folder has no server, or none any more; harmless when it had none."""
    (data_dir / FILE_NAME).unlink(missing_ok=True)


def base_url(data_dir: Path) -> str | None:
    """Where this machine reaches the server of the folder; None when none has announced itself."""
    try:
        address = json.loads((data_dir / FILE_NAME).read_text(encoding="utf-8"))
        return _url(str(address["host"]).strip("[]"), int(address["port"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _url(host: str, port: int) -> str:
    reached = _WILDCARDS.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
