"""Kills at random times: the program, its engine, its decoders, while jobs are in flight.

The promise: nothing acknowledged is lost, the program is ready again within 5 s and jobs go on
within 5 s more.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.faults.checker import verdict
from tests.faults.client import Client, wait_in_flight
from tests.faults.figures import spread
from tests.faults.progress import goes_on_s, spare_windows, standing
from tests.faults.server import Server
from tests.faults.sounds import Texts

CHILDREN = {"engine": "engines.child", "decoder": "decoder_child"}  # words of their commands
VICTIMS = ("app", "app", "app", "start", "engine", "decoder")  # of which one is drawn each time
START_LIFE_S = 2.0  # a program that is killed while it starts lives at most so long
DECODER_PATIENCE_S = 10.0  # decoders live for a moment each: one is waited for


@dataclass(frozen=True, kw_only=True)
class KillPlan:
    """How much is done to the program."""

    kills: int
    in_flight: int
    life_s: float  # between two kills it lives for a random time up to this
    seed: int


@dataclass
class KillNotes:
    """What the run measured."""

    victims: Counter[str] = field(default_factory=Counter)
    ready_s: list[float] = field(default_factory=list)
    resumed_s: list[float] = field(default_factory=list)  # after it was ready, or a child's death


def run(
    folder: Path, plan: KillPlan, recordings: Sequence[Path], texts: Texts, **settings: str
) -> dict[str, Any]:
    """The figures of one run; `violations` must be empty."""
    server = Server(folder, **settings)
    notes = KillNotes()
    try:
        server.start()
        with Client(server, recordings, in_flight=plan.in_flight).at_work():
            wait_in_flight(server, plan.in_flight)
            _kill_often(server, plan, notes)
        found = verdict(server, texts)
    finally:
        server.close()
    return {
        "kills": notes.victims.total(),
        "victims": dict(notes.victims),
        "acknowledged": len(server.accepted),
        "cut_off": server.log.unanswered,
        "ready_s": spread(notes.ready_s),
        "resumed_s": spread(notes.resumed_s),
        "violations": [str(one) for one in found],
    }


def _kill_often(server: Server, plan: KillPlan, notes: KillNotes) -> None:
    chance = random.Random(plan.seed)
    while notes.victims.total() < plan.kills:
        time.sleep(chance.uniform(0, plan.life_s))
        victim = chance.choice(VICTIMS)
        if victim in CHILDREN:
            spare_windows(server)
            hit = _kill_child(server, CHILDREN[victim], chance)
            notes.victims[victim] += hit
        else:
            server.kill()
            if victim == "start":
                server.launch()
                time.sleep(chance.uniform(0, START_LIFE_S))
                server.kill()
            notes.victims[victim] += 1
            notes.ready_s.append(server.start())
        if before := standing(server):
            notes.resumed_s.append(goes_on_s(server, before))


def _kill_child(server: Server, word: str, chance: random.Random) -> bool:
    """False when none came to life in time."""
    deadline_s = time.monotonic() + DECODER_PATIENCE_S
    while not (children := server.children(word)):
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.005)
    time.sleep(chance.uniform(0, 0.3))
    try:
        os.kill(chance.choice(children).pid, signal.SIGKILL)
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False
    return True
