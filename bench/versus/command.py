"""`python -m bench versus`: us beside openai-whisper, faster-whisper and whisper.cpp.

Every pass has a fresh process; the contenders take turns, in another order in each round. A
finished pass is kept in the results folder, and is not measured again.
"""

from __future__ import annotations

import argparse
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.app import PROJECT
from bench.cached import cached_bounds
from bench.machine import OtherLoad, describe
from bench.reading import Reading
from bench.recordings import DEFAULT_FOLDER, Recording
from bench.tables import bounds_table
from bench.versus.contenders import Contender, contenders
from bench.versus.goals import bounds
from bench.versus.materials import CLIP, Materials
from bench.versus.models import Models
from bench.versus.passes import Outcome, Setup, Task, prepare
from bench.versus.plot import write_plot
from bench.versus.records import Measurement, Place, Results
from bench.versus.report import BUSY_CORES, report
from bench.versus.workloads import FORMS, GROUPS, Workload, workloads
from bench.widen import SIZES
from bench.words import score
from voice_transcriber.settings import cpu_threads

_FOLDER = PROJECT / "data" / "bench"  # the program's own data folder is not in git
_REPEATED = "repeated"
_GROUPS = (*GROUPS, _REPEATED)


@dataclass(frozen=True)
class _Turn:
    """One pass that is to be measured."""

    workload: Workload
    contender: Contender
    beam: int
    round: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    forms = "; ".join(f"{name}: {form.text}" for name, form in FORMS.items())
    parser.add_argument("--form", default="short", choices=FORMS, help=forms)
    parser.add_argument("--only", nargs="+", choices=_GROUPS, default=_GROUPS, metavar="WORKLOAD",
        help=f"of {', '.join(_GROUPS)}")  # fmt: skip
    parser.add_argument("--contenders", nargs="+", default=[], metavar="NAME",
        help="only these: ours, service, bare, openai-whisper, faster-whisper, batched-8, "
        "batched-16, whisper.cpp, whisper.cpp-q8")  # fmt: skip
    parser.add_argument("--ours", action="append", default=[], metavar="[NAME:]SETTING=VALUE,...",
        help="our settings, for example ENGINE=auto; more than once to compare them")  # fmt: skip
    parser.add_argument("--size", default="base", choices=["demo", *SIZES], help="dimensions")
    parser.add_argument("--beams", nargs="+", type=int, default=[], metavar="N", help="only these")
    parser.add_argument("--rounds", type=int, default=0, metavar="N", help="default: the form's")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="default: every core")
    parser.add_argument("--audio", type=Path, default=DEFAULT_FOLDER, help="recordings, manifest")
    parser.add_argument("--results", type=Path, default=_FOLDER / "results", metavar="FOLDER",
        help="takes every finished pass; those that are there are not measured again")  # fmt: skip
    parser.add_argument("--work", type=Path, default=_FOLDER / "work", metavar="FOLDER",
        help="takes models and recordings that are made")  # fmt: skip
    parser.add_argument("--plot", type=Path, metavar="FILE",
        help="default: versus-SIZE.png in the results folder")  # fmt: skip
    parser.add_argument("--report", action="store_true", help="measure nothing, show what is there")


def run(arguments: argparse.Namespace) -> bool:
    """Measure what is missing, then print the tables; True when every figure is reached."""
    print(f"# Side by side\n\n{describe()}\n", flush=True)
    results = Results(arguments.results)
    if not arguments.report:
        _measure(arguments, results)
        _judge_repeated(arguments, results)
    found = [one for one in results.all() if one.place.size == arguments.size]
    judged = [*bounds(found), *results.judged()]
    if found:
        print(f"\n{report(found, judged)}\n", flush=True)
        path = arguments.plot or arguments.results / f"versus-{arguments.size}.png"
        if write_plot(found, path):
            print(f"Plot: {path}")
    else:
        print(bounds_table(judged))
    return all(bound.kept for bound in judged)


def _judge_repeated(arguments: argparse.Namespace, results: Results) -> None:
    """A recording that comes again, as `everyday --only cached` measures it."""
    if _REPEATED in arguments.only and not results.judged():
        print(f"{_REPEATED} ...", flush=True)
        with tempfile.TemporaryDirectory(prefix="voice-transcriber-bench-") as folder:
            results.keep_judged(cached_bounds(Path(folder), audio=arguments.audio))


