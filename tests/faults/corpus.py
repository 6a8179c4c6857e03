"""Hostile media, made at test time: what is damaged, what lies, what points elsewhere, what swells.

`write` gives as many files as are asked for, each kind in turn; a seed makes the same files again.
None of them is stored in the repository.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests import media
from tests.faults import crafted, swollen
from tests.faults.canary import Canary

EXTENSIONS = tuple(media.CODECS)


@dataclass(frozen=True)
class Hostile:
    """One file, and which kind of trap it is."""

    path: Path
    kind: str


class Bench:
    """What the makers of files work with."""

    def __init__(self, folder: Path, canary: Canary, seed: int) -> None:
        self.folder = folder
        self.canary = canary
        self.chance = random.Random(seed)

    @cached_property
    def whole(self) -> Mapping[str, bytes]:
        """A sound recording of each format, by extension."""
        folder = self.folder / "whole"
        folder.mkdir()
        return {
            extension: media.encode(
                folder / f"speech.{extension}",
                layout="stereo" if extension == "ogg" else "mono",
                with_video=extension in {"mp4", "mov"},
            ).read_bytes()
            for extension in EXTENSIONS
        }

    def some(self, number: int) -> tuple[str, bytes]:
        """Extension and content of a sound recording; another one for each number."""
        extension = EXTENSIONS[number % len(EXTENSIONS)]
        return extension, self.whole[extension]

    def scratch(self, extension: str) -> Path:
        """Where a maker may write a file with PyAV."""
        return self.folder / f"scratch.{extension}"


Maker = Callable[[Bench, int], tuple[str, bytes]]  # the number of the variant -> extension, content


def truncated(bench: Bench, number: int) -> tuple[str, bytes]:
    extension, whole = bench.some(5 * number)
    return extension, whole[: len(whole) * (1 + number % 9) // 10]


def head_only(bench: Bench, number: int) -> tuple[str, bytes]:
    extension, whole = bench.some(3 * number)
    return extension, whole[: (12, 40, 200, 1000)[number % 4]]


def without_head(bench: Bench, number: int) -> tuple[str, bytes]:
    extension, whole = bench.some(7 * number + 2)
    return extension, whole[(16, 200, 5000)[number % 3] :]


def flipped_bits(bench: Bench, number: int) -> tuple[str, bytes]:
    extension, whole = bench.some(number)
    content = bytearray(whole)
    for place in bench.chance.sample(range(len(content)), len(content) // 200):
        content[place] ^= 1 << bench.chance.randrange(8)
    return extension, bytes(content)


def flipped_head(bench: Bench, number: int) -> tuple[str, bytes]:
    extension, whole = bench.some(11 * number + 1)
    content = bytearray(whole)
    for place in bench.chance.sample(range(4, min(800, len(content))), 30):
        content[place] = bench.chance.choice((0, 0x7F, 0x80, 0xFF))
    return extension, bytes(content)


def shuffled(bench: Bench, number: int) -> tuple[str, bytes]:
    extension, whole = bench.some(2 * number + 3)
    blocks = [whole[start : start + 4096] for start in range(4096, len(whole), 4096)]
    bench.chance.shuffle(blocks)
    return extension, whole[:4096] + b"".join(blocks)


def scratched(bench: Bench, number: int) -> tuple[str, bytes]:
    extension, whole = bench.some(number + 6)
    third = len(whole) // 3
    return extension, whole[:third] + bench.chance.randbytes(third) + whole[2 * third :]


def doubled(bench: Bench, number: int) -> tuple[str, bytes]:
    """Files glued together: of one format, and of several."""
    extension, first = bench.some(number)
    _, second = bench.some(number + (number % 3))
    return extension, (first + second) * 5


def noise(bench: Bench, number: int) -> tuple[str, bytes]:
    heads = (
        b"",
        b"ID3\x04\0\0",
        b"OggS",
        b"fLaC",
        b"\x1a\x45\xdf\xa3",
        b"RIFF\xff\xff\xff\xffWAVE",
    )
    extension = EXTENSIONS[number % len(EXTENSIONS)]
    return extension, heads[number % len(heads)] + bench.chance.randbytes(2_000_000)


def constant(bench: Bench, number: int) -> tuple[str, bytes]:
    byte = (0, 0xFF, 0x47, 0x80, 0x0B, 0x55)[number % 6]
    return EXTENSIONS[number % len(EXTENSIONS)], bytes([byte]) * 3_000_000


def empty(bench: Bench, number: int) -> tuple[str, bytes]:
    return bench.some(number)[0], bytes(number % 2)


def other_files(bench: Bench, number: int) -> tuple[str, bytes]:
    return "mp3", crafted.other_file(number)


def playlist(bench: Bench, number: int) -> tuple[str, bytes]:
    extension = ("mp3", "m3u8", "wav", "mpd", "sdp", "ffconcat", "cue", "pls")[number % 8]
    return extension, crafted.playlist(number, bench.canary)


def reference_movie(bench: Bench, number: int) -> tuple[str, bytes]:
    return "mov", crafted.reference_movie(bench.whole["mov"], number, bench.canary)


def hours_of_silence(bench: Bench, number: int) -> tuple[str, bytes]:
    hours = (0.9, 10, 30)[number % 3]
    path = media.write_silence_opus(bench.scratch("opus"), seconds=int(hours * 3600))
    return "opus", path.read_bytes()


def silent_flac(bench: Bench, number: int) -> tuple[str, bytes]:
    return "flac", crafted.silent_flac(hours=(2, 20)[number % 2], tells=number % 3 != 2)


def absurd_duration(bench: Bench, number: int) -> tuple[str, bytes]:
    extension = ("flac", "wav", "mp4", "mkv", "w64", "caf")[number % 6]
    return extension, crafted.absurd_duration(bench.whole[extension], extension)


def absurd_times(bench: Bench, number: int) -> tuple[str, bytes]:
    extension = ("mkv", "ts", "mp4")[number % 3]
    path = crafted.write_absurd_times(bench.scratch(extension), number)
    return extension, path.read_bytes()


def many_tracks(bench: Bench, number: int) -> tuple[str, bytes]:
    extension = ("mkv", "ts", "mp4")[number % 3]
    path = swollen.write_many_tracks(bench.scratch(extension), (900, 200)[number % 2])
    return extension, path.read_bytes()


def chained_ogg(bench: Bench, number: int) -> tuple[str, bytes]:
    """Thousands of logical streams, one after the other or all at once."""
    return "ogg", swollen.many_ogg_streams(bench.whole["opus"], number)


def silent_tracks(bench: Bench, number: int) -> tuple[str, bytes]:
    """Tracks that are announced and never come."""
    extension = ("mkv", "mp4", "webm", "avi")[number % 4]
    return extension, swollen.write_empty_track(bench.scratch(extension)).read_bytes()


def attachments(bench: Bench, number: int) -> tuple[str, bytes]:
    return "mkv", swollen.matroska_attachments((20_000, 100_000)[number % 2])


def cover_bomb(bench: Bench, number: int) -> tuple[str, bytes]:
    return "mp3", swollen.cover_bomb(bench.whole["mp3"], number)


def giant_tags(bench: Bench, number: int) -> tuple[str, bytes]:
    extension = ("mp3", "flac", "ogg")[number % 3]
    return extension, swollen.giant_tags(bench.whole[extension], extension)


def tiny_packets(bench: Bench, number: int) -> tuple[str, bytes]:
    extension = ("aac", "mkv", "mp3", "ogg")[number % 4]
    return extension, swollen.tiny_packets(extension, bench.whole)


def strange_wav(bench: Bench, number: int) -> tuple[str, bytes]:
    return "wav", crafted.strange_wav(number)


def many_channels(bench: Bench, number: int) -> tuple[str, bytes]:
    layout, rate_hz = (("7.1", 384_000), ("7.1.4", 192_000), ("hexadecagonal", 96_000))[number % 3]
    path = media.write_tone(bench.scratch("wav"), seconds=20, rate_hz=rate_hz, layout=layout)
    return "wav", path.read_bytes()


def not_a_number(bench: Bench, number: int) -> tuple[str, bytes]:
    return "wav", crafted.not_a_number(number)


def nested_boxes(bench: Bench, number: int) -> tuple[str, bytes]:
    return "mp4", crafted.nested_boxes(number)


def boundless_tables(bench: Bench, number: int) -> tuple[str, bytes]:
    return "mp4", crafted.boundless_table(bench.whole["mp4"], number)


def endless_elements(bench: Bench, number: int) -> tuple[str, bytes]:
    extension = ("mkv", "wma", "caf", "avi", "aiff", "w64")[number % 6]
    return extension, crafted.endless_elements(extension, bench.whole[extension])


def lying_numbers(bench: Bench, number: int) -> tuple[str, bytes]:
    """Lengths inside the head become the largest and the smallest that fit."""
    extension, whole = bench.some(number + 9)
    content = bytearray(whole)
    for _ in range(8):
        place = bench.chance.randrange(4, min(400, len(content) - 4))
        value = bench.chance.choice((0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF))
        content[place : place + 4] = value.to_bytes(4, "big")
    return extension, bytes(content)


def pictures_only(bench: Bench, number: int) -> tuple[str, bytes]:
    extension = ("mp4", "mkv", "webm", "mov")[number % 4]
    return extension, media.write_video_without_sound(bench.scratch(extension)).read_bytes()


def changing_format(bench: Bench, number: int) -> tuple[str, bytes]:
    """Sound whose rate and channels change in the middle, again and again."""
    return "aac", crafted.changing_format(bench.scratch("aac"))


def polyglot(bench: Bench, number: int) -> tuple[str, bytes]:
    """Two files in one: a page or an archive around a recording."""
    extension, whole = bench.some(number + 4)
    around = crafted.other_file(number)
    return extension, (whole + around) if number % 2 else (around + whole)


KINDS: tuple[Maker, ...] = (
    empty,
    head_only,
    truncated,
    without_head,
    flipped_bits,
    flipped_head,
    lying_numbers,
    shuffled,
    scratched,
    doubled,
    noise,
    constant,
    other_files,
    polyglot,
    playlist,
    reference_movie,
    hours_of_silence,
    silent_flac,
    absurd_duration,
    absurd_times,
    many_tracks,
    chained_ogg,
    silent_tracks,
    attachments,
    cover_bomb,
    giant_tags,
    tiny_packets,
    strange_wav,
    many_channels,
    not_a_number,
    nested_boxes,
    boundless_tables,
    endless_elements,
    pictures_only,
    changing_format,
)


def write(folder: Path, *, files: int, seed: int, canary: Canary) -> Iterator[Hostile]:
    """Make so many files in `folder`, one at a time."""
    bench = Bench(folder, canary, seed)
    for index in range(files):
        maker = KINDS[index % len(KINDS)]
        extension, content = maker(bench, index // len(KINDS))
        path = folder / f"{index:03d}-{maker.__name__}.{extension}"
        path.write_bytes(content)
        yield Hostile(path, maker.__name__)
