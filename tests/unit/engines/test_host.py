"""The engine's loop with the fake engine: in a thread and in a process it answers alike."""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import psutil
import pytest

from tests.recordings import poison, silence, tone, write_pcm
from tests.running import until
from tests.unit.engines.held_engine import HeldEngine, HeldModel
from tests.unit.engines.requests import window_request
from voice_transcriber.engines.checkpoints import DEMO_FILE
from voice_transcriber.engines.child import (
    HostStarter,
    RunningHost,
    process_starter,
    thread_starter,
)
from voice_transcriber.engines.client import Answer, EngineClient, HostCrash
from voice_transcriber.engines.gpu_policy import DeviceMemory
from voice_transcriber.engines.host import EngineHost
from voice_transcriber.engines.host_watch import Blame, Death
from voice_transcriber.engines.model_desk import Memory
from voice_transcriber.engines.protocol import (
    ON_CPU,
    ON_GPU,
    HostOptions,
    LanguageReply,
    LanguageRequest,
    LoadReply,
    LoadRequest,
    ModelKey,
    Place,
    PlanReply,
    PlanRequest,
    WindowReply,
    WindowRequest,
)
from voice_transcriber.engines.registry import ENGINES, EngineEntry
from voice_transcriber.errors import EngineCrashed, InternalError, ModelDamaged, ModelTooLarge
from voice_transcriber.job import SAMPLE_RATE, Priority
from voice_transcriber.processes.channel import Channel, channel_pair
from voice_transcriber.processes.spawn import Spawner

OPTIONS = HostOptions(
    engine="fake",
    threads=1,
    batch_size=4,
    model_cache_size=2,
    use_gpu=False,
    free_memory_early=False,
)
PATIENCE_S = 30.0
POISONED_S = 10  # of the recording the eleventh second ends the fake engine

Starter = Callable[[], HostStarter]


class ThreadedHost:
    """The loop in threads of the test."""

    pid = None

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    def kill(self) -> None:
        self.channel.close()

    def death(self) -> Death:
        return Death(cause="the test ended")


@pytest.fixture
def in_process(tmp_path: Path) -> Iterator[HostStarter]:
    spawner = Spawner()
    yield process_starter(spawner, OPTIONS, tmp_path / "engine.log")
    spawner.stop()


@pytest.fixture
def process(in_process: HostStarter) -> Iterator[EngineClient]:
    client = EngineClient(in_process)
    yield client
    stop(client)


@pytest.fixture(params=["thread", "process"])
def client(request: pytest.FixtureRequest) -> Iterator[EngineClient]:
    if request.param == "process":
        yield request.getfixturevalue("process")
        return
    client = EngineClient(thread_starter(OPTIONS))
    yield client
    stop(client)


def stop(client: EngineClient) -> None:
    client.stop()
    until(lambda: not client.is_running)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@pytest.fixture
def pcm(tmp_path: Path) -> str:
    """Ten seconds of sound, one that ends the engine, twenty of sound."""
    samples = np.concatenate([tone(10), poison(1), tone(20, pitch_hz=300)])
    return str(write_pcm(tmp_path / "audio.pcm", samples))


def window(pcm: str, *, start_s: int = 0, end_s: int = POISONED_S, **changes: Any) -> WindowRequest:
    return window_request(
        pcm=pcm,
        checkpoint=str(DEMO_FILE),
        start=start_s * SAMPLE_RATE,
        end=end_s * SAMPLE_RATE,
        speech_end=end_s * SAMPLE_RATE,
        **changes,
    )


def poisoned(pcm: str, **changes: Any) -> WindowRequest:
    return window(pcm, start_s=POISONED_S, end_s=POISONED_S + 1, **changes)


def transcribed(client: EngineClient, request: WindowRequest) -> WindowReply:
    reply = client.call(request)
    assert isinstance(reply, WindowReply)
    return reply


def test_it_answers_with_segments_in_the_time_of_the_file(client: EngineClient, pcm: str) -> None:
    segments = transcribed(client, window(pcm, start_s=11, end_s=20)).segments
    assert (segments[0].start_ms, segments[-1].end_ms) == (11_000, 20_000)
    assert all(segment.text.strip() for segment in segments)
    assert segments[0].words is None


