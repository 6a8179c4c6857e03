"""What the engine auto has chosen, for those who only look; they load nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from voice_transcriber.engines.auto.kept import shown_choice
from voice_transcriber.engines.auto.parts import basis_of, candidates
from voice_transcriber.engines.auto.records import Basis, Measured
from voice_transcriber.engines.compute import AUTO, place_on
from voice_transcriber.engines.protocol import HostOptions


class KnownChoices:
    """Choices that hold for this machine and these settings; any thread asks."""

    def __init__(self, options: HostOptions) -> None:
        self._options = options
        self._basis = cache(self._found_basis)  # packages are looked up once

    def of(self, checkpoint: Path, device: str) -> Measured | None:
        """None where nothing was measured yet, and for other engines than auto."""
        folder = self._options.model_dir
        if self._options.engine != AUTO or folder is None:
            return None
        return shown_choice(Path(folder), checkpoint, self._basis(device))

    def _found_basis(self, device: str) -> Basis:
        options = self._options
        parts = candidates(
            device,
            compute_type=place_on(device, options).compute_type,
            encoder=options.encoder,
            threads=options.thread_counts,
        )
        return basis_of(device, parts)
