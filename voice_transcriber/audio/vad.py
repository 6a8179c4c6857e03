"""Where somebody speaks: Silero's probabilities, and the spans that they mean.

Runs in the engine child. Spans follow the rules of silero-vad's own
get_speech_timestamps (two thresholds, shortest speech, shortest silence).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from voice_transcriber.job import SAMPLE_RATE

FRAME_SAMPLES = 512  # 32 ms: the frame that Silero was trained on
SPEECH_THRESHOLD = 0.5  # speech begins at this probability
SILENCE_THRESHOLD = 0.35  # and ends below this one
MIN_SPEECH_FRAMES = 6  # about 0.2 s; shorter is a click
MIN_SILENCE_FRAMES = 5  # about 0.16 s; shorter is within a word

MAX_LANES = 8
LANE_FRAMES = 2000  # 64 s; shorter stretches would mostly be run-in
RUN_IN_FRAMES = 128  # 4 s

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """A stretch of speech, in samples from the start of what was looked at."""

    start: int
    end: int


class SileroDetector:
    """Silero VAD 6 on torch.

    The network is recurrent, a call for each frame, so long audio is cut into
    stretches that advance side by side as one batch. Each begins a few seconds
    early to settle its state (docs/explanation/accuracy.md has the agreement).
    """

    def __init__(self) -> None:
        import torch

        threads = torch.get_num_threads()
        from silero_vad import load_silero_vad

        # Importing silero_vad sets torch to one thread for the whole process.
        torch.set_num_threads(threads)
        self._torch = torch
        self._model: Any = load_silero_vad()

    def probabilities(self, samples: npt.NDArray[np.float32]) -> Probabilities:
        """Probability of speech for each frame; the last one is padded with zeros."""
        frames = -(-len(samples) // FRAME_SAMPLES)
        lanes = min(MAX_LANES, max(1, frames // LANE_FRAMES))
        batch = self._torch.from_numpy(lane_batch(samples, frames=frames, lanes=lanes))
        threads = self._torch.get_num_threads()
        # So small a network is slower on several threads, and stalls when a core is busy.
        self._torch.set_num_threads(1)
        try:
            self._model.reset_states()
            with self._torch.inference_mode():
                found = [self._model(step, SAMPLE_RATE)[:, 0] for step in batch]
        finally:
            self._torch.set_num_threads(threads)
        if not found:
            return np.zeros(0, np.float32)
        settled = self._torch.stack(found, 1)[:, RUN_IN_FRAMES:]
        return np.asarray(settled.reshape(-1)[:frames].numpy(), np.float32)


def lane_batch(
    samples: npt.NDArray[np.float32], *, frames: int, lanes: int
) -> npt.NDArray[np.float32]:
    """Frames of `lanes` equal stretches, each after its run-in: (steps, lanes, FRAME_SAMPLES)."""
    steps = -(-frames // lanes)
    padded = np.zeros((RUN_IN_FRAMES + steps * lanes) * FRAME_SAMPLES, np.float32)
    start = RUN_IN_FRAMES * FRAME_SAMPLES
    padded[start : start + len(samples)] = samples
    rows = padded.reshape(-1, FRAME_SAMPLES)
    stretches = [rows[lane * steps : (lane + 1) * steps + RUN_IN_FRAMES] for lane in range(lanes)]
    return np.stack(stretches, axis=1)


def speech_spans(probabilities: Probabilities) -> list[Span]:
    """Spans of speech in time order, not padded."""
    spans: list[Span] = []
    start: int | None = None
    silent = 0
    for frame, probability in enumerate(probabilities):
        if start is None:
            if probability >= SPEECH_THRESHOLD:
                start, silent = frame, 0
            continue
        silent = silent + 1 if probability < SILENCE_THRESHOLD else 0
        if silent >= MIN_SILENCE_FRAMES:
            _append(spans, start, frame + 1 - silent)
            start = None
    if start is not None:
        _append(spans, start, len(probabilities) - silent)
    return spans


def _append(spans: list[Span], start_frame: int, end_frame: int) -> None:
    if end_frame - start_frame >= MIN_SPEECH_FRAMES:
        spans.append(Span(start_frame * FRAME_SAMPLES, end_frame * FRAME_SAMPLES))