def test_the_same_window_gives_the_same_text_again(client: EngineClient, pcm: str) -> None:
    first, again = (transcribed(client, window(pcm)) for _ in range(2))
    assert [one.text for one in first.segments] == [one.text for one in again.segments]


def test_words_lie_within_their_segments_in_the_time_of_the_file(
    client: EngineClient, pcm: str
) -> None:
    reply = transcribed(client, window(pcm, start_s=11, end_s=20, word_timestamps=True))
    for segment in reply.segments:
        assert segment.words is not None
        assert "".join(word.text for word in segment.words) + "." == segment.text
        assert [11_000 <= word.start_ms <= word.end_ms <= 20_000 for word in segment.words]


def test_it_plans_a_chunk(client: EngineClient, tmp_path: Path) -> None:
    path = write_pcm(tmp_path / "pause.pcm", np.concatenate([silence(5), tone(10), silence(10)]))
    end = 25 * SAMPLE_RATE
    reply = client.call(
        PlanRequest(pcm=str(path), start=0, limit=end, is_last=True, vad_filter=True, level=True)
    )
    assert isinstance(reply, PlanReply)
    ((start, stop, speech_end),) = reply.windows
    assert (reply.end, reply.gain) == (end, 1.0)
    assert start < 5 * SAMPLE_RATE < 15 * SAMPLE_RATE <= speech_end < stop < 16 * SAMPLE_RATE


def test_a_chunk_that_is_not_the_last_is_cut_where_it_is_quiet(
    client: EngineClient, tmp_path: Path
) -> None:
    path = write_pcm(tmp_path / "long.pcm", np.concatenate([tone(45), silence(1), tone(20)]))
    limit = 60 * SAMPLE_RATE
    reply = client.call(
        PlanRequest(pcm=str(path), start=0, limit=limit, is_last=False, vad_filter=True, level=True)
    )
    assert isinstance(reply, PlanReply)
    assert 45 * SAMPLE_RATE < reply.end < 46 * SAMPLE_RATE


def short_plan(pcm: str) -> PlanRequest:
    """Of a second."""
    return PlanRequest(
        pcm=pcm, start=0, limit=SAMPLE_RATE, is_last=True, vad_filter=True, level=False
    )


def test_a_plan_does_not_wait_for_a_batch_to_end(process: EngineClient, tmp_path: Path) -> None:
    """The window takes a second at least, the plan of a second of sound a few milliseconds."""
    path = str(write_pcm(tmp_path / "long.pcm", tone(100)))
    transcribed(process, window(path, end_s=1))
    came: queue.SimpleQueue[str] = queue.SimpleQueue()
    process.submit(window(path, end_s=100), lambda *_: came.put("window"))
    until(lambda: process.is_at_work)
    process.submit(short_plan(path), lambda *_: came.put("plan"))
    assert [came.get(timeout=PATIENCE_S) for _ in range(2)] == ["plan", "window"]


def long_batch(client: EngineClient, pcm: str, answers: list[str], **changes: Any) -> None:
    """Four windows of 19 seconds, submitted; returns while they are in work."""
    for number in range(4):
        client.submit(
            window(pcm, start_s=11, end_s=30, priority=Priority.LOW.value, **changes),
            lambda *_, number=number: answers.append(f"window {number}"),
        )
    until(lambda: client.is_at_work)


def test_an_urgent_window_passes_in_the_middle_of_a_batch(client: EngineClient, pcm: str) -> None:
    transcribed(client, window(pcm))  # the model is in memory
    answers: list[str] = []
    long_batch(client, pcm, answers)
    reply = transcribed(client, window(pcm, end_s=2, priority=Priority.HIGH.value))
    assert answers == []
    assert reply.segments[0].text == transcribed(client, window(pcm, end_s=2)).segments[0].text
    until(lambda: len(answers) == 4)


def test_its_language_is_told_in_the_middle_of_a_batch(client: EngineClient, pcm: str) -> None:
    transcribed(client, window(pcm))
    answers: list[str] = []
    long_batch(client, pcm, answers)
    request = LanguageRequest(
        pcm=pcm, model="demo", checkpoint=str(DEMO_FILE), gain=1.0, windows=[(0, SAMPLE_RATE)]
    )
    assert isinstance(client.call(request), LanguageReply)
    assert answers == []
    until(lambda: len(answers) == 4)


