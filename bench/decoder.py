"""Memory of the decoder child over one hour of audio."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from bench.machine import OtherLoad
from bench.memory import PeakMemory
from bench.recordings import SAMPLE_RATE, write_repeated
from bench.tables import Bound
from voice_transcriber.audio.decode import Decoder
from voice_transcriber.processes.spawn import Spawner

LIMIT_MB = 150
HOUR_S = 3600.0


def decoder_bound(folder: Path, *, speech: Path) -> Bound:
    hour = write_repeated(speech, folder / f"hour{speech.suffix}", seconds=HOUR_S)
    spawner = Spawner()
    started = time.monotonic()
    with OtherLoad() as other:
        decoding = Decoder(spawner, max_duration_s=2 * HOUR_S).start(hour, folder / "decoded")
        assert decoding.pid is not None
        with PeakMemory(psutil.Process(decoding.pid)) as peak:
            while not decoding.wait(round(2 * HOUR_S * SAMPLE_RATE), timeout_s=1.0):
                pass
    wall_s = time.monotonic() - started
    spawner.stop()
    return Bound(
        name=f"decoder child over {decoding.samples / SAMPLE_RATE:.0f} s of {hour.suffix[1:]}",
        measured=f"{peak.peak_mb:.0f} MB",
        limit=f"< {LIMIT_MB} MB",
        kept=peak.peak_mb < LIMIT_MB,
        detail=f"largest resident; took {wall_s:.1f} s; {other}",
    )
