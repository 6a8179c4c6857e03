"""A secret beside the data folder and an open port that tell when anybody touches them (Linux)."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import struct
import threading
from pathlib import Path

from tests import media

_OPENED, _READ = 0x20, 0x1
_EVENT = struct.Struct("iIII")
_IN_NONBLOCK = 0o4000
FORMATS = ("wav", "mp3", "ts", "aac", "flac", "m4a")


class Canary:
    """Recordings that nobody may open, in several formats, and a TCP port that nobody may call."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        for extension in FORMATS:
            media.encode(folder / f"canary.{extension}")
        (folder / "segment.m3u8").write_text(f"#EXTM3U\n#EXTINF:5,\n{folder}/canary.ts\n")
        shutil.copy(media.SPEECH, folder / "0.wav")  # what a pattern such as %d.wav would find
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._watch = self._libc.inotify_init1(_IN_NONBLOCK)
        assert self._libc.inotify_add_watch(self._watch, os.fsencode(folder), _OPENED | _READ) > 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.calls = 0
        threading.Thread(target=self._listen, name="canary", daemon=True).start()

    @property
    def file(self) -> Path:
        return self.folder / "canary.wav"

    def opened(self) -> list[str]:
        """Names of the files that were opened since the last question."""
        try:
            events = os.read(self._watch, 65536)
        except BlockingIOError:
            return []
        names, place = [], 0
        while place < len(events):
            *_, length = _EVENT.unpack_from(events, place)
            place += _EVENT.size
            names.append(events[place : place + length].rstrip(b"\0").decode())
            place += length
        return names

    def close(self) -> None:
        self._listener.close()
        os.close(self._watch)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()
