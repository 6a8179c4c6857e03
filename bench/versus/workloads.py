"""What is measured: recordings, who reads them, with which beams, and how often."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from bench.recordings import Recording
from bench.versus.contenders import (
    BARE,
    BATCHED,
    FASTER,
    OURS,
    PEERS,
    SERVICE,
    WHISPER,
    WHISPER_CPP,
)
from bench.versus.materials import CLIP, LONG, MIDDLE, SHORT, Materials
from bench.versus.passes import Pass, in_own_process, over_http, urgent_clips

Make = Callable[[Materials], Sequence[Recording]]

HOUR_S = 3600.0
_BEAMS = (5, 1)
_SLOW = frozenset({WHISPER, *WHISPER_CPP})
GROUPS = ("long", "hour", "files", "clips", "express", "jobs", "lengths", "overhead")


@dataclass(frozen=True, kw_only=True)
class Workload:
    """`group` chooses it; `name` tells it from the same thing in another form."""

    group: str
    name: str
    text: str
    recordings: Make
    kinds: Sequence[str]  # of contenders
    beams: Sequence[int] = (5,)
    once: frozenset[str] = field(default_factory=frozenset)  # kinds that only the first round has
    one_beam: frozenset[str] = field(default_factory=frozenset)  # kinds that have beam 5 only
    service_pass: Pass = over_http

    def has(self, kind: str, *, beam: int, round: int) -> bool:
        """Whether the contender is measured with the beam in the round."""
        if kind in self.once and round > 1:
            return False
        return kind not in self.one_beam or beam == self.beams[0]

    def pass_of(self, kind: str) -> Pass:
        return self.service_pass if kind == SERVICE else in_own_process


@dataclass(frozen=True, kw_only=True)
class Form:
    """How much of everything; `text` says what is cut down."""

    text: str
    rounds: int
    long: str
    beams: Sequence[int]
    all_rounds_for_slow: bool
    batches: Sequence[str]
    hour_s: float | None  # None: no such workload
    files_source_s: float
    files: int
    clips_source: str
    clips: int
    express_s: float
    job_counts: Sequence[int]
    job_file: str
    minutes: Sequence[int]
    overhead_s: float


FORMS: Mapping[str, Form] = {
    "full": Form(
        text="everything, as the figures to reach name it; hours",
        rounds=3,
        long=LONG,
        beams=_BEAMS,
        all_rounds_for_slow=True,
        batches=BATCHED,
        hour_s=HOUR_S,
        files_source_s=HOUR_S,
        files=20,
        clips_source=LONG,
        clips=100,
        express_s=HOUR_S,
        job_counts=(1, 2, 4, 8),
        job_file=MIDDLE,
        minutes=(1, 10, 60, 180),
        overhead_s=HOUR_S,
    ),
    "short": Form(
        text="about 10 minutes with the dimensions of base: one round; 5 minutes in place of 12 as "
        "the long file and of an hour for the overhead; no hour-long file; 5 minutes in 5 files in "
        "place of an hour in 20; 20 clips of 100; 1, 2 and 4 jobs "
        "of 30 s; 1 and 5 minutes of length; batches of 8 only; openai-whisper and whisper.cpp "
        "with beam 5 only",
        rounds=1,
        long=MIDDLE,
        beams=_BEAMS,
        all_rounds_for_slow=False,
        batches=BATCHED[:1],
        hour_s=None,
        files_source_s=300.0,
        files=5,
        clips_source=LONG,
        clips=20,
        express_s=HOUR_S,
        job_counts=(1, 2, 4),
        job_file=SHORT,
        minutes=(1, 5),
        overhead_s=300.0,
    ),
    "trial": Form(
        text="shows that everything works, measures nothing: files of half a minute to two minutes",
        rounds=1,
        long=SHORT,
        beams=_BEAMS,
        all_rounds_for_slow=False,
        batches=BATCHED[:1],
        hour_s=None,
        files_source_s=30.0,
        files=3,
        clips_source=SHORT,
        clips=4,
        express_s=HOUR_S,
        job_counts=(1, 2),
        job_file=CLIP,
        minutes=(1,),
        overhead_s=60.0,
    ),
}


def workloads(form: Form) -> Iterator[Workload]:
    slow_once = frozenset() if form.all_rounds_for_slow else _SLOW
    quick = (OURS, FASTER, *form.batches)
    yield Workload(
        group="long",
        name=f"long-{form.long.partition('.')[0]}",
        text=f"one file, {form.long}",
        recordings=lambda materials: [materials.recording(form.long)],
        kinds=(OURS, *(kind for kind in PEERS if kind not in BATCHED or kind in form.batches)),
        beams=form.beams,
        one_beam=slow_once,
    )
    if form.hour_s:
        yield Workload(
            group="hour",
            name="hour",
            text="one file of an hour, made of several recordings",
            recordings=partial(_several, form.hour_s),
            kinds=(*quick, WHISPER),
            beams=form.beams,
            once=_SLOW,
            one_beam=_SLOW,
        )
    yield Workload(
        group="files",
        name=f"files-{form.files}",
        text=f"{form.files} files, {form.files_source_s / 60:g} minutes together",
        recordings=partial(_files, form),
        kinds=(SERVICE, *quick),
    )
    yield Workload(
        group="clips",
        name=f"clips-{form.clips}",
        text=f"{form.clips} clips of about 5 s; ours at once, the others one after the other",
        recordings=lambda materials: materials.pieces(
            materials.recording(form.clips_source), piece_s=5.0, most=form.clips
        ),
        kinds=(SERVICE, *quick),
        beams=form.beams,
    )
    yield Workload(
        group="express",
        name=f"express-{form.express_s:.0f}s",
        text="an urgent clip of 5 s while a long file runs, against an idle server",
        recordings=lambda materials: [materials.repeated(LONG, form.express_s)],
        kinds=(SERVICE,),
        service_pass=urgent_clips,
    )
    yield from _growth(form)
    yield Workload(
        group="overhead",
        name=f"overhead-{form.overhead_s:.0f}s",
        text="the service against its own engine alone",
        recordings=partial(_several, form.overhead_s),
        kinds=(SERVICE, BARE),
    )


def _growth(form: Form) -> Iterator[Workload]:
    for count in form.job_counts:
        yield Workload(
            group="jobs",
            name=f"jobs-{count}-{form.job_file.partition('.')[0]}",
            text=f"{count} jobs of {form.job_file}",
            recordings=partial(_same, form.job_file, count),
            kinds=(SERVICE,),
        )
    for minutes in form.minutes:
        yield Workload(
            group="lengths",
            name=f"length-{minutes}min",
            text=f"one file of {minutes} min",
            recordings=partial(_repeated, minutes),
            kinds=(OURS, FASTER, *form.batches[:1]),
            once=frozenset({OURS, FASTER, *BATCHED}),
        )


def _several(seconds: float, materials: Materials) -> Sequence[Recording]:
    return [materials.several(seconds)]


def _files(form: Form, materials: Materials) -> Sequence[Recording]:
    source = materials.several(form.files_source_s)
    return materials.pieces(source, piece_s=source.length_s / form.files)


def _same(name: str, count: int, materials: Materials) -> Sequence[Recording]:
    return [materials.recording(name)] * count


def _repeated(minutes: int, materials: Materials) -> Sequence[Recording]:
    return [materials.repeated(LONG, 60.0 * minutes)]
