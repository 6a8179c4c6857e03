"""Databases that are damaged in all ways, under a folder of finished and waiting jobs.

`run(rounds)` is the long form: each round damages a copy of one folder, starts the real services on
it and compares what they have with what was there before.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.recordings import tone, write_wav
from tests.running import running, settings_for, submit, text_of
from voice_transcriber.data_folder import DataFolder
from voice_transcriber.errors import TranscriberError
from voice_transcriber.job import JobStatus

FINISHED = 12
BEFORE_BACKUP = 6
PAGE_BYTES = 4096
SEED = 20261121

Damage = Callable[[DataFolder, random.Random], None]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What was acknowledged before the damage."""

    folder: Path  # of the test: the data folder is `data` in it
    texts: Mapping[str, str]  # of finished jobs
    waiting: str  # id of the job that waits
    recordings: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One round."""

    damage: str
    seed: int
    detected: bool  # the start said that the database could not be used
    lost: int  # finished transcripts that are not there, or wrong
    waiting_lost: bool
    recordings_lost: int
    ready_s: float
    error: str  # why the server did not start; empty when it did

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.waiting_lost or self.recordings_lost or self.error)


def overwrite_pages(folder: DataFolder, chance: random.Random) -> None:
    pages = folder.database.stat().st_size // PAGE_BYTES
    with folder.database.open("r+b") as file:
        for _ in range(chance.randint(1, 3)):
            file.seek(chance.randrange(pages) * PAGE_BYTES)
            file.write(chance.randbytes(PAGE_BYTES))


def flip_a_byte(folder: DataFolder, chance: random.Random) -> None:
    place = chance.randrange(folder.database.stat().st_size)
    with folder.database.open("r+b") as file:
        file.seek(place)
        old = file.read(1)[0]
        file.seek(place)
        file.write(bytes([old ^ chance.randint(1, 255)]))


def truncate_log(folder: DataFolder, chance: random.Random) -> None:
    log = folder.database.with_name("jobs.db-wal")
    os.truncate(log, chance.randrange(log.stat().st_size))


def overwrite_log(folder: DataFolder, chance: random.Random) -> None:
    log = folder.database.with_name("jobs.db-wal")
    with log.open("r+b") as file:
        file.seek(chance.randrange(log.stat().st_size // 2))
        file.write(chance.randbytes(PAGE_BYTES))


def delete_shared_memory(folder: DataFolder, _chance: random.Random) -> None:
    folder.database.with_name("jobs.db-shm").unlink(missing_ok=True)


def truncate(folder: DataFolder, chance: random.Random) -> None:
    os.truncate(folder.database, chance.randrange(folder.database.stat().st_size))


def zero_length(folder: DataFolder, _chance: random.Random) -> None:
    os.truncate(folder.database, 0)


def delete(folder: DataFolder, _chance: random.Random) -> None:
    for path in folder.root.glob("jobs.db*"):
        path.unlink()


def delete_with_backups(folder: DataFolder, chance: random.Random) -> None:
    delete(folder, chance)
    shutil.rmtree(folder.backups)


def garbage_transcripts(folder: DataFolder, chance: random.Random) -> None:
    for path in folder.transcripts.glob("*.json"):
        path.write_bytes(chance.randbytes(300))


def lost_state(folder: DataFolder, chance: random.Random) -> None:
    (folder.root / "state.json").unlink()
    overwrite_pages(folder, chance)


DAMAGES: Sequence[Damage] = (
    overwrite_pages,
    flip_a_byte,
    truncate_log,
    overwrite_log,
    delete_shared_memory,
    truncate,
    zero_length,
    delete,
    delete_with_backups,
    garbage_transcripts,
    lost_state,
)


def prepare(folder: Path) -> Expected:
    """A folder as a killed server leaves it: half of the jobs are newer than the only backup."""
    texts = {}
    with running(settings_for(folder / "live")) as services:
        data = DataFolder(services.settings.data_dir)
        for number in range(FINISHED):
            if number == BEFORE_BACKUP:
                services.backups.make(data.database, now=datetime.now(UTC))
            sound = folder / f"{number}.wav"
            write_wav(sound, tone(3, pitch_hz=200 + 10 * number))
            job = submit(services, sound)
            texts[job.id] = text_of(services, job)
        long = folder / "long.wav"
        write_wav(long, tone(1800, pitch_hz=90))
        waiting = submit(services, long)
        shutil.copytree(data.root, folder / "killed" / "data")
    recordings = frozenset(path.name for path in data.blobs.glob("??/*"))
    return Expected(
        folder=folder / "killed", texts=texts, waiting=waiting.id, recordings=recordings
    )


def attempt(expected: Expected, damage: Damage, *, seed: int, folder: Path) -> Row:
    """One round, in a folder of its own."""
    shutil.copytree(expected.folder, folder)
    data = DataFolder(folder / "data")
    damage(data, random.Random(seed))
    started = time.monotonic()
    found: dict[str, str] = {}
    detected, waiting_lost, error, ready_s = False, True, "", 0.0
    try:
        with running(settings_for(folder)) as services:
            ready_s = time.monotonic() - started
            detected = services.health().details["database"]["repair"] is not None
            for job_id in expected.texts:
                with suppress(TranscriberError):
                    found[job_id] = services.store.transcript(job_id).text
            with suppress(TranscriberError):
                status = services.store.get(expected.waiting).status
                waiting_lost = status not in {JobStatus.QUEUED, JobStatus.RUNNING}
    except TranscriberError as refused:
        error = f"{type(refused).__name__}: {refused.message}"
    kept = {path.name for path in data.blobs.glob("??/*")}
    return Row(
        damage=damage.__name__,
        seed=seed,
        detected=detected,
        lost=sum(found.get(job_id) != text for job_id, text in expected.texts.items()),
        waiting_lost=waiting_lost,
        recordings_lost=len(expected.recordings - kept),
        ready_s=ready_s,
        error=error,
    )


def run(rounds: int, *, damages: Sequence[Damage] = DAMAGES) -> Sequence[Row]:
    """So many rounds, the kinds of damage in turn; the same ones each time."""
    with tempfile.TemporaryDirectory(prefix="damage-") as name:
        folder = Path(name)
        expected = prepare(folder)
        rows = []
        for number in range(rounds):
            place = folder / "round"
            damage = damages[number % len(damages)]
            rows.append(attempt(expected, damage, seed=SEED + number, folder=place))
            shutil.rmtree(place)
        return rows
