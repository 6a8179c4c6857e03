"""The engine called directly, without app, queue, store and messages: what the app is held against.

A process of its own that stays warm. It reads lines of JSON {"pcm", "language"}, plans the chunks,
decodes their windows in batches as the app does, and answers each line with one of figures.

    python -m bench.direct CHECKPOINT BATCH_SIZE CHUNK_SIZE_S
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from voice_transcriber.engines.device import prepare_device
from voice_transcriber.engines.planning import plan_chunk
from voice_transcriber.engines.protocol import HostOptions, PlanRequest, WindowRequest
from voice_transcriber.engines.registry import make_detector, make_engine
from voice_transcriber.engines.windows import FeatureShelf, transcribe_batch
from voice_transcriber.job import SAMPLE_RATE
from voice_transcriber.settings import cpu_threads
from voice_transcriber.transcript.model import Segment

_NICENESS = 10  # as the app's engine child, so that other load on the machine hits both alike
_SAMPLE_BYTES = 2


def main(checkpoint: str, batch_size: str, chunk_size_s: str) -> None:
    os.nice(_NICENESS)
    engine = DirectEngine(
        Path(checkpoint), batch_size=int(batch_size), chunk_size_s=float(chunk_size_s)
    )
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(engine.transcribe(asked["pcm"], asked["language"])), flush=True)


class DirectEngine:
    """One loaded checkpoint and the voice detector."""

    def __init__(self, checkpoint: Path, *, batch_size: int, chunk_size_s: float) -> None:
        options = HostOptions(
            engine="openai-whisper",
            threads=cpu_threads(0),
            batch_size=batch_size,
            model_cache_size=1,
            use_gpu=True,
            free_memory_early=False,
        )
        place = prepare_device(options)
        self._model = make_engine(options.engine).load(
            checkpoint,
            size=checkpoint.stem,
            device=place.device,
            compute_type=place.compute_type,
        )
        self._detector = make_detector(options.engine)
        self._shelf = FeatureShelf()
        self._batch_size = batch_size
        self._chunk_samples = round(chunk_size_s * SAMPLE_RATE)

    def transcribe(self, pcm: str, language: str) -> dict[str, Any]:
        """Seconds of the plan and of the windows, their number, and the text."""
        started, cpu_before_s = time.monotonic(), time.process_time()
        waiting = deque(self._plan(pcm, language))
        planned = time.monotonic()
        segments: list[Segment] = []
        windows = 0
        while waiting:
            batch = [waiting.popleft() for _ in range(min(self._batch_size, len(waiting)))]
            windows += len(batch)
            replies = transcribe_batch(self._model, batch, self._shelf)
            for request, reply in zip(batch, replies, strict=True):
                segments += reply.segments
                if reply.resume_sample is not None:
                    waiting.append(replace(request, start=reply.resume_sample))
        segments.sort(key=lambda segment: segment.start_ms)
        return {
            "plan_s": planned - started,
            "windows_s": time.monotonic() - planned,
            "windows": windows,
            "cpu_s": time.process_time() - cpu_before_s,
            "text": "".join(segment.text for segment in segments).strip(),
        }

    def _plan(self, pcm: str, language: str) -> Iterator[WindowRequest]:
        total = Path(pcm).stat().st_size // _SAMPLE_BYTES
        start = 0
        while start < total:
            limit = min(start + self._chunk_samples, total)
            chunk = PlanRequest(
                pcm=pcm,
                start=start,
                limit=limit,
                is_last=limit == total,
                vad_filter=True,
                level=True,
            )
            plan = plan_chunk(chunk, self._detector)
            for first, end, speech_end in plan.windows:
                yield WindowRequest(
                    pcm=pcm,
                    model="",
                    checkpoint="",
                    gain=plan.gain,
                    start=first,
                    end=end,
                    speech_end=speech_end,
                    vad_filter=True,
                    language=language,
                    task="transcribe",
                    prompt=None,
                    hotwords=None,
                    word_timestamps=False,
                    priority=0,
                )
            start = plan.end


if __name__ == "__main__":
    main(*sys.argv[1:])
