"""The engine's loop answers alike in a thread and in a process."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.recordings import silence, tone, write_pcm
from tests.unit.engines.hosts import question, transcribed, window
from voice_transcriber.engines.client import EngineClient
from voice_transcriber.engines.protocol import (
    LanguageReply,
    PlanReply,
    PlanRequest,
)
from voice_transcriber.job import SAMPLE_RATE


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


def test_it_says_how_likely_each_language_is_in_each_window(client: EngineClient, pcm: str) -> None:
    reply = client.call(question(pcm, windows=[(0, SAMPLE_RATE), (SAMPLE_RATE, 2 * SAMPLE_RATE)]))
    assert isinstance(reply, LanguageReply)
    assert reply.votes == [{"en": 0.9, "de": 0.1}] * 2
