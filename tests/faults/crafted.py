"""Files that no program would write: built byte by byte, or with PyAV used against its grain."""

from __future__ import annotations

import io
import math
import pickle
import random
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from tests import media
from tests.faults.canary import Canary
from tests.faults.swollen import png_head

LARGEST_32, LARGEST_64 = 0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF

HLS = (
    '#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXT-X-KEY:METHOD=AES-128,URI="{0}"\n'
    '#EXT-X-MAP:URI="{0}"\n{lines}\n#EXT-X-ENDLIST\n'
)
DASH = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    "<AdaptationSet>{urls}</AdaptationSet></Period></MPD>"
)
SDP = (
    "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "a=control:rtsp://127.0.0.1:{port}/x\nm=audio {port} TCP/RTP/AVP 0\n"
)
IMF = (
    '<?xml version="1.0"?><AssetMap xmlns="http://www.smpte-ra.org/schemas/429-9/2007/AM">'
    "<AssetList>{urls}</AssetList></AssetMap>"
)
EXTERNAL_ENTITY = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file://{0}">]><MPD><x>&e;</x></MPD>'
)


def playlist(number: int, canary: Canary) -> bytes:
    """Each names the canary's files and its port in many ways."""
    targets = _targets(canary)
    urls = "".join(f"<BaseURL>{target}</BaseURL>" for target in targets)
    extinf = "\n".join(f"#EXTINF:10,\n{target}" for target in targets)
    lists = (
        HLS.format(targets[0], lines=extinf),
        "ffconcat version 1.0\n" + "\n".join(f"file '{target}'" for target in targets),
        DASH.format(urls=urls),
        SDP.format(port=canary.port),
        "#EXTM3U\n" + "\n".join(f"#EXT-X-STREAM-INF:BANDWIDTH=1\n{target}" for target in targets),
        IMF.format(urls=urls),
        "\n".join(
            f'FILE "{target}" WAVE\n  TRACK 01 AUDIO\n  INDEX 01 00:00:00' for target in targets
        ),
        "[playlist]\n" + "\n".join(f"File{n}={target}" for n, target in enumerate(targets)),
        EXTERNAL_ENTITY.format(canary.file),
        f"{canary.folder}/%d.wav",
        f"concat:{canary.folder}/canary.ts|{canary.folder}/canary.mp3",
        f"# VobSub index file, v7\nlangidx: 0\n{canary.file}",
    )
    return lists[number % len(lists)].encode()


def _targets(canary: Canary) -> Sequence[str]:
    here = f"{canary.folder}/canary"
    return (
        f"{here}.ts",
        f"file:{here}.mp3",
        f"file://{here}.aac",
        f"../{canary.folder.name}/canary.wav",
        f"concat:{here}.ts|{here}.ts",
        f"subfile,,start,0,end,100000,,:{here}.wav",
        f"crypto+file:{here}.ts",
        f"async:file:{here}.wav",
        f"{canary.folder}/segment.m3u8",
        f"http://127.0.0.1:{canary.port}/segment.ts",
        f"tcp://127.0.0.1:{canary.port}",
        f"rtsp://127.0.0.1:{canary.port}/x",
        f"ftp://127.0.0.1:{canary.port}/x.ts",
    )


