"""A choice lasts as long as what it was made for."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.engines.auto_parts import FLOAT32, INT8
from voice_transcriber.engines.auto.kept import (
    choices_of,
    keep_choice,
    kept_choice,
    remove_choices,
    shown_choice,
)
from voice_transcriber.engines.auto.parts import REFERENCE, basis_of, candidates
from voice_transcriber.engines.auto.records import Basis, Choice, Figure, Measured
from voice_transcriber.engines.encoders.installed import OPENVINO, OWN, check_encoder
from voice_transcriber.errors import ConfigurationError
from voice_transcriber.files import file_sha256

BASIS = Basis(
    machine="A processor, 2 cores",
    machine_id="1a2b3c4d5e6f",
    versions={"torch": "2.13.0"},
    pipeline=1,
    device="cpu",
    asked="all",
)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "base.pt"
    path.write_bytes(b"weights")
    return path


@pytest.fixture
def measured(checkpoint: Path, tmp_path: Path) -> Measured:
    state = checkpoint.stat()
    kept = Measured(
        basis=BASIS,
        checkpoint_sha256=file_sha256(checkpoint),
        checkpoint_bytes=state.st_size,
        checkpoint_mtime_ns=state.st_mtime_ns,
        at=1_795_000_000.0,
        took_s=9.5,
        choice=Choice(decoder=INT8, encoder=OPENVINO, threads=2, reason="It is the fastest."),
        figures=[
            Figure(decoder=FLOAT32, encode_s=0.5, decode_s=1.0, differing_percent=0.0),
            Figure(decoder=INT8, note="its encoder was broken off", decode_s=0.5),
            Figure(encoder=OPENVINO, encode_s=0.1),
        ],
    )
    keep_choice(tmp_path / "models", checkpoint, kept)
    return kept


@pytest.fixture
def folder(measured: Measured, tmp_path: Path) -> Path:
    return tmp_path / "models"


def test_it_is_found_again_with_all_its_figures(
    folder: Path, checkpoint: Path, measured: Measured
) -> None:
    assert kept_choice(folder, checkpoint, BASIS) == measured
    assert shown_choice(folder, checkpoint, BASIS) == measured
    uses = [measured.choice.uses(figure) for figure in measured.figures]
    assert uses == [False, True, True]


@pytest.mark.parametrize(
    "other",
    [
        {"versions": {"torch": "2.14.0"}},
        {"versions": {"torch": "2.13.0", "openvino": "1"}},
        {"machine_id": "000000000000"},
        {"pipeline": 2},
        {"device": "cuda"},
        {"asked": "int8"},
    ],
    ids=str,
)
def test_another_basis_is_measured_anew(
    folder: Path, checkpoint: Path, other: dict[str, object]
) -> None:
    basis = replace(BASIS, **other)
    assert kept_choice(folder, checkpoint, basis) is None
    assert shown_choice(folder, checkpoint, basis) is None


def test_another_file_of_that_name_is_measured_anew(folder: Path, checkpoint: Path) -> None:
    checkpoint.write_bytes(b"other weights")
    assert kept_choice(folder, checkpoint, BASIS) is None
    assert shown_choice(folder, checkpoint, BASIS) is None


def test_what_was_not_measured_is_shown_and_measured_at_the_next_time(
    folder: Path, checkpoint: Path, measured: Measured
) -> None:
    choice = replace(measured.choice, is_final=False)
    keep_choice(folder, checkpoint, replace(measured, choice=choice))
    assert kept_choice(folder, checkpoint, BASIS) is None
    assert shown_choice(folder, checkpoint, BASIS) is not None


def test_a_touched_file_of_the_same_content_is_not(
    folder: Path, checkpoint: Path, measured: Measured
) -> None:
    os.utime(checkpoint, (1, 1))
    assert kept_choice(folder, checkpoint, BASIS) == measured


def test_machines_of_different_kinds_may_share_a_folder(
    folder: Path, checkpoint: Path, measured: Measured
) -> None:
    other = replace(measured, basis=replace(BASIS, machine_id="000000000000"))
    keep_choice(folder, checkpoint, other)
    assert kept_choice(folder, checkpoint, BASIS) == measured
    assert kept_choice(folder, checkpoint, other.basis) == other


@pytest.mark.parametrize("content", [b"", b"{}", b'{"basis": 1}', b"\xff"])
def test_a_broken_file_counts_as_none(folder: Path, checkpoint: Path, content: bytes) -> None:
    (path,) = choices_of(checkpoint, folder)
    path.write_bytes(content)
    assert kept_choice(folder, checkpoint, BASIS) is None


def test_it_goes_with_the_model(folder: Path, checkpoint: Path) -> None:
    remove_choices(checkpoint, folder)
    assert list(choices_of(checkpoint, folder)) == []


def test_a_folder_that_cannot_be_written_to_is_no_fault(
    checkpoint: Path, measured: Measured, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    keep_choice(tmp_path / "file" / "models", checkpoint, measured)


def test_single_precision_comes_first_and_settings_leave_candidates_out() -> None:
    found = candidates("cpu", compute_type="auto", encoder="own", threads=[1])
    assert found.decoders[0] == REFERENCE
    assert INT8 in found.decoders
    assert len(set(found.decoders)) == len(found.decoders)
    assert found.encoders == [OWN]
    int8 = candidates("cpu", compute_type="int8", encoder=OPENVINO, threads=[1])
    assert (int8.decoders, int8.encoders) == ([INT8], [OPENVINO])
    assert candidates("cuda", compute_type="auto", encoder="auto", threads=[1]).encoders == [OWN]
    assert basis_of("cpu", found) == basis_of("cpu", found) != basis_of("cpu", int8)


def test_an_encoder_without_its_package_is_refused_with_the_remedy() -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_encoder(OPENVINO, engine="faster-whisper", is_installed=lambda _: False)
    assert "requirements-openvino.txt" in caught.value.remedy
    check_encoder(OWN, engine="faster-whisper")


def test_an_engine_without_such_a_decoder_takes_no_other_encoder() -> None:
    with pytest.raises(ConfigurationError, match="ENCODER"):
        check_encoder(OPENVINO, engine="fake")
