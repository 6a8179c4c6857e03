"""Messages between two processes or threads: JSON, each with its length in front.

A frame is four bytes of length (big endian) and that many bytes of UTF-8 JSON.
End of file between two frames means that the other side is gone; end of file
inside a frame means that it died while writing, and a frame that is no JSON object
that it cannot be trusted any more: ChannelBroken.
"""

from __future__ import annotations

import json
import os
import struct
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

Message = dict[str, Any]

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")


class ChannelBroken(Exception):
    """The other side died in the middle of a message, or sent what is none."""


class Channel:
    """One end of a two-way conversation. Any thread may send; one thread receives."""

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        self._reader = reader
        self._writer = writer
        self._sending = threading.Lock()

    def send(self, message: Message) -> None:
        """Raises OSError (BrokenPipeError) when the other side is gone, or after close()."""
        body = json.dumps(message, separators=(",", ":")).encode()
        with self._sending:
            if self._writer.closed:
                raise BrokenPipeError
            self._writer.write(_LENGTH.pack(len(body)) + body)
            self._writer.flush()

    def messages(self) -> Iterator[Message]:
        """Yield until end of file, then close the receiving side.

        Raises ChannelBroken for a frame that is truncated, oversized or no JSON object.
        """
        try:
            while (body := self._next_body()) is not None:
                yield _message_of(body)
        except ChannelBroken:
            self._reader.close()
            raise
        self._reader.close()

    def _next_body(self) -> bytes | None:
        head = self._reader.read(_LENGTH.size)
        if not head:
            return None
        if len(head) < _LENGTH.size:
            raise ChannelBroken
        (length,) = _LENGTH.unpack(head)
        if length > MAX_MESSAGE_BYTES:
            raise ChannelBroken
        body = self._reader.read(length)
        if len(body) < length:
            raise ChannelBroken
        return body

    def stop_receiving(self) -> None:
        """Close the receiving side before the end of file; for the thread that receives."""
        self._reader.close()

    def close(self) -> None:
        """Close the sending side; the other side reads end of file."""
        with self._sending:
            try:
                self._writer.close()
            except OSError:  # the other side is gone already
                return


def _message_of(body: bytes) -> Message:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError) as error:  # of the text, of its encoding; nested too deep
        raise ChannelBroken from error
    if not isinstance(message, dict):
        raise ChannelBroken
    return message


def channel_pair() -> tuple[Channel, Channel]:
    """Two joined ends within one process, over operating system pipes."""
    read_a, write_b = os.pipe()
    read_b, write_a = os.pipe()
    return (
        Channel(os.fdopen(read_a, "rb"), os.fdopen(write_a, "wb")),
        Channel(os.fdopen(read_b, "rb"), os.fdopen(write_b, "wb")),
    )
