"""Recordings for the fault programs, and the texts of an undisturbed run, once for a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.sounds import Texts, clips, everyday, undisturbed


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Without the longest: the short form is to be short."""
    return everyday(tmp_path_factory.mktemp("everyday"))[:-1]


@pytest.fixture(scope="session")
def texts(recordings: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Texts:
    return undisturbed(tmp_path_factory.mktemp("undisturbed"), recordings)


@pytest.fixture(scope="session")
def short_recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return clips(tmp_path_factory.mktemp("clips"), 8)


@pytest.fixture(scope="session")
def short_texts(short_recordings: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Texts:
    return undisturbed(tmp_path_factory.mktemp("undisturbed-clips"), short_recordings)
