"""Sound of every kind becomes the same 16 kHz mono samples, in a child process."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from tests import media
from voice_transcriber.audio.decode import Decoder, Decoding
from voice_transcriber.errors import DecoderCrashed, InternalError, MediaTooCostly, TooLong
from voice_transcriber.processes.spawn import Spawner

Samples = npt.NDArray[np.float64]

RATE = 16_000
SPEECH_SAMPLES = 90_208  # of tests/data/audio/en_5s.wav
FOREVER = 10**12  # samples that no file has: wait for the end


@pytest.fixture(scope="module")
def spawner() -> Iterator[Spawner]:
    spawner = Spawner()
    yield spawner
    spawner.stop()


@pytest.fixture
def decoder(spawner: Spawner) -> Decoder:
    return Decoder(spawner, max_duration_s=24 * 3600)


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A pipe in which nothing ever comes: its decoder child waits for ever."""
    path = tmp_path / "endless"
    os.mkfifo(path)
    return path


def decoded(decoder: Decoder, path: Path) -> Samples:
    decoding = decoder.start(path, path.with_name(f"{path.name}.decoded"))
    assert decoding.wait(FOREVER, timeout_s=60)
    samples = np.fromfile(decoding.pcm, "<i2").astype(np.float64)
    assert decoding.finished
    assert decoding.samples == len(samples)
    return samples


def speech() -> Samples:
    return np.frombuffer(media.SPEECH.read_bytes()[44:], "<i2").astype(np.float64)


def likeness_and_lag_s(sound: Samples, reference: Samples) -> tuple[float, float]:
    """How alike two sounds are (1 = the same) and how much later `sound` comes."""
    size = 2 ** int(np.ceil(np.log2(len(sound) + len(reference))))
    product = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(reference, size)))
    lag = int(np.argmax(product))
    likeness = product[lag] / (np.linalg.norm(sound) * np.linalg.norm(reference))
    return likeness, (lag if lag < size // 2 else lag - size) / RATE


@pytest.mark.parametrize("extension", media.CODECS)
def test_every_container_gives_the_same_speech_at_the_same_time(
    extension: str, decoder: Decoder, tmp_path: Path
) -> None:
    layout = "stereo" if extension == "ogg" else "mono"
    path = media.encode(tmp_path / f"speech.{extension}", layout=layout)
    likeness, lag_s = likeness_and_lag_s(decoded(decoder, path), speech())
    assert likeness > 0.9
    assert abs(lag_s) < 0.05


def test_16_khz_mono_passes_unchanged(decoder: Decoder, tmp_path: Path) -> None:
    path = tmp_path / "speech.wav"
    path.write_bytes(media.SPEECH.read_bytes())
    assert np.array_equal(decoded(decoder, path), speech())


@pytest.mark.parametrize("extension", ["mp4", "mov", "mkv", "webm"])
def test_the_sound_of_a_video_keeps_its_place(
    extension: str, decoder: Decoder, tmp_path: Path
) -> None:
    path = media.encode(tmp_path / f"late.{extension}", with_video=True, audio_start_s=2.0)
    sound = decoded(decoder, path)
    likeness, lag_s = likeness_and_lag_s(sound, speech())
    assert likeness > 0.9
    assert lag_s == pytest.approx(2.0, abs=0.05)
    assert not sound[: int(1.9 * RATE)].any()


@pytest.mark.parametrize("extension", ["mp4", "mkv", "webm", "ts"])
def test_a_hole_in_the_sound_becomes_silence(
    extension: str, decoder: Decoder, tmp_path: Path
) -> None:
    sound = decoded(decoder, media.encode(tmp_path / f"hole.{extension}", hole_s=3.0))
    start = (media.HOLE_AT_S + 1) * RATE
    assert len(sound) == pytest.approx(SPEECH_SAMPLES + 3 * RATE, abs=0.05 * RATE)
    assert not sound[start : start + RATE].any()


@pytest.mark.parametrize(
    ("rate_hz", "layout"),
    [(8_000, "mono"), (96_000, "stereo"), (48_000, "7.1"), (384_000, "7.1")],
)
def test_any_rate_and_number_of_channels_becomes_16_khz_mono(
    rate_hz: int, layout: str, decoder: Decoder, tmp_path: Path
) -> None:
    path = media.write_tone(tmp_path / "tone.wav", seconds=2, rate_hz=rate_hz, layout=layout)
    sound = decoded(decoder, path)
    spectrum = np.abs(np.fft.rfft(sound))
    assert len(sound) == 2 * RATE
    assert np.argmax(spectrum) * RATE / len(sound) == pytest.approx(440, abs=1)


def test_the_probe_tells_what_the_header_says(decoder: Decoder, tmp_path: Path) -> None:
    path = media.encode(tmp_path / "talk.mp4", with_video=True, layout="stereo")
    probe = decoder.probe(path)
    assert probe.duration_s == pytest.approx(8.0)
    assert (probe.codec, probe.sample_rate_hz, probe.channels) == ("aac", 48_000, 2)
    assert "mp4" in probe.container
    assert probe.has_video


def test_a_cover_picture_is_not_a_video(decoder: Decoder, tmp_path: Path) -> None:
    path = media.write_mp3_with_cover(tmp_path / "song.mp3")
    assert not decoder.probe(path).has_video
    assert len(decoded(decoder, path)) == pytest.approx(SPEECH_SAMPLES, abs=0.05 * RATE)


def test_a_whole_decode_is_used_again_without_the_media(decoder: Decoder, tmp_path: Path) -> None:
    path = media.encode(tmp_path / "speech.flac")
    first = decoder.start(path, tmp_path / "job")
    assert first.wait(FOREVER, timeout_s=60)
    path.unlink()
    again = decoder.start(path, tmp_path / "job")
    assert again.finished
    assert (again.samples, again.probe, again.pid) == (first.samples, first.probe, None)


def test_an_incomplete_decode_is_begun_anew(decoder: Decoder, tmp_path: Path) -> None:
    path = media.encode(tmp_path / "speech.flac")
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "audio.pcm").write_bytes(b"\x01\x02" * 200_000)
    decoding = decoder.start(path, folder)
    assert decoding.wait(FOREVER, timeout_s=60)
    assert decoding.pcm.stat().st_size == 2 * decoding.samples == 2 * SPEECH_SAMPLES
    assert json.loads((folder / "audio.json").read_bytes())["samples"] == SPEECH_SAMPLES


