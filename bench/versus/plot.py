"""The measurements of a folder as a picture: speed, memory, and growth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from textwrap import fill
from typing import Any

from bench.versus.contenders import SERVICE, title
from bench.versus.figures import Row, rows
from bench.versus.records import Measurement

_OURS_COLOUR, _OTHERS_COLOUR, _TEXT, _GRID = "#0b6e4f", "#9aa5b1", "#22303c", "#e3e8ee"
_LINE_COLOURS = (_OURS_COLOUR, "#5b6b7b", "#c08a3e", _OTHERS_COLOUR)
_BAR_INCHES, _FRAME_INCHES, _GROWTH_INCHES = 0.32, 0.9, 3.2
_GROWTH = ("length", "jobs")  # drawn as lines
_OTHER_FIGURES = (*_GROWTH, "overhead")
_SPEED = "seconds of audio in a second"
_DPI = 110
_LABEL_WIDTH = 38  # characters; a longer name goes on in a further line


def write_plot(measurements: Sequence[Measurement], path: Path) -> Path | None:
    """Bars for each workload and beam that has several contenders, then lines of growth.

    None, and nothing is written, where there is no such workload.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    found = rows(measurements)
    panels = _panels(found)
    if not panels:
        return None
    heights = [_FRAME_INCHES + _BAR_INCHES * len(panel) for panel in panels]
    has_growth = any(row.workload.startswith(_GROWTH) for row in found)
    heights += [_GROWTH_INCHES] if has_growth else []
    figure, axes = pyplot.subplots(
        len(heights),
        2,
        figsize=(11, sum(heights)),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for panel, (left, right) in zip(panels, axes, strict=False):
        _bars(left, panel, [_speed(row) for row in panel], _SPEED)
        _bars(right, panel, [row.peak_mb for row in panel], "peak memory, MB", names=False)
        first = panel[0].rounds[0]
        left.set_title(
            f"{first.text}, beam {panel[0].beam}", loc="left", color=_TEXT, fontsize=10, x=0
        )
    if has_growth:
        _memory_lines(axes[-1][0], found)
        _job_line(axes[-1][1], found)
    first = measurements[0]
    machine = first.machine.partition(", Python")[0]
    figure.suptitle(f"Dimensions of {first.place.size}; {machine}", fontsize=9, color=_TEXT)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=_DPI, facecolor="white")
    pyplot.close(figure)
    return path


def _panels(found: Sequence[Row]) -> list[list[Row]]:
    """Rows that are compared, the fastest first."""
    groups: dict[tuple[str, int], list[Row]] = {}
    for row in found:
        if not row.workload.startswith(_OTHER_FIGURES):
            groups.setdefault((row.workload, row.beam), []).append(row)
    return [
        sorted(group, key=lambda row: row.wall_s.median)
        for group in groups.values()
        if len(group) > 1
    ]


def _speed(row: Row) -> float:
    return row.rounds[0].audio_s / row.wall_s.median


def _bars(
    axes: Any, panel: Sequence[Row], values: Sequence[float], label: str, *, names: bool = True
) -> None:
    colours = [_OURS_COLOUR if row.rounds[0].settings else _OTHERS_COLOUR for row in panel]
    bars = axes.barh(range(len(panel)), values, color=colours, height=0.7)
    shown = [f"{value:.0f}" if value >= 100 else f"{value:.1f}" for value in values]
    axes.bar_label(bars, labels=shown, padding=4, color=_TEXT, fontsize=9)
    labels = [fill(title(row.contender, row.rounds[0].settings), _LABEL_WIDTH) for row in panel]
    axes.set_yticks(range(len(panel)), labels=labels if names else [""] * len(panel))
    axes.invert_yaxis()
    axes.set_xlim(0, 1.15 * max(values))
    axes.spines["left"].set_visible(False)
    _plain(axes, across=label, grid="x")


def _memory_lines(axes: Any, found: Sequence[Row]) -> None:
    """Over the minutes of one file: our engine child, and all of the others."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in found:
        if row.workload.startswith("length"):
            first = row.rounds[0]
            label = title(row.contender, first.settings)
            label = f"{label}: engine child" if row.engine_mb else label
            point = (first.audio_s / 60, row.engine_mb or row.peak_mb)
            lines.setdefault(label, []).append(point)
    _draw(axes, lines)
    if lines:
        minutes = sorted({across for points in lines.values() for across, _ in points})
        axes.set_xscale("log")
        axes.set_xticks(minutes, labels=[f"{one:.0f}" for one in minutes], minor=False)
        axes.set_xticks([], minor=True)
    _plain(axes, across="minutes of one file", up="peak memory, MB", grid="both")


def _job_line(axes: Any, found: Sequence[Row]) -> None:
    jobs = [row for row in found if row.workload.startswith("jobs")]
    points = [(float(row.rounds[0].files), _speed(row)) for row in jobs]
    _draw(axes, {title(SERVICE, {}): points} if points else {})
    _plain(axes, across="jobs at once", up=_SPEED, grid="both")


def _draw(axes: Any, lines: Mapping[str, Sequence[tuple[float, float]]]) -> None:
    for colour, (label, points) in zip(cycle(_LINE_COLOURS), lines.items(), strict=False):
        across, up = zip(*sorted(points), strict=True)
        axes.plot(across, up, "o-", color=colour, label=label)
    if lines:
        axes.legend(frameon=False, fontsize=8)
    axes.set_ylim(bottom=0)


def _plain(axes: Any, *, across: str, grid: str, up: str = "") -> None:
    axes.set_xlabel(across, color=_TEXT, fontsize=9)
    axes.set_ylabel(up, color=_TEXT, fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(left=grid == "both", colors=_TEXT, labelsize=9)
    axes.grid(axis=grid, color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
