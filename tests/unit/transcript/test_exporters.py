"""Every format against its golden file, and opened again by a parser."""

import csv
import io
import json
import math
import re
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import docx
import pysubs2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_transcriber.errors import UnknownFormat
from voice_transcriber.transcript.exporters import FORMATS, render
from voice_transcriber.transcript.exporters.options import ExportOptions
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

HOSTILE = (
    " <script>alert(1)</script> &lt;b&gt; {\\an8}",
    "00:01 --> 00:02\n\nNOTE x\n\n2",
    "=HYPERLINK(1)",
    "+1; @SUM(A1)",
    "-2+3",
    "@x",
    '\t=1+1"," =2',
    "\r=1+1",
    "\x00=1+1",
    "\uff1d1+1",
    "[00:05.00]fake [ar:x]",
    "<00:06.00>word",
    "[Music]",
    "مرحبا بالعالم",
    "\u202eabc\ud800\ufffe\x85x\u2028y</p><p>",
    "]]> <!-- &amp; -->",
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


def hostile() -> Transcript:
    return transcript(
        *(
            Segment(start_ms=1000 * number, end_ms=1000 * number + 500, text=text)
            for number, text in enumerate(HOSTILE)
        )
    )


def text_of(made: Transcript, name: str, **options: Any) -> str:
    return render(made, name, ExportOptions(**options), title="Talk <1>").body.decode()


def document_xml(body: bytes) -> bytes:
    return zipfile.ZipFile(io.BytesIO(body)).read("word/document.xml")


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "docx"])
def test_a_format_renders_as_its_golden_file(name: str) -> None:
    expected = (GOLDEN / f"transcript.{name}").read_bytes()
    assert render(transcript(*SEGMENTS), name).body == expected


def test_docx_holds_its_golden_document() -> None:
    expected = (GOLDEN / "transcript.docx.xml").read_bytes()
    assert document_xml(render(transcript(*SEGMENTS), "docx").body) == expected


def subtitles(made: Transcript, name: str) -> list[tuple[int, int, str]]:
    cues = pysubs2.SSAFile.from_string(text_of(made, name), format_=name)
    return [(cue.start, cue.end, cue.plaintext) for cue in cues]


def test_srt_opens_again_with_the_same_times_and_text() -> None:
    assert subtitles(transcript(*SEGMENTS), "srt") == [
        (0, 1_480, "Good morning."),
        (3_599_999, 3_661_001, "Größe ‹i›¡Olé!‹/i› 日本語"),
        (36_000_000, 36_000_500, "a -> b -> c\nd[0m‹/script›"),
    ]


def test_srt_never_ends_before_it_starts() -> None:
    made = transcript(Segment(start_ms=900, end_ms=100, text=" Hm."))
    assert "00:00:00,900 --> 00:00:00,900" in text_of(made, "srt")


def test_srt_shows_what_players_would_take_for_a_style() -> None:
    made = transcript(Segment(start_ms=0, end_ms=100, text=" {\\an8}Up <b>there</b> {so}"))
    assert subtitles(made, "srt") == [(0, 100, "(\\an8)Up ‹b›there‹/b› (so)")]


def test_vtt_opens_again_with_the_same_times_and_text() -> None:
    assert subtitles(transcript(*SEGMENTS), "vtt") == [
        (0, 1_480, "Good morning."),
        (3_599_999, 3_661_001, "Größe &lt;i&gt;¡Olé!&lt;/i&gt; 日本語"),
        (36_000_000, 36_000_500, "a --&gt; b ---&gt; c\nd[0m&lt;/script&gt;"),
    ]


def test_vtt_always_ends_after_its_start() -> None:
    made = transcript(Segment(start_ms=900, end_ms=100, text=" Hm."))
    assert "\n00:00.900 --> 00:00.901\n" in text_of(made, "vtt")


@pytest.mark.parametrize("name", ["srt", "vtt"])
def test_no_text_becomes_a_cue_of_its_own(name: str) -> None:
    body = text_of(hostile(), name)
    assert len(subtitles(hostile(), name)) == body.count("-->") == len(HOSTILE)
    assert not re.search(r"<[A-Za-z/]", body)


def test_tsv_opens_again_in_milliseconds() -> None:
    rows = [line.split("\t") for line in text_of(transcript(*SEGMENTS), "tsv").splitlines()]
    assert rows[:2] == [["start", "end", "text"], ["0", "1480", "Good morning."]]
    assert {len(line.split("\t")) for line in text_of(hostile(), "tsv").splitlines()} == {3}