def test_a_question_that_must_be_alone_waits_for_the_end_of_the_batch(
    client: EngineClient, pcm: str
) -> None:
    transcribed(client, window(pcm))
    answers: list[str] = []
    long_batch(client, pcm, answers)
    request = LanguageRequest(
        pcm=pcm,
        model="demo",
        checkpoint=str(DEMO_FILE),
        gain=1.0,
        windows=[(0, SAMPLE_RATE)],
        alone=True,
    )
    assert isinstance(client.call(request), LanguageReply)
    assert len(answers) == 4


def test_a_window_that_is_not_more_urgent_waits(client: EngineClient, pcm: str) -> None:
    transcribed(client, window(pcm))
    answers: list[str] = []
    long_batch(client, pcm, answers)
    transcribed(client, window(pcm, end_s=2, priority=Priority.LOW.value))
    assert len(answers) == 4


def test_nothing_passes_a_window_that_must_be_alone(client: EngineClient, pcm: str) -> None:
    transcribed(client, window(pcm))
    answers: list[str] = []
    client.submit(
        window(pcm, start_s=11, end_s=30, priority=Priority.LOW.value, alone=True),
        lambda *_: answers.append("alone"),
    )
    until(lambda: client.is_at_work)
    transcribed(client, window(pcm, end_s=2, priority=Priority.HIGH.value))
    assert answers == ["alone"]


def test_an_urgent_window_that_ends_the_process_is_a_suspect_with_the_batch(
    process: EngineClient, pcm: str
) -> None:
    transcribed(process, window(pcm))
    answers: list[Answer] = []
    for _ in range(4):
        process.submit(
            window(pcm, start_s=11, end_s=30, priority=Priority.LOW.value),
            lambda _id, answer: answers.append(answer),
        )
    until(lambda: process.is_at_work)
    process.submit(
        poisoned(pcm, priority=Priority.HIGH.value), lambda _id, answer: answers.append(answer)
    )
    until(lambda: len(answers) == 5)
    assert [one.blame for one in answers if isinstance(one, HostCrash)] == [Blame.BATCH] * 5


def test_it_says_how_likely_each_language_is_in_each_window(client: EngineClient, pcm: str) -> None:
    reply = client.call(
        LanguageRequest(
            pcm=pcm,
            model="demo",
            checkpoint=str(DEMO_FILE),
            gain=1.0,
            windows=[(0, SAMPLE_RATE), (SAMPLE_RATE, 2 * SAMPLE_RATE)],
        )
    )
    assert isinstance(reply, LanguageReply)
    assert reply.votes == [{"en": 0.9, "de": 0.1}] * 2


def test_a_clip_whose_language_was_asked_for_does_not_miss_the_next_batch(
    process: EngineClient, pcm: str, tmp_path: Path
) -> None:
    clip = str(write_pcm(tmp_path / "clip.pcm", tone(1)))
    came: queue.SimpleQueue[str] = queue.SimpleQueue()
    transcribed(process, window(clip, end_s=1))

    def ask_for_text(*_: object) -> None:
        process.submit(window(clip, end_s=1, priority=0), lambda *_: came.put("clip"))

    for number in range(3):  # each a batch of its own
        process.submit(window(pcm, prompt=f"long {number}"), lambda *_: came.put("long"))
    process.submit(
        LanguageRequest(
            pcm=clip,
            model="demo",
            checkpoint=str(DEMO_FILE),
            gain=1.0,
            windows=[(0, SAMPLE_RATE)],
        ),
        ask_for_text,
    )
    assert [came.get(timeout=PATIENCE_S) for _ in range(4)].index("clip") <= 1


