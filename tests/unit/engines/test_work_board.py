"""What is in work is told before it begins, and a suspect is worked on alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.running import until
from voice_transcriber.engines.plan_lane import PlanLane
from voice_transcriber.engines.protocol import PlanRequest
from voice_transcriber.engines.work_board import PLANS, WINDOWS, WorkBoard
from voice_transcriber.job import Priority
from voice_transcriber.processes.channel import Channel, channel_pair

PATIENCE_S = 20.0


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    ours, theirs = channel_pair()
    yield ours, theirs
    for one in (ours, theirs):
        one.close()
    for one in (ours, theirs):  # to its end, where it is closed
        list(one.messages())


@pytest.fixture
def board(ends: tuple[Channel, Channel]) -> WorkBoard:
    return WorkBoard(ends[1])


class Other:
    """Work in another thread that lasts until it is ended."""

    def __init__(self, board: WorkBoard, lane: str, *, alone: bool = False) -> None:
        self.began = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, args=(board, lane, alone), daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._end.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def _work(self, board: WorkBoard, lane: str, alone: bool) -> None:
        with board.work(lane, [1], alone=alone):
            self.began.set()
            assert self._end.wait(PATIENCE_S)


def test_it_is_told_before_it_begins(board: WorkBoard, ends: tuple[Channel, Channel]) -> None:
    with board.work(WINDOWS, [3, 4]):
        told = next(ends[0].messages())
    assert told == {"event": "batch", "lane": "windows", "ids": [3, 4]}


def test_plans_and_windows_are_worked_on_side_by_side(board: WorkBoard) -> None:
    plan = Other(board, PLANS)
    assert plan.began.wait(PATIENCE_S)
    with board.work(WINDOWS, [2]):
        plan.end()


@pytest.mark.parametrize("first_alone", [True, False])
def test_a_suspect_and_other_work_wait_for_each_other(board: WorkBoard, first_alone: bool) -> None:
    first = Other(board, PLANS, alone=first_alone)
    assert first.began.wait(PATIENCE_S)
    second = Other(board, WINDOWS, alone=not first_alone)
    assert not second.began.wait(0.05)
    first.end()
    assert second.began.wait(PATIENCE_S)
    second.end()


def test_a_waiting_suspect_is_not_passed_for_ever(board: WorkBoard) -> None:
    plan = Other(board, PLANS)
    assert plan.began.wait(PATIENCE_S)
    suspect = Other(board, WINDOWS, alone=True)
    until(lambda: board._waiting_alone)
    plan.end()
    next_plan = Other(board, PLANS)
    assert suspect.began.wait(PATIENCE_S)
    assert not next_plan.began.is_set()
    suspect.end()
    next_plan.end()


def test_a_piece_of_work_that_fails_makes_room_for_the_next(board: WorkBoard) -> None:
    with pytest.raises(ValueError, match="broken"), board.work(WINDOWS, [1], alone=True):
        raise ValueError("broken")
    with board.work(PLANS, [2]):
        pass


def plan(priority: Priority = Priority.NORMAL) -> PlanRequest:
    return PlanRequest(
        pcm="audio.pcm",
        start=0,
        limit=16_000,
        is_last=True,
        vad_filter=True,
        level=True,
        priority=priority.value,
    )


def test_the_most_urgent_plan_is_made_first_and_a_cancelled_one_is_not(board: WorkBoard) -> None:
    made: list[int] = []
    lane = PlanLane(board, lambda request_id, _: made.append(request_id))
    asked = [Priority.LOW, Priority.HIGH, Priority.NORMAL, Priority.HIGH]
    for number, priority in enumerate(asked):
        lane.ask(number, plan(priority))
    lane.drop([3])
    lane.start()
    until(lambda: len(made) == 3)
    lane.end()
    assert made == [1, 2, 0]
