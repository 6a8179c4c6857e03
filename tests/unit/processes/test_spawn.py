"""Children run beside the app, print into the log, and never outlive the app."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from tests.running import until
from voice_transcriber.engines.protocol import HostOptions
from voice_transcriber.processes.spawn import Child, Spawner

PROJECT = Path(__file__).resolve().parents[3]
ENGINE = "voice_transcriber.engines.child"
OPTIONS = json.dumps(
    asdict(
        HostOptions(
            engine="fake",
            threads=1,
            batch_size=1,
            model_cache_size=1,
            use_gpu=False,
            free_memory_early=False,
        )
    )
)
PARENT = """
import sys, time
from voice_transcriber.processes.spawn import Spawner
spawner = Spawner()
child = spawner.start(sys.argv[1], [sys.argv[2]])
child.channel.send({"op": "unload", "idle_s": 0})
print(next(child.channel.messages()), child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def spawner() -> Iterator[Spawner]:
    spawner = Spawner()
    yield spawner
    spawner.stop()


def spoken(child: Child) -> Iterator[dict[str, object]]:
    """What the engine's loop says, without its heartbeat. As long as this lives, the child can."""
    return (message for message in child.channel.messages() if message["event"] != "beat")


def answer(child: Child, messages: Iterator[dict[str, object]]) -> dict[str, object]:
    """What the engine's loop says when it is asked to unload: it runs."""
    next(messages)  # it tells of itself before it is asked
    child.channel.send({"op": "unload", "idle_s": 0})
    return next(messages)


def end(child: Child) -> None:
    child.channel.close()
    with child.process:
        child.kill()


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_child_answers_over_its_channel(spawner: Spawner) -> None:
    child = spawner.start(ENGINE, [OPTIONS])
    told = answer(child, spoken(child))
    assert (told["event"], told["loaded"]) == ("models", [])
    end(child)


def test_what_a_child_prints_goes_to_its_log(spawner: Spawner, tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    with log.open("wb") as file:
        child = spawner.start(ENGINE, ["not JSON"], log=file)
    with child.process:
        assert child.process.wait() != 0
    assert "JSONDecodeError" in log.read_text(encoding="utf-8")


def test_a_child_ends_when_its_channel_does(spawner: Spawner) -> None:
    child = spawner.start(ENGINE, [OPTIONS])
    messages = spoken(child)
    answer(child, messages)
    child.channel.close()
    with child.process:
        assert child.process.wait(timeout=30) == 0


def test_a_child_lives_on_when_the_thread_that_asked_for_it_ends(spawner: Spawner) -> None:
    children: list[Child] = []
    thread = threading.Thread(target=lambda: children.append(spawner.start(ENGINE, [OPTIONS])))
    thread.start()
    thread.join()
    (child,) = children
    assert answer(child, spoken(child))["event"] == "models"
    end(child)


def test_a_second_kill_is_harmless(spawner: Spawner) -> None:
    child = spawner.start(ENGINE, [OPTIONS])
    child.kill()
    end(child)
    assert child.process.returncode == -signal.SIGKILL


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs PR_SET_PDEATHSIG")
def test_no_child_outlives_a_parent_that_was_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, ENGINE, OPTIONS],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline().split()[-1])
        assert not is_gone(pid)
        os.kill(parent.pid, signal.SIGKILL)
    until(lambda: is_gone(pid))


def test_interrupts_of_the_terminal_are_the_parents_business(spawner: Spawner) -> None:
    child = spawner.start(ENGINE, [OPTIONS])
    messages = child.channel.messages()
    child.channel.send({"op": "unload", "idle_s": 0})
    next(messages)
    os.kill(child.pid, signal.SIGINT)
    child.channel.send({"op": "unload", "idle_s": 0})
    assert next(messages)["event"] == "models"
    end(child)