def test_windows_that_come_while_a_batch_is_encoded_join_it(
    monkeypatch: pytest.MonkeyPatch, pcm: str
) -> None:
    model = HeldModel()
    monkeypatch.setattr(HeldEngine, "model", model)
    entry = replace(ENGINES["fake"], engine="tests.unit.engines.held_engine:HeldEngine")
    monkeypatch.setitem(cast(dict[str, EngineEntry], ENGINES), "held", entry)
    options = replace(OPTIONS, engine="held")
    client = EngineClient(lambda: started(options, place=ON_CPU, free_bytes=10**12))
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    client.submit(window(pcm), lambda _, answer: answers.put(answer))
    assert model.encoding.wait(PATIENCE_S)
    for second in range(OPTIONS.batch_size):
        request = window(pcm, start_s=second, end_s=second + 1)
        client.submit(request, lambda _, answer: answers.put(answer))
    client.call(short_plan(pcm))  # it was read after the windows
    model.may_go_on.set()
    for _ in range(OPTIONS.batch_size + 1):
        assert isinstance(answers.get(timeout=PATIENCE_S), WindowReply)
    assert model.batches == [OPTIONS.batch_size, 1]
    stop(client)


def test_a_model_can_be_loaded_before_it_is_needed(client: EngineClient, pcm: str) -> None:
    reply = client.call(LoadRequest(model="demo", checkpoint=str(DEMO_FILE)))
    assert isinstance(reply, LoadReply)
    assert set(reply.stages_s) == {"load", "warm"}
    assert (client.models, client.loading) == ([ModelKey("demo")], None)
    assert transcribed(client, window(pcm)).segments


def test_a_model_that_is_larger_than_memory_is_an_answer_and_the_host_goes_on(
    client: EngineClient, pcm: str, tmp_path: Path
) -> None:
    huge = tmp_path / "huge.pt"
    with huge.open("wb") as file:
        file.truncate(10**13)  # takes no room on the disk
    with pytest.raises(ModelTooLarge, match="huge needs about"):
        client.call(window_request(pcm=pcm, model="huge", checkpoint=str(huge)))
    assert transcribed(client, window(pcm)).segments
    assert client.starts == 1


def started(options: HostOptions, *, place: Place, free_bytes: int) -> RunningHost:
    """A host on another place, or with other memory, than this machine's."""
    memory = Memory(
        cpu_free_bytes=lambda: free_bytes,
        gpu=lambda: DeviceMemory(free_bytes=free_bytes, total_bytes=free_bytes),
    )
    return started_with(options, place=place, memory=memory)


def started_with(options: HostOptions, *, place: Place, memory: Memory) -> RunningHost:
    ours, theirs = channel_pair()
    host = EngineHost(theirs, options, place=place, memory=memory)

    def compute() -> None:
        host.run()
        theirs.close()

    for task in (host.read, compute):
        threading.Thread(target=task, daemon=True).start()
    return ThreadedHost(ours)


@pytest.fixture
def on_failing_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineClient]:
    entry = replace(ENGINES["fake"], engine="tests.unit.engines.failing_gpu:FailingGpu")
    monkeypatch.setitem(cast(dict[str, EngineEntry], ENGINES), "failing-gpu", entry)
    options = replace(OPTIONS, engine="failing-gpu")
    client = EngineClient(lambda: started(options, place=ON_GPU, free_bytes=10**12))
    yield client
    stop(client)


def test_a_window_that_the_gpu_has_no_memory_for_is_decoded_on_the_cpu(
    on_failing_gpu: EngineClient, client: EngineClient, pcm: str
) -> None:
    moved, usual = transcribed(on_failing_gpu, window(pcm)), transcribed(client, window(pcm))
    assert moved.segments == usual.segments
    assert usual.place == replace(ON_CPU, engine="fake")
    assert moved.place == replace(
        ON_CPU,
        engine="failing-gpu",
        note="The GPU could not be used: There is not enough memory for the model demo. "
        "The CPU was used.",
    )


def test_a_gpu_that_fails_is_left_for_good(on_failing_gpu: EngineClient, pcm: str) -> None:
    request = LanguageRequest(
        pcm=pcm,
        model="demo",
        checkpoint=str(DEMO_FILE),
        gain=1.0,
        windows=[(0, SAMPLE_RATE)],
    )
    assert isinstance(on_failing_gpu.call(request), LanguageReply)
    assert on_failing_gpu.gpu_free_bytes is None
    place = transcribed(on_failing_gpu, window(pcm, model="copy")).place
    assert place is not None
    assert place.device == "cpu"
    assert "unspecified launch failure" in str(place.note)


def test_free_memory_that_is_told_decides(pcm: str) -> None:
    client = EngineClient(lambda: started(OPTIONS, place=ON_CPU, free_bytes=1000))
    with pytest.raises(ModelTooLarge, match=r"0\.0 GB are free"):
        client.call(window(pcm))
    assert (client.loading, client.models) == (None, [])
    stop(client)


