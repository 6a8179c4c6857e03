"""Whatever changes a text changes the key; whatever does not, does not."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_transcriber.job import TranscribeOptions
from voice_transcriber.results import keys
from voice_transcriber.results.keys import chunk_key, file_key, selection_key

COMPUTING: dict[str, Any] = {
    "checkpoint": "ab" * 32,
    "configuration": {"host": {"engine": "fake"}, "run": {"beam_size": 5}, "packages": {}},
    "place": {"device": "cpu", "compute_type": "int8"},
}
OPTIONS = TranscribeOptions(model="demo")
TEXTS = st.none() | st.text(max_size=20)
TIMES = st.floats(min_value=0, max_value=1e5)

option_sets = st.builds(
    TranscribeOptions,
    model=st.sampled_from(["demo", "base", "large-v3"]),
    language=st.sampled_from([None, "en", "de", "multi"]),
    task=st.sampled_from(["transcribe", "translate"]),
    prompt=TEXTS,
    hotwords=TEXTS,
    word_timestamps=st.booleans(),
    vad_filter=st.booleans(),
    from_s=TIMES,
    to_s=st.none() | TIMES,
    audio_track=st.none() | st.integers(0, 3),
    engine=st.sampled_from([None, "openai-whisper", "faster-whisper"]),
    use_cache=st.booleans(),
)

OTHER_VALUES: dict[str, Any] = {
    "model": "base",
    "language": "de",
    "task": "translate",
    "prompt": "Before.",
    "hotwords": "Ada",
    "word_timestamps": True,
    "vad_filter": False,
    "from_s": 1.0,
    "to_s": 9.0,
    "audio_track": 1,
}


def key_of(options: TranscribeOptions = OPTIONS, **changes: Any) -> str:
    values: dict[str, Any] = {
        "pcm_sha256": "cd" * 32,
        "start_sample": 0,
        "computing": COMPUTING,
    }
    return file_key(options=options, **values | changes)


def key_of_chunk(options: TranscribeOptions = OPTIONS, **changes: Any) -> str:
    values: dict[str, Any] = {
        "pcm_sha256": "cd" * 32,
        "gain": 1.0,
        "language": None,
        "language_before": None,
        "computing": COMPUTING,
    }
    return chunk_key(options=options, **values | changes)


def of_the_text(options: TranscribeOptions) -> TranscribeOptions:
    """The engine is in the key as a part of `computing`."""
    return replace(options, use_cache=True, engine=None)


@given(option_sets, option_sets)
def test_keys_are_equal_exactly_for_equal_questions(
    one: TranscribeOptions, other: TranscribeOptions
) -> None:
    assert (key_of(one) == key_of(other)) == (of_the_text(one) == of_the_text(other))


@pytest.mark.parametrize("field", [field.name for field in fields(TranscribeOptions)])
def test_every_option_is_in_the_key_or_named_as_one_without_effect(field: str) -> None:
    """An option that is new needs another value here, or a name in NOT_OF_THE_TEXT."""
    if field in keys.NOT_OF_THE_TEXT:
        return
    changed = replace(OPTIONS, **{field: OTHER_VALUES[field]})
    assert key_of(changed) != key_of()


@pytest.mark.parametrize(
    "changes",
    [
        {"pcm_sha256": "ce" * 32},
        {"start_sample": 1},
        {"computing": COMPUTING | {"checkpoint": "ac" * 32}},
        {"computing": COMPUTING | {"place": {"device": "cpu", "compute_type": "float32"}}},
        {"computing": COMPUTING | {"place": {"device": "cuda", "compute_type": "int8"}}},
        {"computing": COMPUTING | {"configuration": {"host": {"engine": "other"}}}},
    ],
)
def test_audio_and_computing_are_in_the_key(changes: dict[str, Any]) -> None:
    assert key_of(**changes) != key_of()


def test_another_version_of_the_pipeline_has_other_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    before = [key_of(), key_of_chunk()]
    monkeypatch.setattr(keys, "PIPELINE_VERSION", keys.PIPELINE_VERSION + 1)
    assert not {key_of(), key_of_chunk()} & set(before)


@pytest.mark.parametrize(
    "changes", [{"gain": 1.5}, {"language": "en"}, {"language_before": "de"}, {"pcm_sha256": "0"}]
)
def test_a_chunk_is_known_by_its_sound_and_what_was_known_of_its_language(
    changes: dict[str, Any],
) -> None:
    assert key_of_chunk(**changes) != key_of_chunk()


@given(TIMES, st.none() | TIMES, st.none() | st.integers(0, 3))
def test_a_chunk_is_the_same_wherever_it_lies(
    from_s: float, to_s: float | None, track: int | None
) -> None:
    moved = replace(OPTIONS, from_s=from_s, to_s=to_s, audio_track=track)
    assert key_of_chunk(moved) == key_of_chunk()


@given(option_sets, option_sets)
def test_a_selection_is_known_by_its_part_of_the_file(
    one: TranscribeOptions, other: TranscribeOptions
) -> None:
    def part(options: TranscribeOptions) -> tuple[Any, ...]:
        return (options.from_s, options.to_s, options.audio_track)

    equal = selection_key(one, "1") == selection_key(other, "1")
    assert equal == (part(one) == part(other))
    assert selection_key(one, "1") != selection_key(one, "2")


def test_a_file_and_a_chunk_never_share_a_key() -> None:
    assert key_of() != key_of_chunk()