def _measure(arguments: argparse.Namespace, results: Results) -> None:
    form = FORMS[arguments.form]
    print(f"{arguments.form}: {form.text}.\n", flush=True)
    there, reasons = contenders(arguments.ours, arguments.contenders)
    print("\n".join(reasons), flush=True)
    materials = Materials(arguments.audio, arguments.work / "recordings")
    setup = Setup(
        models=Models(arguments.work / "models", arguments.size),
        threads=cpu_threads(arguments.threads),
        clip=materials.recording(CLIP).path,
    )
    run_id = uuid.uuid4().hex[:8]
    turns = list(_turns(arguments, there))
    prepared: list[Mapping[str, str]] = []
    for number, turn in enumerate(turns, start=1):
        place = _place(turn, arguments.size)
        label = f"[{number}/{len(turns)}] {place.file_name.removesuffix('.json')}"
        known = results.find(place)
        if known is not None:
            _check_same(known, turn.contender, setup)
            print(f"{label}: there already", flush=True)
            continue
        if turn.contender.is_ours and turn.contender.settings not in prepared:
            prepared.append(turn.contender.settings)
            prepare(setup, turn.contender.settings)
        recordings = turn.workload.recordings(materials)
        measured = _measured(setup, turn, place, recordings, run_id)
        results.keep(measured)
        print(f"{label}: {_line(measured)}", flush=True)


def _turns(arguments: argparse.Namespace, there: Sequence[Contender]) -> Iterator[_Turn]:
    """By workload and round; in each round the next contender is the first one."""
    form = FORMS[arguments.form]
    for workload in workloads(form):
        if workload.group not in arguments.only:
            continue
        entered = [one for one in there if one.kind in workload.kinds]
        for number in range(1, (arguments.rounds or form.rounds) + 1):
            first = (number - 1) % max(1, len(entered))
            for beam in workload.beams:
                if arguments.beams and beam not in arguments.beams:
                    continue
                for contender in [*entered[first:], *entered[:first]]:
                    if workload.has(contender.kind, beam=beam, round=number):
                        yield _Turn(workload, contender, beam, number)


def _place(turn: _Turn, size: str) -> Place:
    return Place(
        workload=turn.workload.name,
        contender=turn.contender.name,
        size=size,
        beam=turn.beam,
        round=turn.round,
    )


def _check_same(known: Measurement, contender: Contender, setup: Setup) -> None:
    if (dict(known.settings), known.threads) != (dict(contender.settings), setup.threads):
        raise SystemExit(
            f"{known.place.file_name} was measured with {dict(known.settings)} and "
            f"{known.threads} threads: name another --results folder."
        )


def _measured(
    setup: Setup, turn: _Turn, place: Place, recordings: Sequence[Recording], run_id: str
) -> Measurement:
    machine = describe()
    task = Task(contender=turn.contender, beam=turn.beam, recordings=recordings)
    setup.model(turn.contender.kind)  # what is converted now is not measured
    with OtherLoad() as other:
        outcome = turn.workload.pass_of(turn.contender.kind)(setup, task)
    words, errors = _errors(recordings, outcome)
    return Measurement(
        place=place,
        text=turn.workload.text,
        kind=turn.contender.kind,
        settings=turn.contender.settings,
        threads=setup.threads,
        audio_s=outcome.audio_s or sum(one.length_s for one in recordings),
        files=len(recordings),
        wall_s=outcome.wall_s,
        words=words,
        errors=errors,
        peak_mb=outcome.peak_mb,
        engine_mb=outcome.engine_mb,
        seconds=outcome.seconds,
        machine=machine,
        other_cores=other.cores,
        run=run_id,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _errors(recordings: Sequence[Recording], outcome: Outcome) -> tuple[int, float]:
    """Words of the true texts, and how many of them were not heard right."""
    if not outcome.texts:
        return 0, 0.0
    scores = [
        score(recording, Reading(text=text))
        for recording, text in zip(recordings, outcome.texts, strict=True)
        if recording.text
    ]
    return sum(one.words for one in scores), sum(one.errors for one in scores)


def _line(found: Measurement) -> str:
    rate = "" if found.error_rate is None else f", WER {found.error_rate:.2f} %"
    engine = "" if found.engine_mb is None else f", engine {found.engine_mb:.0f} MB"
    busy = f"; WARNING: more than {BUSY_CORES}" if found.other_cores > BUSY_CORES else ""
    load = found.machine.rpartition("load average")[2].strip()
    return (
        f"{found.wall_s:.2f} s, {found.speed:.1f} times real time{rate}, "
        f"{found.peak_mb:.0f} MB{engine}; load average before {load}, "
        f"others used {found.other_cores:.2f} cores{busy}"
    )