def other_file(number: int) -> bytes:
    """What is no media, whatever its name says."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("zeros", bytes(20_000_000))
    kinds = (
        b"<!doctype html><script>alert(1)</script>" * 2000,
        archive.getvalue(),
        Path(sys.executable).read_bytes()[:300_000],
        b"%PDF-1.7\n" + bytes(range(256)) * 500,
        b"SQLite format 3\0" + bytes(50_000),
        pickle.dumps(list(range(20_000))),
        b"\x89PNG\r\n\x1a\n" + png_head(60_000, 60_000),
        b"1\n00:00:00,000 --> 00:00:01,000\nHello\n\n" * 5000,
        b"#!/bin/sh\nexit 1\n" * 3000,
    )
    return kinds[number % len(kinds)]


def box(name: bytes, *content: bytes) -> bytes:
    """Of an mp4 or mov file."""
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), name) + body


def edited(content: bytes, edits: Mapping[bytes, Callable[[bytes], bytes]]) -> bytes:
    """The boxes of an mp4 with some of them changed, at whatever depth."""
    result, place = b"", 0
    while place + 8 <= len(content):
        size, name = struct.unpack_from(">I4s", content, place)
        size = size if size >= 8 else len(content) - place
        body = content[place + 8 : place + size]
        if name in edits:
            body = edits[name](body)
        elif name in {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl"}:
            body = edited(body, edits)
        result += box(name, body)
        place += size
    return result


def reference_movie(mov: bytes, number: int, canary: Canary) -> bytes:
    """Sound that lies in another file, says the index."""
    path = str(canary.file).encode()
    alias = _alias(path)
    url = f"http://127.0.0.1:{canary.port}/x.mov".encode()
    references = (
        box(b"url ", bytes(4), b"file://" + path + b"\0"),
        box(b"alis", bytes(4), alias),
        box(b"url ", bytes(4), url + b"\0"),
    )
    if number % 4 == 3:
        address = struct.pack(">4s4sI", bytes(4), b"url ", len(url) + 1) + url + b"\0"
        movie = box(b"moov", box(b"rmra", box(b"rmda", box(b"rdrf", address))))
        return box(b"ftyp", b"qt  \0\0\2\0qt  ") + movie
    reference = struct.pack(">II", 0, 1) + references[number % 4]
    return edited(mov, {b"dref": lambda _: reference})


def _alias(path: bytes) -> bytes:
    """A Macintosh alias record with a path."""
    name = path.rsplit(b"/", 1)[-1][:63]
    head = bytes(10) + b"\x04disk".ljust(28, b"\0") + bytes(12)
    head += bytes([len(name)]) + name.ljust(63, b"\0") + bytes(16)
    head += struct.pack(">hh", 1, 1) + bytes(16)
    padded = path + b"\0" * (len(path) % 2)
    return head + struct.pack(">HH", 18, len(path)) + padded + struct.pack(">HH", 0xFFFF, 0)


def silent_flac(*, hours: int, tells: bool) -> bytes:
    """8 kHz, frames of eight seconds in 14 bytes each; its head `tells` how long it is."""
    frames = hours * 3600 * 8000 // 65535
    total = frames * 65535 if tells else 0
    info = struct.pack(">HH", 65535, 65535) + bytes(6)
    info += ((8000 << 44) | (15 << 36) | total).to_bytes(8, "big") + bytes(16)
    head = b"fLaC\x80" + len(info).to_bytes(3, "big") + info
    return head + b"".join(map(_flac_frame, range(frames)))


def _flac_frame(number: int) -> bytes:
    head = b"\xff\xf8\x74\x08" + chr(number).encode() + struct.pack(">H", 65534)
    if 0xD800 <= number <= 0xDFFF:
        raise ValueError("such numbers are no characters")
    head += _crc(head, 8, 0x07)
    frame = head + bytes(3)  # a constant, zero
    return frame + _crc(frame, 16, 0x8005)


def _crc(data: bytes, bits: int, polynomial: int) -> bytes:
    value, top, mask = 0, 1 << (bits - 1), (1 << bits) - 1
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = ((value << 1) ^ (polynomial if value & top else 0)) & mask
    return value.to_bytes(bits // 8, "big")


def absurd_duration(whole: bytes, extension: str) -> bytes:
    """A head that promises centuries."""
    if extension == "flac":
        return whole[:21] + bytes([whole[21] | 0x0F]) + b"\xff" * 4 + whole[26:]
    if extension == "mp4":
        endless = struct.pack(">II", 1, LARGEST_32)
        change = lambda body: body[:12] + endless + body[20:]  # noqa: E731
        return edited(whole, {b"mvhd": change, b"mdhd": change})
    if extension == "mkv":
        place = whole.index(b"\x44\x89\x88") + 3
        return whole[:place] + struct.pack(">d", math.inf) + whole[place + 8 :]
    place = whole.index(b"data")
    if extension == "wav":
        return whole[: place + 4] + struct.pack("<I", LARGEST_32 - 1) + whole[place + 8 :]
    place += 4 if extension == "caf" else 16
    order = ">Q" if extension == "caf" else "<Q"
    return whole[:place] + struct.pack(order, LARGEST_64 - 7) + whole[place + 8 :]


def write_absurd_times(path: Path, number: int) -> Path:
    """Packets whose times jump: by an hour each, by centuries once, or backwards."""
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        for index, packet in enumerate(_silent_packets(stream, packets=100)):
            jump_s = (index * 3600, 10**9 if index > 20 else 0, -index * 10)[number % 3]
            packet.pts = packet.dts = (packet.pts or 0) + jump_s * 16_000
            try:
                container.mux(packet)
            except (av.FFmpegError, OverflowError):  # what the muxer will not write
                break
    return path


def _silent_packets(stream: AudioStream, *, packets: int) -> Iterator[av.Packet[AudioStream]]:
    for index in range(packets):
        frame = AudioFrame("fltp", "mono", 1024)
        frame.rate, frame.pts, frame.time_base = 16_000, index * 1024, Fraction(1, 16_000)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        yield from stream.encode(frame)


def nested_boxes(number: int) -> bytes:
    """A parser that calls itself for each box inside a box runs out of stack."""
    name = (b"moov", b"trak", b"udta", b"meta")[number % 4]
    depth = 30_000
    boxes = (struct.pack(">I4s", 8 * (depth - level), name) for level in range(depth))
    return box(b"ftyp", b"isom\0\0\2\0isom") + b"".join(boxes)


def boundless_table(whole: bytes, number: int) -> bytes:
    """A table of the index says that it has four thousand million rows."""
    name = (b"stsz", b"stco", b"stts", b"stsc")[number % 4]
    place = 4 if name != b"stsz" else 8

    def change(body: bytes) -> bytes:
        count = (LARGEST_32, 0x3FFF_FFFF)[number % 2]
        return body[:place] + struct.pack(">I", count) + body[place + 4 :]

    return edited(whole, {name: change})


def endless_elements(extension: str, whole: bytes) -> bytes:
    """Elements without a size, or with one that leads back, a hundred thousand times."""
    elements = {
        "mkv": b"\x1f\x43\xb6\x75\x01" + b"\xff" * 7,  # a cluster of unknown size
        "wma": bytes(24),  # an object of no size
        "caf": b"free" + struct.pack(">q", -12),
        "avi": b"LIST" + struct.pack("<I", 4) + b"rec ",
        "aiff": b"ANNO" + struct.pack(">I", 0),
        "w64": bytes(24),
    }
    return whole[: len(whole) // 2] + elements[extension] * 100_000


def strange_wav(number: int) -> bytes:
    """Formats that nobody records in: tag, channels, rate, bytes of a block, bits."""
    formats = (
        (1, 65535, 48_000, 65535, 16),
        (1, 1, LARGEST_32, 2, 16),
        (1, 1, 1, 2, 16),
        (1, 0, 16_000, 2, 16),
        (1, 2, 16_000, 0, 0),
        (1, 1, 16_000, 65535, 64),
        (0xFFFE, 8, 384_000, 32, 32),
        (0x0055, 2, 44_100, 1, 0),
        (0x0011, 2, 44_100, 65535, 4),
        (0x0161, 2, 44_100, 1, 16),
        (0x2001, 6, 48_000, 1, 16),
    )
    tag, channels, rate_hz, block_bytes, bits = formats[number % len(formats)]
    about = struct.pack(
        "<HHIIHH", tag, channels, rate_hz, rate_hz * block_bytes & LARGEST_32, block_bytes, bits
    )
    return _wav(about, random.Random(number).randbytes(4_000_000))


def not_a_number(number: int) -> bytes:
    """Samples that are NaN, infinite or far beyond what is loud."""
    values = np.tile(np.array([math.nan, math.inf, -math.inf, 1e38], "<f4"), 100_000)
    about = struct.pack("<HHIIHH", 3, 1, 48_000, 192_000, 4, 32)
    return _wav(about, np.roll(values, number).tobytes())


def _wav(about: bytes, data: bytes) -> bytes:
    body = b"WAVEfmt " + struct.pack("<I", len(about)) + about
    body += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def changing_format(path: Path) -> bytes:
    """Pieces of sound of different rates and channels, one after the other."""
    pieces = [
        media.encode(path, rate_hz=rate_hz, layout=layout).read_bytes()
        for rate_hz, layout in ((8_000, "mono"), (48_000, "stereo"), (44_100, "5.1"))
    ]
    return b"".join(pieces) * 10
