"""Chunks of one job side by side: their order, their failures, and what is kept of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.makers import ERROR, Jobs
from tests.unit.jobs.scripted_engine import STAGES_S, Fault, ScriptedEngine
from voice_transcriber.audio.decode import PCM_NAME, REPORT_NAME, Decoding
from voice_transcriber.audio.probe import Probe
from voice_transcriber.engines.protocol import LanguageRequest, PlanRequest, Request, WindowRequest
from voice_transcriber.errors import (
    EngineError,
    EngineOutOfMemory,
    InternalError,
    ModelDamaged,
    PartsFailed,
    TranscriberError,
)
from voice_transcriber.job import SAMPLE_RATE, Claim, TranscribeOptions, WindowStatus
from voice_transcriber.jobs import backoff
from voice_transcriber.jobs.control import JobControl
from voice_transcriber.jobs.losses import loss
from voice_transcriber.jobs.transcription import Transcription, TranscriptionOptions
from voice_transcriber.store.sqlite import SqliteStore
from voice_transcriber.transcript.merge import merge_segments

ENGLISH = TranscribeOptions(model="demo", language="en")
AWAY = EngineError("The engine is away.")
PROBE = Probe(
    duration_s=None,
    container="wav",
    codec="pcm_s16le",
    sample_rate_hz=SAMPLE_RATE,
    channels=1,
    has_video=False,
)
MINUTE = 60 * SAMPLE_RATE


class NothingKnown:
    """In the place of the result cache."""

    def find(self, *_arguments: object, **_options: object) -> None: ...

    def keep(self, *_arguments: object, **_options: object) -> None: ...


@dataclass
class Run:
    """A recording, and attempts at it."""

    store: SqliteStore
    claim: Claim
    decoding: Decoding
    stack: ExitStack  # ends with the recording
    parallel: int = 4
    chunk_size_s: float = 120.0

    def attempt(self, engine: ScriptedEngine) -> Transcription:
        """Run it to its end."""
        self.stack.callback(engine.stop)
        transcription = Transcription(
            job=self.store.get(self.claim.job_id),
            claim=self.claim,
            checkpoint=Path("demo.pt"),
            decoding=self.decoding,
            store=self.store,
            engine=engine,
            control=JobControl(),
            options=TranscriptionOptions(
                chunk_size_s=self.chunk_size_s,
                parallel_chunks=self.parallel,
                level_audio=False,
                beam_size=5,
                windows_in_flight=16,
            ),
            known=NothingKnown(),  # type: ignore[arg-type]
            on_decoded=lambda: None,
        )
        transcription.run()
        return transcription


@contextmanager
def recording(*, minutes: float = 10, options: TranscribeOptions = ENGLISH) -> Iterator[Run]:
    """A job with its decoded audio."""
    samples = round(minutes * MINUTE)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        with (folder / PCM_NAME).open("wb") as file:
            file.truncate(2 * samples)
        report = {"samples": samples, "broken_parts": 0, "probe": asdict(PROBE)}
        (folder / REPORT_NAME).write_text(json.dumps(report), encoding="utf-8")
        store = SqliteStore(folder / "jobs.db")
        stack.callback(store.close)
        decoding = Decoding.from_report(folder)
        assert decoding is not None
        claim = Jobs(store).running(options=options, duration_s=samples / SAMPLE_RATE)
        yield Run(store, claim, decoding, stack)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(backoff, "RETRY_DELAYS_S", (0.0, 0.0, 0.0))
    caplog.set_level(logging.CRITICAL, logger="voice_transcriber.jobs")


@pytest.fixture
def run() -> Iterator[Run]:
    with recording() as run:
        yield run


def text_of(transcription: Transcription) -> str:
    return "".join(one.text for one in merge_segments(transcription.ledger.segments.values()))


def chunk_at(run: Run, window: WindowRequest) -> int:
    chunks = run.store.plan(run.claim.job_id).chunks
    return next(one.index for one in chunks if one.start_sample <= window.start < one.end_sample)


def failing(start_s: int, end_s: int, *, times: int, error: TranscriberError = AWAY) -> Fault:
    """Windows that start there fail so often, each."""
    tries: dict[int, int] = {}

    def fault(request: Request) -> TranscriberError | None:
        if not isinstance(request, WindowRequest):
            return None
        if not start_s <= request.start / SAMPLE_RATE < end_s:
            return None
        tries[request.start] = tries.get(request.start, 0) + 1
        return error if tries[request.start] <= times else None

    return fault


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1_000_000),
    parallel=st.integers(1, 5),
    minutes=st.floats(0.2, 12),
    left_out=st.sets(st.integers(0, 23), max_size=4),
)
def test_the_text_is_in_the_order_of_time_whatever_ends_first(
    seed: int, parallel: int, minutes: float, left_out: set[int]
) -> None:
    def leave_out(request: WindowRequest) -> int | None:
        """Some windows leave out what lies behind their tenth second."""
        rest = request.start + 10 * SAMPLE_RATE
        is_whole = request.end - request.start > 15 * SAMPLE_RATE
        return rest if is_whole and request.start // (30 * SAMPLE_RATE) in left_out else None

    with recording(minutes=minutes) as run:
        run.parallel = parallel
        engine = ScriptedEngine(seed=seed, leave_out=leave_out)
        transcription = run.attempt(engine)
        starts = sorted(window.start for window in engine.windows())
        assert text_of(transcription) == "".join(f" {at / SAMPLE_RATE:.0f}" for at in starts)
        assert len(starts) == len(set(starts))
        assert loss(transcription.ledger, crash_cause="") is None
        plan = run.store.plan(run.claim.job_id)
        assert plan.chunks[0].start_sample == 0
        assert plan.chunks[-1].end_sample == run.decoding.samples
        assert [one.end_sample for one in plan.chunks[:-1]] == [
            one.start_sample for one in plan.chunks[1:]
        ]
        assert sorted(plan.segments) == starts
        assert run.store.get(run.claim.job_id).percent == 100


def test_chunks_go_side_by_side(run: Run) -> None:
    engine = ScriptedEngine(slow=lambda request: request.start < 100 * SAMPLE_RATE)
    run.attempt(engine)
    order = [chunk_at(run, window) for window in engine.answered]
    assert set(order[: order.index(0)]) == {1, 2, 3, 4, 5}


def test_a_chunk_without_a_language_ends_where_its_plan_found_quiet() -> None:
    questions = 0

    def fault(request: Request) -> TranscriberError | None:
        nonlocal questions
        questions += isinstance(request, LanguageRequest)
        return AWAY if isinstance(request, LanguageRequest) and questions <= 4 else None

    with recording(options=TranscribeOptions(model="demo")) as run:
        run.attempt(ScriptedEngine(fault=fault))
        chunks = run.store.plan(run.claim.job_id).chunks
        assert chunks[0].error == AWAY.message
        assert chunks[0].end_sample == chunks[1].start_sample == 115 * SAMPLE_RATE


def test_they_go_one_after_the_other_when_one_is_allowed(run: Run) -> None:
    run.parallel = 1
    engine = ScriptedEngine()
    run.attempt(engine)
    order = [chunk_at(run, window) for window in engine.windows()]
    assert order == sorted(order)
    assert max(order) >= 4


def test_the_first_chunk_decides_the_language_of_all() -> None:
    with recording(options=TranscribeOptions(model="demo")) as run:
        engine = ScriptedEngine()
        transcription = run.attempt(engine)
        assert (transcription.main_language, transcription.language_probability) == ("de", 0.8)
        assert {window.language for window in engine.windows()} == {"de"}
        assert sum(isinstance(one, LanguageRequest) for one in engine.heard) == 1


def test_a_chunk_that_fails_is_tried_again_and_the_others_go_on(run: Run) -> None:
    undisturbed = text_of(run.attempt(ScriptedEngine()))
    with recording() as other:
        transcription = other.attempt(ScriptedEngine(fault=failing(140, 150, times=3)))
        assert text_of(transcription) == undisturbed
        chunks = other.store.plan(other.claim.job_id).chunks
        assert [chunk.attempt for chunk in chunks][:2] == [1, 4]
        assert loss(transcription.ledger, crash_cause="") is None


def test_windows_that_fail_together_are_one_failure_of_their_chunk(run: Run) -> None:
    """All four windows of the second chunk fail twice: six of eight failures would end it."""
    transcription = run.attempt(ScriptedEngine(fault=failing(115, 230, times=1)))
    assert loss(transcription.ledger, crash_cause="") is None
    assert all(one.attempt <= 4 for one in run.store.plan(run.claim.job_id).chunks)


def test_a_chunk_that_fails_for_good_costs_the_others_nothing(run: Run) -> None:
    transcription = run.attempt(ScriptedEngine(fault=failing(120, 200, times=100)))
    plan = run.store.plan(run.claim.job_id)
    given_up = [chunk for chunk in plan.chunks if chunk.error]
    assert [chunk.error for chunk in given_up] == [AWAY.message]
    missing = {window.start_sample for window in plan.windows} - set(plan.segments)
    assert missing
    assert all(120 <= start / SAMPLE_RATE < 240 for start in missing)
    statuses = {window.status for window in plan.windows}
    assert statuses == {WindowStatus.DONE, WindowStatus.FAILED}
    error = loss(transcription.ledger, crash_cause="")
    assert isinstance(error, PartsFailed)
    assert AWAY.message.rstrip(".") in error.message


def always(kind: type[Request], *, start_s: int = 0) -> Fault:
    """The engine fails at whatever is of this kind, from a second of the recording on."""

    def fault(request: Request) -> TranscriberError | None:
        if not isinstance(request, kind):
            return None
        at = request.windows[0][0] if isinstance(request, LanguageRequest) else request.start
        return AWAY if at >= start_s * SAMPLE_RATE else None

    return fault


@pytest.mark.parametrize("kind", [PlanRequest, LanguageRequest, WindowRequest])
@pytest.mark.parametrize("parallel", [1, 4])
def test_an_engine_that_fails_at_everything_puts_the_job_back(
    monkeypatch: pytest.MonkeyPatch, kind: type[Request], parallel: int
) -> None:
    monkeypatch.setattr(backoff, "RETRY_DELAYS_S", (600.0, 600.0, 600.0))
    with recording(options=TranscribeOptions(model="demo")) as run:
        run.parallel = parallel
        with pytest.raises(EngineError, match="away"):
            run.attempt(ScriptedEngine(fault=always(kind)))
        chunks = run.store.plan(run.claim.job_id).chunks
        assert [chunk.failures for chunk in chunks if chunk.failures] == [1] * (
            parallel if kind is WindowRequest else 1
        )


def test_an_engine_that_fails_from_some_time_on_puts_the_job_back(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "RETRY_DELAYS_S", (600.0, 600.0, 600.0))
    with pytest.raises(EngineError, match="away"):
        run.attempt(ScriptedEngine(fault=always(WindowRequest, start_s=250)))
    assert run.store.plan(run.claim.job_id).segments


@pytest.mark.parametrize("place", ["plan", "windows"])
def test_a_retry_does_only_what_is_missing(run: Run, place: str) -> None:
    def plan_fails(request: Request) -> TranscriberError | None:
        return AWAY if isinstance(request, PlanRequest) and request.start == start else None

    undisturbed = text_of(run.attempt(ScriptedEngine()))
    start = run.store.plan(run.claim.job_id).chunks[1].start_sample
    with recording() as other:
        fault = plan_fails if place == "plan" else failing(120, 200, times=100)
        first = other.attempt(ScriptedEngine(fault=fault))
        assert isinstance(loss(first.ledger, crash_cause=""), PartsFailed)
        done = set(other.store.plan(other.claim.job_id).segments)
        other.claim = again(other)
        engine = ScriptedEngine()
        second = other.attempt(engine)
        assert loss(second.ledger, crash_cause="") is None
        assert not done & {window.start for window in engine.windows()}
        if place == "windows":
            assert text_of(second) == undisturbed
            assert engine.plans() == []
        else:
            assert [plan.start for plan in engine.plans()] == [start]


def again(run: Run) -> Claim:
    """The job failed, and a person has pressed the button."""
    run.store.fail(run.claim, ERROR, {})
    run.store.retry(run.claim.job_id, max_queued=10)
    return Jobs(run.store).claim()


def test_a_restart_knows_how_often_a_chunk_has_failed(run: Run) -> None:
    fails_twice, stops = (
        failing(140, 150, times=2),
        failing(140, 150, times=3, error=ModelDamaged()),
    )

    def fault(request: Request) -> TranscriberError | None:
        stop = stops(request)
        return fails_twice(request) or stop

    with pytest.raises(ModelDamaged):
        run.attempt(ScriptedEngine(fault=fault))
    before = run.store.plan(run.claim.job_id)
    assert before.chunks[1].failures == 2
    run.store.release(run.claim)
    run.claim = Jobs(run.store).claim()
    run.attempt(ScriptedEngine())
    after = run.store.plan(run.claim.job_id)
    assert after.chunks[1].failures == 2
    assert before.segments.items() <= after.segments.items()


def test_without_memory_for_a_plan_chunks_become_shorter(run: Run) -> None:
    limit_s = 100.0

    def fault(request: Request) -> TranscriberError | None:
        too_long = (
            isinstance(request, PlanRequest)
            and request.limit - request.start > limit_s * SAMPLE_RATE
        )
        return EngineOutOfMemory() if too_long else None

    engine = ScriptedEngine(fault=fault)
    transcription = run.attempt(engine)
    assert loss(transcription.ledger, crash_cause="") is None
    lengths = {round((one.limit - one.start) / SAMPLE_RATE) for one in engine.plans()}
    assert max(lengths) == 120
    assert 60 in lengths


def test_a_window_that_met_a_fault_of_ours_goes_again_alone(run: Run) -> None:
    fault = failing(0, 5, times=1, error=InternalError("A mistake."))
    engine = ScriptedEngine(fault=fault)
    transcription = run.attempt(engine)
    assert [one.alone for one in engine.windows() if one.start == 0] == [False, True]
    assert loss(transcription.ledger, crash_cause="") is None


def test_a_fault_of_the_model_ends_the_job(run: Run) -> None:
    with pytest.raises(ModelDamaged):
        run.attempt(ScriptedEngine(fault=failing(60, 70, times=1, error=ModelDamaged())))


def test_stages_add_up(run: Run) -> None:
    transcription = run.attempt(ScriptedEngine())
    stages_s = transcription.stages_s
    windows = len(transcription.ledger.segments)
    for name, seconds in STAGES_S.items():
        assert stages_s[name] == pytest.approx(windows * seconds)
    assert stages_s["write"] > 0
    assert stages_s["wait"] >= 0
    assert stages_s["vad"] == 0.125 * len(run.store.plan(run.claim.job_id).chunks)
