"""The models as people look at them: file, memory, speed; and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from voice_transcriber.engines.auto.known import KnownChoices
from voice_transcriber.engines.auto.records import Measured
from voice_transcriber.engines.checkpoints import Checkpoints, ModelInfo
from voice_transcriber.engines.downloads import Downloads
from voice_transcriber.engines.footprint import held_bytes, needed_bytes
from voice_transcriber.engines.speech import SpeechEngine
from voice_transcriber.engines.transfers import Transfer, TransferState
from voice_transcriber.errors import WrongState
from voice_transcriber.processes.memory import available_bytes
from voice_transcriber.store.base import Store


@dataclass(frozen=True, kw_only=True)
class ModelState:
    """One model, at this moment."""

    info: ModelInfo
    transfer: Transfer
    is_wanted: bool  # somebody asked for its download, who can cancel it
    memory_bytes: int  # to load it and to decode full batches
    fits: bool  # into what is free, when idle models make room
    in_memory: bool
    loading: bool
    real_time_factor: float | None  # wall seconds for a second of audio; None: not measured yet
    measured: Measured | None  # by the engine auto; None: not yet, or another engine


class ModelLibrary:
    """Methods may be called from any thread."""

    def __init__(
        self,
        *,
        checkpoints: Checkpoints,
        downloads: Downloads,
        engine: SpeechEngine,
        store: Store,
        batch_size: int,
        compute_type_on: Callable[[str], str],
        choices: KnownChoices,
        free_bytes: Callable[[], int] = available_bytes,
    ) -> None:
        """`compute_type_on(device)` is the engine's choice; `free_bytes` is the computer's free
        memory, a GPU's is known to the engine.
        """
        self._checkpoints = checkpoints
        self._downloads = downloads
        self._engine = engine
        self._store = store
        self._batch_size = batch_size
        self._compute_type_on = compute_type_on
        self._choices = choices
        self._free_bytes = free_bytes

    def free_memory_bytes(self) -> int:
        """Of the device that the engine computes on, as far as it is known."""
        on_gpu = self._engine.gpu_free_bytes
        return self._free_bytes() if on_gpu is None else on_gpu

    def models(self) -> Sequence[ModelState]:
        """The demo, the published models from small to large, then one's own files."""
        return list(self._states(self._checkpoints.catalogue()))

    def model(self, name: str) -> ModelState:
        """Raises UnknownModel."""
        return next(self._states([self._checkpoints.resolve(name)]))

    def download(self, name: str) -> ModelState:
        """Begin a download, or go on with it. Raises as Downloads.start does."""
        self._downloads.start(name)
        return self.model(name)

    def cancel(self, name: str) -> ModelState:
        """Give a download up; what came is kept. Raises as Downloads.cancel does."""
        self._downloads.cancel(name)
        return self.model(name)

    def delete(self, name: str, *, own: bool = False) -> None:
        """Remove a model's file. Raises as Checkpoints.delete does, and WrongState while the
        model is in memory or a job that is not over needs it.
        """
        self._checkpoints.resolve(name)
        if self._is_one_of(name, self._store.models_in_use()):
            raise WrongState(
                f"Jobs that wait or run need the model {name}.",
                remedy="Cancel these jobs, or wait until they are done.",
            )
        if self._is_one_of(name, self._names_in_memory()) or self._loads(name):
            raise WrongState(
                f"The model {name} is in memory.",
                remedy="Wait until nobody has used it for MODEL_IDLE, or restart the server.",
            )
        self._checkpoints.delete(name, own=own)

    def _states(self, models: Sequence[ModelInfo]) -> Iterator[ModelState]:
        speeds = self._store.speeds()
        device = "cpu" if self._engine.gpu_free_bytes is None else "cuda"
        compute_type = self._compute_type_on(device)
        room_bytes = self.free_memory_bytes() + self._held_bytes(compute_type)
        for info in models:
            memory_bytes = _needed_bytes(info, self._batch_size, compute_type)
            least_bytes = _needed_bytes(info, 1, compute_type)
            in_memory = self._is_one_of(info.name, self._names_in_memory())
            is_wanted = self._downloads.is_wanted(info.name)
            yield ModelState(
                info=info,
                transfer=self._transfer(info.name, is_wanted=is_wanted),
                is_wanted=is_wanted,
                memory_bytes=memory_bytes,
                fits=in_memory or least_bytes <= room_bytes,
                in_memory=in_memory,
                loading=self._loads(info.name),
                real_time_factor=speeds.get(info.name),
                measured=self._choices.of(self._checkpoints.path(info.name), device),
            )

    def _transfer(self, name: str, *, is_wanted: bool) -> Transfer:
        transfer = self._checkpoints.transfer(name)
        if not is_wanted or transfer.state is TransferState.PRESENT:
            return transfer
        # Asked for a moment ago, its thread may not have begun: what failed before is over.
        return replace(transfer, state=TransferState.DOWNLOADING, error=None)

    def _held_bytes(self, compute_type: str) -> int:
        """What the engine could let go of for another model."""
        known = {info.name: info.size_bytes for info in self._checkpoints.catalogue()}
        return sum(
            held_bytes(known[name], compute_type=compute_type)
            for name in self._names_in_memory()
            if name in known
        )

    def _names_in_memory(self) -> Sequence[str]:
        """One that two engines have is named twice."""
        return [key.model for key in self._engine.models]

    def _loads(self, name: str) -> bool:
        loading = self._engine.loading
        return loading is not None and self._is_one_of(name, [loading])

    def _is_one_of(self, name: str, others: Collection[str]) -> bool:
        """Whether one of the names means the same file."""
        path = self._checkpoints.path(name)
        return any(self._checkpoints.path(other) == path for other in others)


def _needed_bytes(info: ModelInfo, batch_size: int, compute_type: str) -> int:
    """Zero for a model that computes elsewhere."""
    if not info.size_bytes:
        return 0
    return needed_bytes(info.size_bytes, batch_size=batch_size, compute_type=compute_type)
