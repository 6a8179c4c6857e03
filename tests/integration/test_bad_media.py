"""Files that are no audio, damaged or hostile end in a clear error, and leave nothing."""

from __future__ import annotations

import io
import random
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import media
from voice_transcriber.audio.decode import Decoder
from voice_transcriber.errors import (
    DamagedMedia,
    EmptyFile,
    MediaError,
    NoAudioTrack,
    NotMedia,
)
from voice_transcriber.processes.spawn import Spawner

RATE = 16_000
FOREVER = 10**12

HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{canary}\n#EXT-X-ENDLIST\n"
FFCONCAT = "ffconcat version 1.0\nfile '{canary}'\n"
DASH = (
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet '
    'mimeType="audio/mp4"><Representation id="1"><BaseURL>{canary}</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>"
)
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    spawner = Spawner()
    yield Decoder(spawner, max_duration_s=3600)
    spawner.stop()


def assert_refused(decoder: Decoder, path: Path, error: type[Exception]) -> None:
    folder = path.with_name("decoded")
    with pytest.raises(error) as raised:
        decoder.start(path, folder).wait(FOREVER, timeout_s=60)
    assert raised.type is error
    assert not list(folder.iterdir())


def zip_file() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("noise", random.Random(1).randbytes(200_000))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.mp3", b"This is a text, whatever its name says.\n" * 1000),
        ("page.wav", b"<!doctype html><title>Not found</title>" * 100),
        ("archive.mp3", zip_file()),
        ("program.ogg", Path(sys.executable).read_bytes()[:300_000]),
        ("zeros.mp4", bytes(100_000)),
        ("one.flac", b"f"),
    ],
)
def test_what_is_not_media_is_refused_whatever_its_name(
    name: str, content: bytes, decoder: Decoder, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(NotMedia):
        decoder.probe(path)
    assert_refused(decoder, path, NotMedia)


@pytest.mark.parametrize("playlist", [HLS, FFCONCAT, DASH, SDP])
@pytest.mark.parametrize("extension", ["mp3", "m3u8"])
def test_a_playlist_never_reads_the_file_that_it_names(
    playlist: str, extension: str, decoder: Decoder, tmp_path: Path
) -> None:
    canary = tmp_path / "canary.wav"  # speech: were it opened, decoding would succeed
    canary.write_bytes(media.SPEECH.read_bytes())
    path = tmp_path / f"list.{extension}"
    for named in ("canary.wav", str(canary), f"file:{canary}"):
        path.write_text(playlist.format(canary=named))
        assert_refused(decoder, path, NotMedia)


def test_an_empty_file_is_called_empty(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    path.touch()
    with pytest.raises(EmptyFile):
        decoder.probe(path)
    assert_refused(decoder, path, EmptyFile)


@pytest.mark.parametrize("extension", ["mp4", "mkv", "webm"])
def test_a_video_without_sound_is_called_so(
    extension: str, decoder: Decoder, tmp_path: Path
) -> None:
    path = media.write_video_without_sound(tmp_path / f"mute.{extension}")
    with pytest.raises(NoAudioTrack):
        decoder.probe(path)
    assert_refused(decoder, path, NoAudioTrack)


def test_an_mp4_that_was_cut_off_before_its_index_is_called_damaged(
    decoder: Decoder, tmp_path: Path
) -> None:
    path = media.encode(tmp_path / "cut.mp4", with_video=True)
    path.write_bytes(path.read_bytes()[:-20_000])
    with pytest.raises(DamagedMedia):
        decoder.probe(path)
    assert_refused(decoder, path, DamagedMedia)


@pytest.mark.parametrize("extension", ["wav", "flac", "ogg", "webm", "mp3", "aiff"])
def test_a_header_without_sound_is_called_damaged(
    extension: str, decoder: Decoder, tmp_path: Path
) -> None:
    path = media.encode(tmp_path / f"head.{extension}", layout="stereo")
    path.write_bytes(path.read_bytes()[:40])
    assert_refused(decoder, path, DamagedMedia)


@pytest.mark.parametrize("extension", ["wav", "mp3", "flac", "ogg", "webm", "mkv", "ts", "aac"])
def test_a_file_that_was_cut_off_is_decoded_as_far_as_it_goes(
    extension: str, decoder: Decoder, tmp_path: Path
) -> None:
    path = media.encode(tmp_path / f"cut.{extension}", layout="stereo")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    decoding = decoder.start(path, tmp_path / "job")
    assert decoding.wait(FOREVER, timeout_s=60)
    assert 1.5 * RATE < decoding.samples < 4 * RATE


# Not mp3 and aac: their frames carry no time.
@pytest.mark.parametrize("extension", ["flac", "webm", "ts", "m4a", "ogg", "mkv"])
def test_broken_packets_in_the_middle_do_not_move_what_follows(
    extension: str, decoder: Decoder, tmp_path: Path
) -> None:
    path = media.encode(tmp_path / f"scratched.{extension}", layout="stereo")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2_000] = random.Random(2).randbytes(2_000)
    path.write_bytes(content)
    decoding = decoder.start(path, tmp_path / "job")
    assert decoding.wait(FOREVER, timeout_s=60)
    assert decoding.samples == pytest.approx(90_208, abs=0.2 * RATE)


@pytest.mark.parametrize("extension", ["mp3", "m4a", "webm", "flac", "caf", "avi", "wma"])
def test_flipped_bits_end_in_sound_or_in_a_media_error(
    extension: str, decoder: Decoder, tmp_path: Path
) -> None:
    chance = random.Random(extension)
    whole = media.encode(tmp_path / f"whole.{extension}").read_bytes()
    for number in range(4):
        content = bytearray(whole)
        for place in chance.sample(range(600), 20):
            content[place] ^= 1 << chance.randrange(8)
        path = tmp_path / f"{number}.{extension}"
        path.write_bytes(content)
        decoding = decoder.start(path, tmp_path / f"job{number}")
        try:
            assert decoding.wait(FOREVER, timeout_s=60)
        except MediaError:
            assert not decoding.pcm.exists()


def test_names_that_look_like_options_or_protocols_are_only_names(
    decoder: Decoder, tmp_path: Path
) -> None:
    for name in ("-i", "concat:a|b", "http:x.mp3", "ünïcode \n.wav", "%d.wav"):
        path = tmp_path / name
        path.write_bytes(media.SPEECH.read_bytes())
        assert decoder.probe(path).duration_s == pytest.approx(5.638)
