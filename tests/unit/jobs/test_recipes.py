"""What a text is computed with: settings that may change it, and what was seen of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from voice_transcriber.engines.checkpoints import Checkpoints
from voice_transcriber.engines.protocol import HostOptions, Place
from voice_transcriber.job import TranscribeOptions
from voice_transcriber.jobs.recipes import Recipes, configuration
from voice_transcriber.store.sqlite import SqliteStore

HOST = HostOptions(
    engine="fake",
    threads=2,
    batch_size=8,
    model_cache_size=2,
    use_gpu=True,
    free_memory_early=False,
)
RUN = {"chunk_size_s": 600.0, "beam_size": 5, "windows_in_flight": 16}
CPU = Place(device="cpu", compute_type="int8")
OWN = TranscribeOptions(model="own")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path / "jobs.sqlite3")
    yield store
    store.close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "own.pt"
    path.write_bytes(b"weights")
    return path


def recipes_of(store: SqliteStore, model: Path) -> Recipes:
    return Recipes(
        store,
        checkpoints=Checkpoints(model.parent),
        configuration=lambda engine: configuration(HOST.with_engine(engine), RUN),
    )


@pytest.mark.parametrize(
    "changes", [{"engine": "openai-whisper"}, {"compute_type": "int8"}, {"use_gpu": False}]
)
def test_settings_of_the_engine_count(changes: dict[str, Any]) -> None:
    assert configuration(replace(HOST, **changes), RUN) != configuration(HOST, RUN)


@pytest.mark.parametrize("changes", [{"threads": 1}, {"batch_size": 1}, {"model_dir": "/models"}])
def test_how_fast_and_where_does_not_count(changes: dict[str, Any]) -> None:
    assert configuration(replace(HOST, **changes), RUN) == configuration(HOST, RUN)


@pytest.mark.parametrize("name", ["chunk_size_s", "beam_size", "of a later version"])
def test_settings_of_a_run_count(name: str) -> None:
    assert configuration(HOST, {**RUN, name: 1}) != configuration(HOST, RUN)


def test_versions_of_packages_count() -> None:
    packages = configuration(HOST, RUN)["packages"]
    assert packages["torch"]
    assert packages["openai-whisper"]


def test_nothing_is_expected_before_the_model_was_seen(store: SqliteStore, model: Path) -> None:
    recipes = recipes_of(store, model)
    assert recipes.expected(OWN) is None
    recipes.learn(model, check=lambda: None)
    assert recipes.expected(OWN) is None
    seen = recipes.seen(OWN, CPU)
    assert seen is not None
    assert recipes.expected(OWN) == seen
    assert recipes_of(store, model).expected(OWN) == seen


def test_what_was_seen_last_is_expected(store: SqliteStore, model: Path) -> None:
    recipes = recipes_of(store, model)
    recipes.learn(model, check=lambda: None)
    first = recipes.seen(OWN, CPU)
    second = recipes.seen(OWN, replace(CPU, device="cuda", compute_type="float16"))
    assert first != second
    assert recipes.expected(OWN) == second


def test_what_one_engine_computed_is_not_what_another_would(
    store: SqliteStore, model: Path
) -> None:
    """Not even where both compute with the same type; and each has a place of its own."""
    recipes = recipes_of(store, model)
    recipes.learn(model, check=lambda: None)
    named = replace(OWN, engine="faster-whisper")
    own = recipes.seen(OWN, CPU)
    assert recipes.expected(named) is None
    assert recipes.seen(named, CPU) != own
    assert recipes.expected(OWN) == own


def test_to_name_the_engine_that_is_set_changes_nothing(store: SqliteStore, model: Path) -> None:
    recipes = recipes_of(store, model)
    recipes.learn(model, check=lambda: None)
    assert recipes.seen(OWN, CPU) == recipes.expected(replace(OWN, engine=HOST.engine))


def test_a_note_explains_and_changes_nothing(store: SqliteStore, model: Path) -> None:
    recipes = recipes_of(store, model)
    recipes.learn(model, check=lambda: None)
    noted = replace(CPU, note="The GPU could not be used.")
    assert recipes.seen(OWN, CPU) == recipes.seen(OWN, noted)


def test_a_model_that_was_replaced_is_unknown(store: SqliteStore, model: Path) -> None:
    recipes = recipes_of(store, model)
    recipes.learn(model, check=lambda: None)
    recipes.seen(OWN, CPU)
    model.write_bytes(b"others!")
    assert recipes.expected(OWN) is None
    assert recipes.seen(OWN, CPU) is None


def test_fields_without_effect_are_left_out() -> None:
    assert set(configuration(HOST, RUN)["host"]) < set(asdict(HOST))