def test_prepared_audio_is_private(decoder: Decoder, tmp_path: Path) -> None:
    folder = tmp_path / "job"
    assert decoder.start(media.SPEECH, folder).wait(FOREVER, timeout_s=60)
    modes = {path.name: path.stat().st_mode & 0o777 for path in [folder, *folder.iterdir()]}
    assert modes == {"job": 0o700, "audio.pcm": 0o600, "audio.json": 0o600}


def test_an_hour_of_silence_in_a_tiny_file_takes_little_memory(
    decoder: Decoder, tmp_path: Path
) -> None:
    path = media.write_silence_opus(tmp_path / "silence.opus", seconds=3600)
    assert path.stat().st_size < 300_000
    decoding = decoder.start(path, tmp_path / "job")
    peak_bytes = peak_memory_bytes(decoding)
    assert decoding.samples == pytest.approx(3600 * RATE, abs=RATE)
    assert 0 < peak_bytes < 150_000_000


def peak_memory_bytes(decoding: Decoding) -> int:
    peak = 0
    while not decoding.wait(FOREVER, timeout_s=0.02):
        with contextlib.suppress(psutil.NoSuchProcess):
            peak = max(peak, psutil.Process(decoding.pid or 0).memory_info().rss)
    return peak


def test_a_recording_that_says_it_is_too_long_is_refused(spawner: Spawner, tmp_path: Path) -> None:
    strict = Decoder(spawner, max_duration_s=5)
    with pytest.raises(TooLong, match="5 seconds"):
        strict.probe(media.SPEECH)
    with pytest.raises(TooLong):
        strict.start(media.SPEECH, tmp_path / "job").wait(FOREVER, timeout_s=60)


def test_a_recording_that_is_longer_than_it_says_is_refused(
    spawner: Spawner, tmp_path: Path
) -> None:
    path = media.encode(tmp_path / "liar.flac")
    content = bytearray(path.read_bytes())
    content[21:26] = bytes([content[21] & 0xF0, 0, 0, 0xBB, 0x80])  # 48,000 samples: one second
    path.write_bytes(content)
    strict = Decoder(spawner, max_duration_s=5)
    assert strict.probe(path).duration_s == pytest.approx(1.0)
    with pytest.raises(TooLong):
        strict.start(path, tmp_path / "job").wait(FOREVER, timeout_s=60)
    assert not list((tmp_path / "job").iterdir())


def test_waiting_for_samples_that_have_not_come_ends_with_false(
    decoder: Decoder, endless: Path, tmp_path: Path
) -> None:
    decoding = decoder.start(endless, tmp_path / "job")
    assert not decoding.wait(1, timeout_s=0.05)
    decoding.stop()


def test_stop_ends_the_child_and_leaves_nothing(
    decoder: Decoder, endless: Path, tmp_path: Path
) -> None:
    decoding = decoder.start(endless, tmp_path / "job")
    pid = decoding.pid
    assert pid is not None
    decoding.stop()
    decoding.stop()
    assert not psutil.pid_exists(pid)
    assert decoding.pid is None
    assert not list((tmp_path / "job").iterdir())
    with pytest.raises(InternalError, match="stopped"):
        decoding.wait(1, timeout_s=1)


def test_a_child_that_hangs_is_ended_and_the_third_time_it_is_the_file_s_fault(
    spawner: Spawner, endless: Path, tmp_path: Path
) -> None:
    impatient = Decoder(spawner, max_duration_s=60, silence_s=0.5)
    with pytest.raises(DecoderCrashed, match="no progress"):
        impatient.probe(endless)
    for kind in (DecoderCrashed, DecoderCrashed, MediaTooCostly):
        with pytest.raises(kind, match="no progress"):
            impatient.start(endless, tmp_path / "job").wait(1, timeout_s=60)
