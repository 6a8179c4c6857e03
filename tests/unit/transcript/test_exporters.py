"""Every format against its golden file, and opened again by a parser."""

import json
import math
from pathlib import Path

import pysubs2
import pytest

from voice_transcriber.errors import UnknownFormat
from voice_transcriber.transcript.exporters import FORMATS, render
from voice_transcriber.transcript.model import Segment, Transcript, Word

GOLDEN = Path(__file__).parents[2] / "data" / "golden"

SEGMENTS = (
    Segment(
        start_ms=0,
        end_ms=1_480,
        text=" Good morning.",
        tokens=(50364, 2205, 2446, 13, 50438),
        avg_logprob=-0.25,
        compression_ratio=1.1,
        no_speech_prob=0.01,
        words=(
            Word(start_ms=0, end_ms=600, text=" Good", probability=0.9),
            Word(start_ms=600, end_ms=1_480, text=" morning.", probability=0.8),
        ),
    ),
    Segment(start_ms=1_480, end_ms=1_500, text="   "),
    Segment(start_ms=3_599_999, end_ms=3_661_001, text=" Größe <i>¡Olé!</i> 日本語"),
    Segment(
        start_ms=36_000_000, end_ms=36_000_500, text=" a --> b ---> c\n\nd\x00\x1b[0m</script>"
    ),
)


def transcript(*segments: Segment) -> Transcript:
    return Transcript(
        language="en",
        language_probability=0.98,
        duration_ms=36_001_000,
        model="base",
        task="transcribe",
        segments=segments,
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_renders_as_its_golden_file(name: str) -> None:
    expected = (GOLDEN / f"transcript.{name}").read_bytes()
    assert render(transcript(*SEGMENTS), name).body == expected


def test_srt_opens_again_with_the_same_times_and_text() -> None:
    body = render(transcript(*SEGMENTS), "srt").body.decode()
    cues = pysubs2.SSAFile.from_string(body, format_="srt")
    assert [(cue.start, cue.end, cue.plaintext) for cue in cues] == [
        (0, 1_480, "Good morning."),
        (3_599_999, 3_661_001, "Größe ‹i›¡Olé!‹/i› 日本語"),
        (36_000_000, 36_000_500, "a -> b -> c\nd[0m‹/script›"),
    ]


def test_srt_never_ends_before_it_starts() -> None:
    body = render(transcript(Segment(start_ms=900, end_ms=100, text=" Hm.")), "srt").body
    assert b"00:00:00,900 --> 00:00:00,900" in body


def test_json_is_the_record_with_its_text() -> None:
    record = json.loads(render(transcript(*SEGMENTS), "json").body)
    assert record.pop("text") == transcript(*SEGMENTS).text
    assert Transcript.from_dict(record) == transcript(*SEGMENTS)


def test_json_writes_null_where_a_figure_is_not_finite() -> None:
    body = render(
        transcript(Segment(start_ms=0, end_ms=1, text="a", avg_logprob=-math.inf)), "json"
    )
    assert json.loads(body.body)["segments"][0]["avg_logprob"] is None


def test_json_cannot_end_a_script_element() -> None:
    assert b"</" not in render(transcript(*SEGMENTS), "json").body


@pytest.mark.parametrize("name", ["txt", "srt"])
def test_a_transcript_without_speech_is_an_empty_file(name: str) -> None:
    assert render(transcript(), name).body == b""


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(UnknownFormat) as caught:
        render(transcript(), "doc")
    assert caught.value.remedy == "Give one of txt, srt, json."
