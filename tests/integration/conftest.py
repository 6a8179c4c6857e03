"""Services with the fake engine on sounds that were made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.recordings import poison, silence, tone, write_wav
from tests.running import running, settings_for, submit, text_of
from voice_transcriber.services import Services

LONG_S = 1800  # 18 seconds of work for the fake engine: no test waits for its end
Start = Callable[..., Services]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start services, all on one data folder; at most one of them runs at a time."""
    started: list[Services] = []

    def again(**values: str) -> Services:
        services = Services(settings_for(tmp_path, **values))
        services.start()
        started.append(services)
        return services

    yield again
    for services in started:
        services.stop()


@pytest.fixture
def services(start: Start) -> Services:
    return start()


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of different lengths; the text of each is another one."""
    folder = tmp_path_factory.mktemp("sounds")
    for name, seconds, pitch_hz in [
        ("clip", 5, 440),
        ("other clip", 5, 500),
        ("minute", 60, 330),
        ("minutes", 240, 250),
        ("long", LONG_S, 220),
    ]:
        write_wav(folder / f"{name}.wav", tone(seconds, pitch_hz=pitch_hz))
    bad = [tone(15), silence(6), tone(5), poison(), tone(5), silence(6), tone(15, pitch_hz=300)]
    write_wav(folder / "poison.wav", *bad)
    return folder


@pytest.fixture(scope="session")
def true_texts(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What an undisturbed run gives."""
    with running(settings_for(tmp_path_factory.mktemp("undisturbed"))) as services:
        jobs = {
            name: submit(services, sounds / f"{name}.wav")
            for name in ("clip", "other clip", "minute", "minutes")
        }
        return {name: text_of(services, job) for name, job in jobs.items()}
