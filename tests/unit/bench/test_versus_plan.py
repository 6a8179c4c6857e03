"""What is measured by whom and in which order, and what is kept of it."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pytest

from bench.tables import Bound
from bench.versus.command import _turns, add_arguments
from bench.versus.contenders import BARE, OURS, PEERS, SERVICE, Contender, contenders, parse_ours
from bench.versus.records import Results
from bench.versus.workloads import FORMS, GROUPS, workloads
from tests.unit.bench.measurements import measured

EVERYBODY = [Contender(name=kind, kind=kind) for kind in (OURS, SERVICE, BARE, *PEERS)]


def turns(*arguments: str) -> list[tuple[str, int, int, str]]:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return [
        (turn.workload.group, turn.beam, turn.round, turn.contender.name)
        for turn in _turns(parser.parse_args(arguments), EVERYBODY)
    ]


@pytest.mark.parametrize("form", FORMS)
def test_names_of_workloads_tell_them_apart(form: str) -> None:
    names = [workload.name for workload in workloads(FORMS[form])]
    assert len(names) == len(set(names))


def test_the_full_form_has_every_workload_and_every_contender() -> None:
    found = turns("--form", "full")
    assert {group for group, *_ in found} == set(GROUPS)
    assert {name for *_, name in found} == {one.name for one in EVERYBODY}
    assert {(beam, number) for group, beam, number, _ in found if group == "long"} == {
        (beam, number) for beam in (5, 1) for number in (1, 2, 3)
    }


def test_contenders_take_turns_and_another_one_is_first_in_each_round() -> None:
    asked = ("--form", "full", "--only", "clips", "--beams", "5")
    firsts = [
        next(name for _, _, number, name in turns(*asked) if number == wanted)
        for wanted in (1, 2, 3)
    ]
    assert len(set(firsts)) == 3


def test_slow_programs_read_the_hour_once_and_with_one_beam() -> None:
    found = [
        turn for turn in turns("--form", "full", "--only", "hour") if turn[3] == "openai-whisper"
    ]
    assert found == [("hour", 5, 1, "openai-whisper")]


def test_our_settings_are_given_by_their_names() -> None:
    assert parse_ours("ENGINE=faster-whisper, BATCH_SIZE=16") == Contender(
        name="ours", kind="ours", settings={"ENGINE": "faster-whisper", "BATCH_SIZE": "16"}
    )
    assert parse_ours("torch:ENGINE=openai-whisper").name == "ours-torch"
    for wrong in ("ENGINE", "NO_SUCH_SETTING=1", "torch:"):
        with pytest.raises(SystemExit):
            parse_ours(wrong)


def test_service_and_bare_engine_have_the_first_settings() -> None:
    found, _ = contenders(["ENGINE=fake", "torch:ENGINE=openai-whisper"], ["ours", "service"])
    assert [(one.name, one.settings["ENGINE"]) for one in found] == [
        ("ours", "fake"),
        ("ours-torch", "openai-whisper"),
        ("service", "fake"),
    ]


def test_a_kept_measurement_is_found_again(tmp_path: Path) -> None:
    results = Results(tmp_path / "results")
    one = measured("ours", seconds={"ready_s": 1.5}, settings={"ENGINE": "auto"})
    assert results.find(one.place) is None
    results.keep(one)
    assert results.find(one.place) == one
    assert results.find(replace(one.place, round=2)) is None
    assert results.all() == [one]


def test_bounds_that_another_part_judged_are_kept(tmp_path: Path) -> None:
    results = Results(tmp_path)
    bound = Bound(name="again", measured="3 ms", limit="< 50 ms", kept=True)
    assert results.judged() == []
    results.keep_judged([bound])
    assert results.judged() == [bound]
