"""The engine that measures what this machine is fastest with, once for each model, and keeps it."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from voice_transcriber.engines.auto.kept import keep_choice, kept_choice
from voice_transcriber.engines.auto.measuring import Measuring
from voice_transcriber.engines.auto.parts import basis_of, candidates
from voice_transcriber.engines.auto.records import Basis, Measured, Parts
from voice_transcriber.engines.auto.speech import measured_speech
from voice_transcriber.engines.auto.trials import choose
from voice_transcriber.engines.auto.workbench import Makers, Workbench
from voice_transcriber.engines.base import Model
from voice_transcriber.engines.encoders.installed import AUTO
from voice_transcriber.files import file_sha256
from voice_transcriber.processes.memory import free_unused_memory

log = logging.getLogger(__name__)

BUDGET_S = 20.0  # for a model of the size of base; a larger one has more
MOST_S = 60.0
_BASE_BYTES = 145_300_000


class AutoEngine:
    """Loads each model with the parts chosen for it, which are measured first if need be."""

    def __init__(
        self,
        makers: Makers,
        model_dir: Path | None = None,
        *,
        encoder: str = AUTO,
        thread_counts: Sequence[int] = (),
    ) -> None:
        """`model_dir` keeps the choices; without it they lie beside the checkpoint. `encoder` is
        what ENCODER says; `thread_counts` are to choose from; none: the one that is set.
        """
        self._makers = makers
        self._model_dir = model_dir
        self._encoder = encoder
        self._thread_counts = thread_counts
        self._is_urgent: Callable[[], bool] = lambda: False

    def on_step(self, is_urgent: Callable[[], bool]) -> None:
        self._is_urgent = is_urgent

    def load(self, checkpoint: Path, *, size: str, device: str, compute_type: str) -> Model:
        """`compute_type` is "auto", or the one that every candidate is to have."""
        folder = self._model_dir or checkpoint.parent
        parts = candidates(
            device,
            compute_type=compute_type,
            encoder=self._encoder,
            threads=self._thread_counts or [torch.get_num_threads()],
        )
        bench = Workbench(makers=self._makers, checkpoint=checkpoint, size=size, device=device)
        basis = basis_of(device, parts)
        measured = kept_choice(folder, checkpoint, basis)
        if measured is None:
            measured = _measured(bench, parts, basis, self._is_urgent)
            keep_choice(folder, checkpoint, measured)
        choice = measured.choice
        log.info("The model %s: %s", size, choice.reason)
        torch.set_num_threads(choice.threads)
        return bench.combined(choice.decoder, choice.encoder)


def _measured(
    bench: Workbench, parts: Parts, basis: Basis, is_urgent: Callable[[], bool]
) -> Measured:
    start_s = time.perf_counter()
    state = bench.checkpoint.stat()
    measuring = Measuring(
        bench, measured_speech(), budget_s=budget_s(state.st_size), is_urgent=is_urgent
    )
    choice, figures = choose(measuring, bench, parts)
    gc.collect()
    free_unused_memory()
    return Measured(
        basis=basis,
        checkpoint_sha256=file_sha256(bench.checkpoint),
        checkpoint_bytes=state.st_size,
        checkpoint_mtime_ns=state.st_mtime_ns,
        at=time.time(),
        took_s=round(time.perf_counter() - start_s, 1),
        choice=choice,
        figures=figures,
    )


def budget_s(checkpoint_bytes: int) -> float:
    """For measuring a model of this size."""
    return min(MOST_S, BUDGET_S * max(1.0, checkpoint_bytes / _BASE_BYTES))
