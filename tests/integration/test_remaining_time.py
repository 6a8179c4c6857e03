"""When a running job will be done: by earlier jobs of its model, then by its own pace."""

from __future__ import annotations

import time
from pathlib import Path

from tests.recordings import AUDIO
from tests.running import ended, running, settings_for, submit, text_of, until
from voice_transcriber.job import TranscribeOptions

ENGLISH = TranscribeOptions(model="demo", language="en")


def test_a_second_job_of_a_model_tells_its_end_from_the_start(tmp_path: Path) -> None:
    with running(settings_for(tmp_path)) as services:
        store = services.store
        assert text_of(services, submit(services, AUDIO / "en_5s.wav", options=ENGLISH))
        assert store.speeds()["demo"] > 0

        job = submit(services, AUDIO / "en_12min.opus", options=ENGLISH)
        until(lambda: store.get(job.id).ends_at or not store.get(job.id).is_live)
        told = store.get(job.id)
        assert told.is_live
        assert told.ends_at is not None
        assert told.ends_at > time.time() - 60
        assert ended(services, job).ends_at is None


def test_a_first_job_tells_its_end_from_its_own_pace(tmp_path: Path) -> None:
    with running(settings_for(tmp_path)) as services:
        store = services.store
        job = submit(services, AUDIO / "en_12min.opus", options=ENGLISH)
        until(lambda: store.get(job.id).ends_at or not store.get(job.id).is_live)
        assert 8 < store.get(job.id).percent < 100  # ENOUGH_AUDIO_S of twelve minutes
        services.manager.cancel(job.id)
        assert ended(services, job).ends_at is None
