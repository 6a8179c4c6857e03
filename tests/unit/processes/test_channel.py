"""Messages between processes: whole ones arrive, and a cut one is noticed."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator

import pytest

from voice_transcriber.processes.channel import (
    MAX_MESSAGE_BYTES,
    Channel,
    ChannelBroken,
    channel_pair,
)


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    pair_ = channel_pair()
    yield pair_
    for one in pair_:
        one.close()
    for one in pair_:
        one._reader.close()


def received(data: bytes) -> list[object]:
    return list(Channel(io.BytesIO(data), io.BytesIO()).messages())


def frame(body: bytes, *, length: int | None = None) -> bytes:
    return (len(body) if length is None else length).to_bytes(4, "big") + body


def test_a_message_arrives_as_it_was_sent(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    message = {"id": 1, "text": "Grüße 👋\n", "windows": [[0, 1.5]], "none": None}
    left.send(message)
    assert next(right.messages()) == message


def test_both_sides_talk_at_once(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    left.send({"from": "left"})
    right.send({"from": "right"})
    assert next(left.messages()) == {"from": "right"}
    assert next(right.messages()) == {"from": "left"}


def test_messages_of_several_threads_do_not_mix(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    threads = [
        threading.Thread(target=left.send, args=({"text": letter * 200_000},))
        for letter in "abcdefgh"
    ]
    for thread in threads:
        thread.start()
    messages = right.messages()
    texts = {next(messages)["text"] for _ in threads}
    assert texts == {letter * 200_000 for letter in "abcdefgh"}


def test_end_of_file_between_messages_is_the_end() -> None:
    assert received(frame(b'{"a":1}') + frame(b'{"b":2}')) == [{"a": 1}, {"b": 2}]
    assert received(b"") == []


def test_closing_one_side_ends_the_other(pair: tuple[Channel, Channel]) -> None:
    left, right = pair
    left.send({"last": True})
    left.close()
    left.close()
    assert list(right.messages()) == [{"last": True}]


@pytest.mark.parametrize("cut", [1, 3, 4, 10])
def test_a_message_that_was_cut_off_is_a_crash(cut: int) -> None:
    with pytest.raises(ChannelBroken):
        received(frame(b'{"text":"cut"}')[:cut])


def test_what_came_before_a_cut_message_still_arrives() -> None:
    messages = Channel(io.BytesIO(frame(b'{"a":1}') + b"\0\0"), io.BytesIO()).messages()
    assert next(messages) == {"a": 1}
    with pytest.raises(ChannelBroken):
        next(messages)


def test_a_length_beyond_all_measure_is_a_crash_before_memory_is_taken() -> None:
    with pytest.raises(ChannelBroken):
        received(frame(b"{}", length=MAX_MESSAGE_BYTES + 1))


def test_sending_after_close_is_the_same_error_as_sending_to_nobody(
    pair: tuple[Channel, Channel],
) -> None:
    left, _ = pair
    left.close()
    with pytest.raises(BrokenPipeError):
        left.send({})


def test_sending_to_nobody_is_an_error() -> None:
    left, right = channel_pair()
    right.close()
    right._reader.close()
    with pytest.raises(BrokenPipeError):
        left.send({"any": "body there?"})
    left.close()
    assert list(left.messages()) == []
