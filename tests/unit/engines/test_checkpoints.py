"""The catalogue of models, without any network."""

from pathlib import Path

import pytest
import whisper

from voice_transcriber.engines.checkpoints import DEMO_FILE, Checkpoints
from voice_transcriber.engines.published import CHECKPOINTS
from voice_transcriber.errors import UnknownModel


def names(checkpoints: Checkpoints) -> list[str]:
    return [model.name for model in checkpoints.catalogue()]


def no_progress(done: int, total: int) -> None:
    raise AssertionError("nothing is to be downloaded")


def test_names_addresses_and_hashes_are_those_of_whisper() -> None:
    assert {name: row.source.url for name, row in CHECKPOINTS.items()} == whisper._MODELS
    for row in CHECKPOINTS.values():
        assert row.source.sha256 == row.source.url.split("/")[-2]


def test_the_demo_comes_first_is_present_and_says_what_it_is(tmp_path: Path) -> None:
    demo = Checkpoints(tmp_path).catalogue()[0]
    assert (demo.name, demo.present, demo.downloadable) == ("demo", True, False)
    assert "does not understand human speech" in demo.note


def test_a_published_model_is_known_before_it_is_present(tmp_path: Path) -> None:
    base = Checkpoints(tmp_path).resolve("base")
    assert (base.present, base.size_bytes, base.downloadable) == (False, 145_000_000, True)


def test_a_present_model_shows_the_size_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "large-v3.pt").write_bytes(b"12345")
    for name in ("large", "large-v3"):
        model = Checkpoints(tmp_path).resolve(name)
        assert (model.present, model.size_bytes) == (True, 5)


def test_a_model_with_the_ending_en_knows_english_only(tmp_path: Path) -> None:
    (tmp_path / "mine.en.pt").touch()
    english = {m.name for m in Checkpoints(tmp_path).catalogue() if m.english_only}
    assert english == {"tiny.en", "base.en", "small.en", "medium.en", "mine.en"}


def test_a_file_of_ones_own_is_listed_by_its_stem(tmp_path: Path) -> None:
    (tmp_path / "court-2026.pt").write_bytes(b"123")
    own = Checkpoints(tmp_path).resolve("court-2026")
    assert (own.present, own.size_bytes, own.downloadable) == (True, 3, False)


@pytest.mark.parametrize(
    "file_name", ["base.pt.part", ".hidden.pt", "two words.pt", "<b>.pt", "demo.pt", "large.pt"]
)
def test_a_file_with_another_kind_of_name_adds_nothing(tmp_path: Path, file_name: str) -> None:
    before = names(Checkpoints(tmp_path))
    (tmp_path / file_name).touch()
    assert names(Checkpoints(tmp_path)) == before


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "mine.pt").mkdir()
    assert "mine" not in names(Checkpoints(tmp_path))


def test_a_model_folder_that_is_missing_is_an_empty_one(tmp_path: Path) -> None:
    assert names(Checkpoints(tmp_path / "none")) == ["demo", *CHECKPOINTS]


@pytest.mark.parametrize("name", ["huge", "", "../secret", "/etc/passwd", "base.pt"])
def test_an_unknown_model_names_the_known_ones(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        Checkpoints(tmp_path).resolve(name)
    assert "demo, tiny, tiny.en, base" in caught.value.remedy


def test_a_present_file_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "base.pt").write_bytes(b"put there by hand")
    path = Checkpoints(tmp_path).ensure("base", on_progress=no_progress, should_stop=lambda: True)
    assert path == tmp_path / "base.pt"


def test_the_demo_needs_no_folder_and_no_network(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "none")
    path = checkpoints.ensure("demo", on_progress=no_progress, should_stop=lambda: True)
    assert path == DEMO_FILE
