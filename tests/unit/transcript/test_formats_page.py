"""The page on formats names all of them, and its examples are what the program writes."""

import re
from pathlib import Path

import pytest

from voice_transcriber.settings import SETTINGS
from voice_transcriber.transcript.exporters import FORMATS
from voice_transcriber.web.schemas import TranscriptQuery

PROJECT = Path(__file__).parents[3]
PAGE = (PROJECT / "docs/reference/formats.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^```(?!text)(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def test_every_format_has_a_row_and_a_section() -> None:
    formats_table = PAGE.split("## Options")[0]
    assert re.findall(r"^\| `([\w.]+)` \|", formats_table, re.MULTILINE) == list(FORMATS)
    assert [name for name in FORMATS if f"\n## {name}\n" not in PAGE] == []


def test_every_option_has_a_row() -> None:
    options = PAGE.split("## Options")[1].split("\n## ")[0]
    named = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*) \|", options, re.MULTILINE)))
    assert named == [one.alias or name for name, one in TranscriptQuery.model_fields.items()]


def test_the_setting_names_every_format() -> None:
    (setting,) = (one for one in SETTINGS if one.name == "OUTPUT_FORMATS")
    assert setting.help.endswith(f": {', '.join(FORMATS)}.")


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_stands_in_the_golden_file(name: str) -> None:
    golden = (PROJECT / f"tests/data/golden/transcript.{name}").read_text(encoding="utf-8-sig")
    assert EXAMPLES[name] in golden
