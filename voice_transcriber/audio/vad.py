"""Where somebody speaks: Silero's probabilities, and the spans that they mean.

Runs in the engine child. Spans follow the rules of silero-vad's own
get_speech_timestamps (two thresholds, shortest speech, shortest silence).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FRAME_SAMPLES = 512  # 32 ms: the frame that Silero was trained on
SPEECH_THRESHOLD = 0.5  # speech begins at this probability
SILENCE_THRESHOLD = 0.35  # and ends below this one
MIN_SPEECH_FRAMES = 6  # about 0.2 s; shorter is a click
MIN_SILENCE_FRAMES = 5  # about 0.16 s; shorter is within a word

CONTEXT_SAMPLES = 64  # of the frame before, which the network hears with each frame
BLOCK_FRAMES = 512  # so many go through the convolutions at once: 10 MB

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Span:
    """A stretch of speech, in samples from the start of what was looked at."""

    start: int
    end: int


class SileroDetector:
    """Silero VAD 6: its own weights, applied to a whole stretch of audio at a time.

    The package calls its network once for each frame. Only its last layer, an LSTM,
    looks back; all before it is computed here for many frames at once, and the
    LSTM runs over all of them in one call. The probabilities are Silero's own.
    """

    def __init__(self) -> None:
        import torch

        threads = torch.get_num_threads()
        from silero_vad import load_silero_vad

        # Importing silero_vad sets torch to one thread for the whole process.
        torch.set_num_threads(threads)
        self._torch = torch
        weights: dict[str, Any] = load_silero_vad().state_dict()
        self._spectrum = weights["_model.stft.forward_basis_buffer"]
        self._convolutions = [
            (
                weights[f"_model.encoder.{layer}.reparam_conv.weight"],
                weights[f"_model.encoder.{layer}.reparam_conv.bias"],
                stride,
            )
            for layer, stride in enumerate((1, 2, 2, 1))
        ]
        self._lstm = torch.nn.LSTM(128, 128)
        self._lstm.load_state_dict(
            {
                f"{name}_l0": weights[f"_model.decoder.rnn.{name}"]
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            }
        )
        self._last_weights = weights["_model.decoder.decoder.2.weight"][0, :, 0]
        self._last_bias = weights["_model.decoder.decoder.2.bias"]

    def probabilities(self, samples: npt.NDArray[np.float32]) -> Probabilities:
        """Probability of speech for each frame; the last one is padded with zeros."""
        if not len(samples):
            return np.zeros(0, np.float32)
        threads = self._torch.get_num_threads()
        # So small a network is slower on several threads, and stalls when a core is busy.
        self._torch.set_num_threads(1)
        try:
            with self._torch.inference_mode():
                heard = [self._heard(block) for block in self._blocks(samples)]
                states, _ = self._lstm(self._torch.cat(heard)[:, None])
                found = states[:, 0].relu() @ self._last_weights + self._last_bias
                return np.asarray(found.sigmoid().numpy(), np.float32)
        finally:
            self._torch.set_num_threads(threads)

    def _blocks(self, samples: npt.NDArray[np.float32]) -> list[Any]:
        """Frames, each after its context, in groups: views of one copy of the samples."""
        frames = -(-len(samples) // FRAME_SAMPLES)
        padded = np.zeros(CONTEXT_SAMPLES + frames * FRAME_SAMPLES, np.float32)
        padded[CONTEXT_SAMPLES : CONTEXT_SAMPLES + len(samples)] = samples
        rows: Any = self._torch.from_numpy(padded)
        rows = rows.unfold(0, CONTEXT_SAMPLES + FRAME_SAMPLES, FRAME_SAMPLES)
        return list(rows.split(BLOCK_FRAMES))

    def _heard(self, frames: Any) -> Any:
        """What the LSTM is given for each frame."""
        functional = self._torch.nn.functional
        padded = functional.pad(frames[:, None], (0, CONTEXT_SAMPLES), mode="reflect")
        waves = functional.conv1d(padded, self._spectrum, stride=128)
        real, imaginary = waves.split(waves.shape[1] // 2, dim=1)
        found = (real.square() + imaginary.square()).sqrt()
        for weight, bias, stride in self._convolutions:
            found = functional.conv1d(found, weight, bias, stride=stride, padding=1).relu()
        return found[..., 0]


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