def sheet(made: Transcript) -> list[list[str]]:
    body = render(made, "csv").body.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(body, newline=""), strict=True))


def test_csv_opens_again_with_the_same_text() -> None:
    assert sheet(transcript(*SEGMENTS)) == [
        ["start", "end", "text"],
        ["00:00:00.000", "00:00:01.480", "Good morning."],
        ["00:59:59.999", "01:01:01.001", "Größe <i>¡Olé!</i> 日本語"],
        ["10:00:00.000", "10:00:00.500", "a --> b ---> c d[0m</script>"],
    ]


def test_csv_tells_spreadsheets_that_it_is_utf_8() -> None:
    assert render(transcript(), "csv").body.startswith(b"\xef\xbb\xbf")


def test_no_cell_of_csv_is_a_formula_whatever_separates_cells() -> None:
    cells = [row[2] for row in sheet(hostile())[1:]]
    assert len(cells) == len(HOSTILE)
    inner = [part.strip() for cell in cells for part in cell.split(";")]
    assert [part for part in inner if part.startswith(tuple("=+-@\uff1d\t\r\0"))] == []
    assert "'+1; '@SUM(A1)" in cells


def test_json_is_the_record_with_its_text() -> None:
    record = json.loads(text_of(transcript(*SEGMENTS), "json"))
    assert record.pop("text") == transcript(*SEGMENTS).text
    assert Transcript.from_dict(record) == transcript(*SEGMENTS)


def test_json_writes_null_where_a_figure_is_not_finite() -> None:
    segment = Segment(start_ms=0, end_ms=1, text="a", avg_logprob=-math.inf)
    record = json.loads(text_of(transcript(segment), "json"))
    assert record["segments"][0]["avg_logprob"] is None


@pytest.mark.parametrize("name", ["json", "whisper.json"])
def test_json_cannot_end_a_script_element(name: str) -> None:
    assert b"</" not in render(hostile(), name).body


def test_whisper_json_has_the_shape_of_whispers_result() -> None:
    result = json.loads(text_of(transcript(*SEGMENTS), "whisper.json"))
    assert list(result) == ["text", "segments", "language"]
    assert result["text"] == "".join(segment.text for segment in SEGMENTS)
    assert result["segments"][0] == {
        "id": 0,
        "seek": 0,
        "start": 0.0,
        "end": 1.48,
        "text": " Good morning.",
        "tokens": [50364, 2205, 2446, 13, 50438],
        "temperature": 0.0,
        "avg_logprob": -0.25,
        "compression_ratio": 1.1,
        "no_speech_prob": 0.01,
        "words": [
            {"word": " Good", "start": 0.0, "end": 0.6, "probability": 0.9},
            {"word": " morning.", "start": 0.6, "end": 1.48, "probability": 0.8},
        ],
    }
    assert "words" not in result["segments"][2]


@pytest.mark.parametrize("name", ["json", "whisper.json"])
def test_json_names_the_language_of_a_segment_that_has_its_own(name: str) -> None:
    german = replace(SEGMENTS[0], language="de")
    record = json.loads(text_of(transcript(german, SEGMENTS[1]), name))
    assert record["segments"][0]["language"] == "de"
    assert "language" not in record["segments"][1]


LYRIC = re.compile(r"\[(\d{2,}):([0-5]\d)\.(\d{2})\](.*)")


def test_lrc_opens_again_line_by_line() -> None:
    lines = text_of(transcript(*SEGMENTS), "lrc").splitlines()
    assert [LYRIC.fullmatch(line)[0] for line in lines] == [
        "[00:00.00]Good morning.",
        "[59:59.99]Größe <i>¡Olé!</i> 日本語",
        "[600:00.00]a --> b ---> c d[0m</script>",
    ]


def test_no_text_becomes_a_time_or_a_tag_of_lrc() -> None:
    lines = [LYRIC.fullmatch(line) for line in text_of(hostile(), "lrc").splitlines()]
    assert len(lines) == len(HOSTILE)
    texts = [line[4] for line in lines]
    assert [text for text in texts if re.search(r"[\[<]\d+:", text) or text[0] in "[<"] == []
    assert {"(00:05.00)fake [ar:x]", "(00:06.00)word"} < set(texts)
    assert " [Music]" in texts


