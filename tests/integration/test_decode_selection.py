"""A part of a recording, or another of its sound tracks: the same samples as in the whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests import media
from tests.recordings import AUDIO
from voice_transcriber.audio.decode import Decoder, Decoding
from voice_transcriber.audio.selection import Selection
from voice_transcriber.errors import InvalidRequest, NoAudioTrack, TooLong
from voice_transcriber.job import SAMPLE_RATE
from voice_transcriber.processes.spawn import Spawner

Samples = npt.NDArray[np.float64]

FOREVER = 10**12  # samples that no file has: wait for the end
SOURCE = AUDIO / "en_30s.flac"
PART = Selection(from_s=12.3, to_s=17.8)


@pytest.fixture(scope="module")
def spawner() -> Iterator[Spawner]:
    spawner = Spawner()
    yield spawner
    spawner.stop()


@pytest.fixture
def decoder(spawner: Spawner) -> Decoder:
    return Decoder(spawner, max_duration_s=3600)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Decoded audio lies beside the recording."""
    return Path(shutil.copy(SOURCE, tmp_path))


def decoded(decoder: Decoder, path: Path, selection: Selection) -> Decoding:
    folder = path.with_name(f"{path.name}.{hash(selection)}")
    decoding = decoder.start(path, folder, selection)
    assert decoding.wait(FOREVER, timeout_s=60)
    return decoding


def samples(decoder: Decoder, path: Path, selection: Selection) -> Samples:
    decoding = decoded(decoder, path, selection)
    found = np.fromfile(decoding.pcm, "<i2").astype(np.float64)
    assert decoding.samples == len(found)
    return found


def place_of(selection: Selection) -> slice:
    return slice(selection.start_sample, selection.end_sample)


@pytest.mark.parametrize("extension", media.CODECS)
def test_a_part_is_what_the_whole_has_there(
    extension: str, decoder: Decoder, tmp_path: Path
) -> None:
    layout = "stereo" if extension == "ogg" else "mono"
    path = media.encode(tmp_path / f"talk.{extension}", SOURCE, layout=layout)
    whole, part = (samples(decoder, path, one) for one in (Selection(), PART))
    assert len(part) == PART.end_sample
    assert not part[: PART.start_sample].any()
    expected, found = whole[place_of(PART)], part[place_of(PART)]
    lags = range(-32, 33)  # 2 ms: some containers count in milliseconds
    inner = slice(32, -32)
    errors = [np.abs(np.roll(found, lag)[inner] - expected[inner]).mean() for lag in lags]
    assert min(errors) < 0.25 * np.abs(expected).mean()


def test_16_khz_mono_is_the_same_to_the_sample(decoder: Decoder, talk: Path) -> None:
    whole, part = (samples(decoder, talk, one) for one in (Selection(), PART))
    assert np.array_equal(part[place_of(PART)], whole[place_of(PART)])


def test_without_an_end_it_goes_to_the_end(decoder: Decoder, talk: Path) -> None:
    whole = samples(decoder, talk, Selection())
    part = samples(decoder, talk, Selection(from_s=25.0))
    assert np.array_equal(part[25 * SAMPLE_RATE :], whole[25 * SAMPLE_RATE :])


def test_an_end_beyond_the_recording_is_its_end(decoder: Decoder, talk: Path) -> None:
    whole, part = (samples(decoder, talk, one) for one in (Selection(), Selection(to_s=99.0)))
    assert np.array_equal(part, whole)


def test_what_lies_before_the_part_takes_no_room(decoder: Decoder, talk: Path) -> None:
    decoding = decoded(decoder, talk, Selection(from_s=29.0))
    taken_bytes = decoding.pcm.stat().st_blocks * 512
    assert taken_bytes < decoding.pcm.stat().st_size / 2


@pytest.mark.parametrize("extension", ["flac", "aac"])
def test_a_part_after_the_end_is_refused(extension: str, decoder: Decoder, tmp_path: Path) -> None:
    """The header of an aac file does not say how long it is."""
    path = media.encode(tmp_path / f"short.{extension}")
    decoding = decoder.start(path, tmp_path / "job", Selection(from_s=60.0))
    with pytest.raises(InvalidRequest, match="from 60 s on"):
        decoding.wait(FOREVER, timeout_s=60)
    assert not list((tmp_path / "job").iterdir())


def test_the_longest_duration_holds_for_the_part(spawner: Spawner, talk: Path) -> None:
    strict = Decoder(spawner, max_duration_s=6)
    assert strict.probe(talk, PART).duration_s == pytest.approx(30.5, abs=0.1)
    assert decoded(strict, talk, PART).finished
    with pytest.raises(TooLong, match="6 seconds"):
        strict.probe(talk, Selection(from_s=12.3))
    with pytest.raises(TooLong):
        strict.probe(talk, Selection(to_s=7.0))


def test_the_sound_track_is_chosen_by_its_number(decoder: Decoder, tmp_path: Path) -> None:
    tracks = (AUDIO / "en_5s.wav", AUDIO / "de_1min.flac")
    path = media.write_tracks(tmp_path / "film.mkv", *tracks)
    lengths_s = [
        decoded(decoder, path, Selection(track=track)).samples / SAMPLE_RATE
        for track in (None, 0, 1)
    ]
    assert lengths_s == pytest.approx([5.6, 5.6, 59.3], abs=0.1)


@pytest.mark.parametrize(
    ("tracks", "told"),
    [(1, "one sound track; there is no number 7"), (2, "2 sound tracks; there is no number 7")],
)
def test_an_unknown_track_is_refused_with_how_many_there_are(
    tracks: int, told: str, decoder: Decoder, tmp_path: Path
) -> None:
    path = media.write_tracks(tmp_path / "film.mkv", *[AUDIO / "en_5s.wav"] * tracks)
    with pytest.raises(NoAudioTrack, match=told) as refused:
        decoder.probe(path, Selection(track=7))
    assert "0" in refused.value.remedy


def test_a_file_without_any_track_has_no_number_either(decoder: Decoder, tmp_path: Path) -> None:
    path = media.write_video_without_sound(tmp_path / "silent.mp4")
    with pytest.raises(NoAudioTrack):
        decoder.probe(path, Selection(track=0))