def test_a_damaged_model_is_an_answer_and_the_host_goes_on(
    client: EngineClient, pcm: str, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"no checkpoint")
    request = window_request(pcm=pcm, model="broken", checkpoint=str(broken))
    with pytest.raises(ModelDamaged):
        client.call(request)
    assert (client.loading, client.models) == (None, [])
    assert transcribed(client, window(pcm)).segments
    assert client.starts == 1


def test_a_host_that_cannot_start_tells_the_last_lines_of_its_log(pcm: str, tmp_path: Path) -> None:
    spawner = Spawner()
    options = replace(OPTIONS, engine="none")
    client = EngineClient(process_starter(spawner, options, tmp_path / "engine.log"))
    with pytest.raises(EngineCrashed, match=r"exit status 1; .*KeyError: 'none'"):
        client.call(window(pcm))
    spawner.stop()


def test_a_fault_of_ours_is_an_answer_and_the_host_goes_on(client: EngineClient, pcm: str) -> None:
    with pytest.raises(InternalError):
        client.call(window("no such file"))
    assert transcribed(client, window(pcm)).segments
    assert client.starts == 1


def test_a_window_that_ends_the_process_alone_is_blamed(process: EngineClient, pcm: str) -> None:
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    process.submit(poisoned(pcm), lambda _, answer: answers.put(answer))
    answer = answers.get(timeout=PATIENCE_S)
    assert isinstance(answer, HostCrash)
    assert answer.blame is Blame.ALONE
    assert "SIGSEGV" in answer.cause


def test_the_companions_of_such_a_window_are_suspects_and_the_others_are_not(
    process: EngineClient, pcm: str
) -> None:
    transcribed(process, window(pcm))
    blames: queue.SimpleQueue[tuple[str, Answer]] = queue.SimpleQueue()

    def submit(name: str, request: WindowRequest) -> None:
        process.submit(request, lambda _, answer: blames.put((name, answer)))

    for number in range(3):  # keep it busy until the others have arrived
        submit("busy", window(pcm, start_s=11, end_s=31, prompt=f"busy {number}"))
    submit("poison", poisoned(pcm))
    submit("companion", window(pcm))
    submit("other", window(pcm, language="de"))
    answers = [blames.get(timeout=PATIENCE_S) for _ in range(6)]
    crashes = {name: one.blame for name, one in answers if isinstance(one, HostCrash)}
    assert crashes == {"poison": Blame.BATCH, "companion": Blame.BATCH, "other": Blame.NONE}


def test_a_killed_host_is_replaced_at_the_next_request(process: EngineClient, pcm: str) -> None:
    before = transcribed(process, window(pcm))
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: not process.is_running)
    after = transcribed(process, window(pcm))
    assert [one.text for one in after.segments] == [one.text for one in before.segments]
    assert process.starts == 2


def test_a_call_under_way_hears_that_the_host_was_killed(process: EngineClient, pcm: str) -> None:
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    process.submit(window(pcm), lambda _, answer: answers.put(answer))
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    answer = answers.get(timeout=PATIENCE_S)
    assert isinstance(answer, HostCrash)
    assert isinstance(answer.as_error(), EngineCrashed)
    assert "SIGKILL" in answer.as_error().message


def test_a_cancelled_window_is_not_worked_on(client: EngineClient, pcm: str) -> None:
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    ids = [
        client.submit(window(pcm, prompt=f"{number}"), lambda _, answer: answers.put(answer))
        for number in range(50)  # five seconds of work
    ]
    client.cancel(ids[:-1])
    assert isinstance(answers.get(timeout=PATIENCE_S), WindowReply)
    assert answers.empty()


def test_idle_models_are_let_go(client: EngineClient, pcm: str) -> None:
    transcribed(client, window(pcm))
    until(lambda: client.models == [ModelKey("demo")])
    client.unload_idle(idle_s=0)
    until(lambda: not client.models)


def test_a_stopped_process_is_gone(process: EngineClient, pcm: str) -> None:
    transcribed(process, window(pcm))
    pid = process.pid
    assert pid is not None
    process.stop()
    assert not psutil.pid_exists(pid)
