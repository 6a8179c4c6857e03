"""How the engine's process ends, and which windows are suspected of it."""

from __future__ import annotations

import os
import queue
import signal
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.running import until
from tests.unit.engines.hosts import OPTIONS, PATIENCE_S, poisoned, transcribed, window
from voice_transcriber.engines.child import process_starter
from voice_transcriber.engines.client import Answer, EngineClient, HostCrash
from voice_transcriber.engines.host_watch import Blame
from voice_transcriber.engines.protocol import WindowRequest
from voice_transcriber.errors import EngineCrashed, InternalError
from voice_transcriber.job import Priority
from voice_transcriber.processes.spawn import Spawner


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


def test_a_stopped_process_is_gone(process: EngineClient, pcm: str) -> None:
    transcribed(process, window(pcm))
    pid = process.pid
    assert pid is not None
    process.stop()
    assert not psutil.pid_exists(pid)
