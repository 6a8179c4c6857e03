"""Media with too much of something: tracks, pictures, tags, packets, logical streams."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import av

UNKNOWN_SIZE = b"\x01" + b"\xff" * 7


def write_many_tracks(path: Path, tracks: int) -> Path:
    """All of them announced, none of them heard."""
    codec = {"mkv": "pcm_s16le", "ts": "mp2", "mp4": "aac"}[path.suffix[1:]]
    with av.open(path, "w") as container:
        for _ in range(tracks):
            container.add_stream(codec, rate=16_000 if codec != "mp2" else 48_000, layout="mono")
        container.start_encoding()
    return path


def write_empty_track(path: Path) -> Path:
    """One track, and no sound in it."""
    codec = {"webm": "libopus", "avi": "libmp3lame"}.get(path.suffix[1:], "aac")
    with av.open(path, "w") as container:
        container.add_stream(codec, rate=48_000, layout="mono")
        container.start_encoding()
    return path


def many_ogg_streams(opus: bytes, number: int) -> bytes:
    """Logical streams that all begin at once, or that follow each other."""
    head, tags = opus[28:47], b"OpusTags" + bytes(8)
    count = (3000, 500)[number % 2]
    if number % 2:
        pages: Iterable[bytes] = (
            ogg_page(serial, flags, sequence, payload)
            for serial in range(count)
            for sequence, (flags, payload) in enumerate([(2, head), (0, tags), (4, b"\xfb\x06")])
        )
    else:
        pages = (ogg_page(serial, 2, 0, head) for serial in range(count))
    return b"".join(pages)


def ogg_page(serial: int, flags: int, sequence: int, payload: bytes) -> bytes:
    """One packet of at most 254 bytes."""
    lacing = bytes([1, len(payload)])
    head = struct.pack("<4sBBqII", b"OggS", 0, flags, 960 * sequence, serial, sequence)
    page = bytearray(head + bytes(4) + lacing + payload)
    page[22:26] = struct.pack("<I", _ogg_checksum(bytes(page)))
    return bytes(page)


def _ogg_checksum(page: bytes) -> int:
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFF_FFFF) ^ _ogg_table()[value >> 24 ^ byte]
    return value


@cache
def _ogg_table() -> tuple[int, ...]:
    def entry(value: int) -> int:
        value <<= 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C1_1DB7 if value & 0x8000_0000 else 0)) & 0xFFFF_FFFF
        return value

    return tuple(map(entry, range(256)))


def element(name: bytes, content: bytes) -> bytes:
    """Of a Matroska file."""
    return name + struct.pack(">Q", 1 << 56 | len(content)) + content


def _matroska(*parts: bytes) -> bytes:
    head = element(b"\x1a\x45\xdf\xa3", element(b"\x42\x82", b"matroska"))
    track = element(b"\xd7", b"\1") + element(b"\x73\xc5", b"\1") + element(b"\x83", b"\2")
    track += element(b"\x86", b"A_PCM/INT/LIT")
    sound = element(b"\xb5", struct.pack(">d", 8000.0)) + element(b"\x9f", b"\1")
    track += element(b"\xe1", sound + element(b"\x62\x64", b"\x10"))
    tracks = element(b"\x16\x54\xae\x6b", element(b"\xae", track))
    return head + b"\x18\x53\x80\x67" + UNKNOWN_SIZE + tracks + b"".join(parts)


def matroska_attachments(count: int) -> bytes:
    """Fonts and pictures by the thousand, each a stream of its own."""
    file = element(b"\x46\x6e", b"font.ttf") + element(b"\x46\x60", b"font/ttf")
    file = element(b"\x61\xa7", file + element(b"\x46\x5c", b"x") + element(b"\x46\xae", b"\1"))
    return _matroska(element(b"\x19\x41\xa4\x69", file * count))


def cover_bomb(mp3: bytes, number: int) -> bytes:
    """A picture in the tag that becomes gigabytes when it is shown, or thousands of pictures."""
    zeros = zlib.compress(bytes(100_000_000))
    bomb = png_head(60_000, 60_000) + _png_chunk(b"IDAT", zeros) + _png_chunk(b"IEND", b"")
    pictures = (
        [bomb],
        [b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff" + bytes(9000)],
        [b"x"] * 5000,
    )
    kind = number % 3
    mime = b"image/jpeg" if kind == 1 else b"image/png"
    frames = (
        _id3_frame(b"APIC", b"\0" + mime + b"\0\3" + str(index).encode() + b"\0" + picture)
        for index, picture in enumerate(pictures[kind])
    )
    return _id3(b"".join(frames)) + mp3


def png_head(width: int, height: int) -> bytes:
    about = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", about)


def _png_chunk(name: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + data))
    return struct.pack(">I", len(data)) + name + data + check


def giant_tags(whole: bytes, extension: str) -> bytes:
    """Thirty megabytes of title, or a hundred thousand comments."""
    if extension != "flac":
        return _id3(_id3_frame(b"TIT2", b"\0" + b"A" * 30_000_000)) + whole
    comment = b"TITLE=" + b"B" * 100
    comments = struct.pack("<I", len(comment)) + comment
    block = struct.pack("<II", 0, 100_000) + comments * 100_000
    head = whole[:4] + bytes([whole[4] & 0x7F]) + whole[5:42]  # the first block is not the last
    return head + b"\x84" + len(block).to_bytes(3, "big") + block + whole[42:]


def _id3_frame(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "big") + bytes(2) + body


def _id3(frames: bytes) -> bytes:
    size = len(frames)
    parts = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + parts + frames


def tiny_packets(extension: str, whole: Mapping[str, bytes]) -> bytes:
    """A million packets that hold nothing."""
    if extension == "aac":
        return whole["aac"][:2000] + b"\xff\xf1\x50\x80\x00\xff\xfc" * 1_000_000
    if extension == "mp3":
        return whole["mp3"][:2000] + (b"\xff\xfb\x10\xc4" + bytes(100)) * 200_000
    if extension == "mkv":
        block = b"\xa3\x84\x81\0\0\x80"
        cluster = b"\x1f\x43\xb6\x75" + UNKNOWN_SIZE + b"\xe7\x81\0"
        return _matroska(cluster + block * 1_000_000)
    head, tags = whole["opus"][28:47], b"OpusTags" + bytes(8)
    start = ogg_page(1, 2, 0, head) + ogg_page(1, 0, 1, tags)
    return start + b"".join(ogg_page(1, 0, number, b"") for number in range(2, 30_000))
