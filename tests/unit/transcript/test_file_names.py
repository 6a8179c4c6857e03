"""File names from what people call their recordings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_transcriber.transcript.exporters.names import MAX_BYTES, UsedNames, safe_stem


@pytest.mark.parametrize(
    ("filename", "stem"),
    [
        ("talk.mp3", "talk"),
        ("Größe 会議.wav", "Größe 会議"),
        ("Gro\u0308\u00dfe.wav", "Größe"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\talk.wav", "talk"),
        (".bashrc", "bashrc"),
        ("a.b.c.mp3", "a.b.c"),
        ('a<b>c:d"e|f?g*h.wav', "a_b_c_d_e_f_g_h"),
        ("a\x00b\nc\x1b[0m.wav", "abc[0m"),
        ("report\u202efdp.exe.wav", "reportfdp.exe"),
        ("nul.mp3", "_nul"),
        ("COM1.tar.gz", "_COM1.tar"),
        ("console.mp3", "console"),
        ("talk. .mp3", "talk"),
        ("", "transcript"),
        ("/", "transcript"),
        ("...", "transcript"),
    ],
)
def test_a_name_is_safe_and_still_the_users(filename: str, stem: str) -> None:
    assert safe_stem(filename) == stem


def test_a_long_name_is_cut_between_letters() -> None:
    assert safe_stem("é" * 200 + ".wav") == "é" * (MAX_BYTES // 2)


@given(st.text(max_size=300))
def test_no_name_leads_out_of_its_folder_or_is_too_long(filename: str) -> None:
    stem = safe_stem(filename)
    assert stem.strip(" .") == stem != ""
    assert not set(stem) & set('/\\:<>"|?*\0\n')
    assert len(stem.encode()) <= MAX_BYTES + 1


def test_names_of_one_archive_differ_in_more_than_case() -> None:
    names = UsedNames()
    assert names.take("talk", ["srt", "txt"]) == ["talk.srt", "talk.txt"]
    assert names.take("Talk", ["srt", "txt"]) == ["Talk (2).srt", "Talk (2).txt"]
    assert names.take("talk", ["srt", "txt"]) == ["talk (3).srt", "talk (3).txt"]


def test_an_ending_of_two_parts_meets_no_other_name() -> None:
    names = UsedNames()
    names.take("talk", ["whisper.json"])
    assert names.take("talk.whisper", ["json"]) == ["talk.whisper (2).json"]
