"""Medians, ranges and ratios of measurements, and the figures that are judged by them."""

from __future__ import annotations

import pytest

from bench.versus.figures import Row, Spread, is_of_one_run, ratio, rows
from bench.versus.goals import bounds
from bench.versus.records import Measurement
from bench.versus.report import report
from tests.unit.bench.measurements import measured


def row(contender: str, *walls_s: float) -> Row:
    found = [
        measured(contender, wall_s=wall_s, round=number)
        for number, wall_s in enumerate(walls_s, start=1)
    ]
    (only,) = rows(found)
    return only


def verdicts(*found: Measurement) -> dict[str, bool]:
    return {bound.name: bound.kept for bound in bounds(found)}


def test_a_spread_is_shown_with_its_range_where_there_is_one() -> None:
    assert Spread.of([3.0, 1.0, 2.0]).text(1) == "2.0 (1.0 to 3.0)"
    assert Spread.of([2.0]).text(2) == "2.00"


def test_ratios_are_those_of_the_rounds_that_both_have() -> None:
    times = ratio(row("faster-whisper", 30.0, 20.0), row("ours", 10.0, 5.0, 1.0))
    assert times == Spread(median=3.5, low=3.0, high=4.0)
    later = rows([measured("ours", round=9)])[0]
    assert ratio(row("faster-whisper", 30.0), later) is None


def test_rows_keep_beams_and_workloads_apart() -> None:
    found = rows([measured("ours"), measured("ours", beam=1), measured("ours", workload="hour")])
    assert [(one.workload, one.beam) for one in found] == [
        ("long-five", 5),
        ("long-five", 1),
        ("hour", 5),
    ]


def test_a_row_has_the_largest_memory_and_the_middle_error_rate() -> None:
    (only,) = rows(
        [
            measured("ours", round=1, peak_mb=1.0, errors=2),
            measured("ours", round=2, peak_mb=3.0, errors=4),
            measured("ours", round=3, peak_mb=2.0, errors=20),
        ]
    )
    assert (only.peak_mb, only.error_rate) == (3.0, 2.0)


def test_rounds_that_were_measured_at_different_times_are_known() -> None:
    ours, theirs = row("ours", 1.0, 1.0), row("faster-whisper", 1.0, 1.0)
    assert is_of_one_run(ours, theirs)
    (later,) = rows([measured("faster-whisper", run="another")])
    assert not is_of_one_run(ours, later)


@pytest.mark.parametrize(("wall_s", "kept"), [(4.9, True), (5.1, False)])
def test_the_batched_peer_counts_at_its_best_batch_size(wall_s: float, kept: bool) -> None:
    found = verdicts(
        measured("ours", wall_s=wall_s),
        measured("batched-8", wall_s=10.0),
        measured("batched-16", wall_s=90.0),
    )
    assert found["long-five, beam 5: times as fast as batched-8"] is kept


@pytest.mark.parametrize(("errors", "kept"), [(4, True), (5, False)])
def test_a_faster_text_must_not_be_a_worse_one(errors: int, kept: bool) -> None:
    found = verdicts(measured("ours", errors=errors), measured("faster-whisper", wall_s=31.0))
    assert found["long-five, beam 5: word errors beside faster-whisper"] is kept
    assert found["long-five, beam 5: times as fast as faster-whisper"]


@pytest.mark.parametrize(("service_s", "kept"), [(104.0, True), (106.0, False)])
def test_the_service_is_held_against_the_engine_on_the_windows(
    service_s: float, kept: bool
) -> None:
    found = verdicts(
        measured("service", workload="overhead-hour", wall_s=service_s),
        measured("bare", workload="overhead-hour", wall_s=130.0, seconds={"windows_s": 100.0}),
    )
    assert found == {"overhead-hour: service / its engine on the windows": kept}


@pytest.mark.parametrize(("busy_s", "kept"), [(2.9, True), (3.1, False)])
def test_an_urgent_clip_is_held_against_an_idle_server(busy_s: float, kept: bool) -> None:
    seconds = {"idle_s": 1.0, "busy_s": busy_s}
    found = verdicts(measured("service", workload="express-hour", seconds=seconds))
    assert found == {"express-hour: urgent clip / on an idle server": kept}


@pytest.mark.parametrize(("largest_mb", "flat"), [(990.0, True), (1200.0, False)])
def test_memory_is_flat_over_lengths_that_fill_the_batches(largest_mb: float, flat: bool) -> None:
    lengths = {"length-1min": (60.0, 500.0), "length-10min": (600.0, 950.0)}
    lengths["length-180min"] = (10800.0, largest_mb)
    found = [
        measured("ours", workload=name, audio_s=audio_s, engine_mb=engine_mb)
        for name, (audio_s, engine_mb) in lengths.items()
    ]
    peer = measured("faster-whisper", workload="length-1min", peak_mb=499.0)
    assert verdicts(*found, peer) == {
        "length-1min: engine child beside faster-whisper": False,
        "engine child, largest / smallest of length-10min, length-180min": flat,
    }


def test_the_report_warns_of_other_load_and_of_mixed_runs() -> None:
    found = [
        measured("ours", other_cores=0.8),
        measured("faster-whisper", wall_s=30.0, run="another"),
    ]
    text = report(found, list(bounds(found)))
    assert "WARNING: others used 0.8 cores during long-five, ours" in text
    assert "3.00 *" in text
    assert "not all of one run" in text