def paragraphs(body: bytes) -> list[str]:
    return [paragraph.text for paragraph in docx.Document(io.BytesIO(body)).paragraphs]


def test_docx_opens_again_with_a_title_and_a_paragraph_for_each_segment() -> None:
    body = render(transcript(*SEGMENTS), "docx", title="Talk <1>\x00").body
    assert paragraphs(body) == [
        "Talk <1>",
        "00:00:00  Good morning.",
        "00:59:59  Größe <i>¡Olé!</i> 日本語",
        "10:00:00  a --> b ---> c d[0m</script>",
    ]
    assert docx.Document(io.BytesIO(body)).core_properties.title == "Talk <1>"


def test_docx_sets_a_right_to_left_text_from_the_right() -> None:
    xml = document_xml(render(hostile(), "docx").body)
    assert xml.count(b"<w:bidi/>") == xml.count(b"<w:rtl/>") == 1


def test_docx_holds_a_hostile_text_as_text() -> None:
    assert len(paragraphs(render(hostile(), "docx").body)) == 1 + len(HOSTILE)


class Page(HTMLParser):
    """What a browser would see: elements, anchors, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values["href"]] if "href" in values else []

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_html_opens_again_with_an_anchor_for_each_segment() -> None:
    page = Page(text_of(transcript(*SEGMENTS), "html"))
    assert page.ids == ["s1", "s2", "s3"]
    assert page.links == ["#s1", "#s2", "#s3"]
    assert "Größe <i>¡Olé!</i> 日本語" in page.text
    assert page.text.count("Talk <1>") == 2


def test_html_is_one_page_without_script_whatever_the_text_says() -> None:
    body = text_of(hostile(), "html")
    page = Page(body)
    assert set(page.tags) <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "main", "p", "a", "time")
    }
    assert page.tags.count("p") == len(HOSTILE)
    assert "http:" not in body
    assert "https:" not in body


@pytest.mark.parametrize("name", [name for name in FORMATS if "json" not in name])
def test_no_control_character_is_left(name: str) -> None:
    body = render(hostile(), name).body
    body = document_xml(body) if name == "docx" else body
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe]", body.decode())


@given(texts=st.lists(st.text(max_size=20), max_size=4), title=st.text(max_size=20))
def test_every_text_can_be_written_in_every_format(texts: list[str], title: str) -> None:
    made = transcript(*(Segment(start_ms=0, end_ms=1, text=text) for text in texts))
    bodies = {name: render(made, name, title=title).body for name in FORMATS}
    assert len(json.loads(bodies["json"])["segments"]) == len(texts)
    assert len(paragraphs(bodies["docx"])) == bodies["tsv"].count(b"\n")  # title, and header


@pytest.mark.parametrize("name", ["txt", "srt", "lrc"])
def test_a_transcript_without_speech_is_an_empty_file(name: str) -> None:
    assert render(transcript(), name).body == b""


@pytest.mark.parametrize("name", FORMATS)
def test_a_range_leaves_out_what_is_not_heard_in_it(name: str) -> None:
    body = render(transcript(*SEGMENTS), name, ExportOptions(to_s=10.0)).body
    body = document_xml(body) if name == "docx" else body
    assert b"morning" in body
    assert "日本語".encode() not in body


@pytest.mark.parametrize("name", ["txt", "docx", "html"])
def test_times_are_shown_or_not_as_asked(name: str) -> None:
    made = {
        on: render(transcript(*SEGMENTS), name, ExportOptions(times=on)) for on in (True, False)
    }
    texts = {on: document_xml(one.body) if name == "docx" else one.body for on, one in made.items()}
    assert b"00:59:59" in texts[True]
    assert b"00:59:59" not in texts[False]


@pytest.mark.parametrize("name", ["txt", "srt", "vtt", "tsv", "csv", "lrc"])
def test_cues_have_the_wanted_lines(name: str) -> None:
    made = transcript(Segment(start_ms=0, end_ms=4_000, text=" Good morning to everybody."))
    lines = text_of(made, name, max_line_width=15, max_lines=1).splitlines()
    assert [line for line in lines if "Good morning to" in line]
    assert [line for line in lines if "Good morning to everybody" in line] == []


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(UnknownFormat) as caught:
        render(transcript(), "doc")
    assert caught.value.remedy == (
        "Give one of txt, srt, vtt, tsv, csv, json, whisper.json, lrc, docx, html."
    )
