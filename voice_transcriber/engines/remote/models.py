"""The models of a remote server, in the place of the model folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from voice_transcriber.engines.checkpoints import Checkpoints, ModelInfo
from voice_transcriber.engines.published import CHECKPOINTS, Checkpoint
from voice_transcriber.engines.remote.options import EVERY_MODEL, RemoteOptions
from voice_transcriber.engines.transfers import Transfer, TransferState
from voice_transcriber.errors import UnknownModel, WrongState


class RemoteModels(Checkpoints):
    """Names that jobs may give; nothing of them is on this machine, and nothing is downloaded."""

    def __init__(
        self,
        model_dir: Path,
        options: RemoteOptions,
        *,
        default: str,
        published: Mapping[str, Checkpoint] = CHECKPOINTS,
    ) -> None:
        """`default`: the one that is shown where a single model stands for every name."""
        super().__init__(model_dir, published=published, offline=True)
        self._options = options
        self._names = published
        self._default = default

    def catalogue(self) -> list[ModelInfo]:
        """The names that REMOTE_MODEL maps, else the default one."""
        mapped = [name for name in self._options.models if name != EVERY_MODEL]
        shown = mapped if EVERY_MODEL not in self._options.models else [self._default, *mapped]
        return [self._info(name) for name in dict.fromkeys(shown)]

    def resolve(self, name: str) -> ModelInfo:
        """Raises UnknownModel, which names the known ones."""
        known = [model.name for model in self.catalogue()]
        if EVERY_MODEL in self._options.models:
            known += self._names
        if name not in known:
            raise UnknownModel(
                f"There is no model {name[:64]!r}.",
                remedy=f"Choose one of {', '.join(dict.fromkeys(known))}.",
            )
        return self._info(name)

    def ensure(
        self,
        name: str,
        *,
        on_progress: Callable[[int, int], None],
        should_stop: Callable[[], bool],
    ) -> Path:
        """A path that the remote engine does not look at. Raises UnknownModel."""
        self.resolve(name)
        return self.path(name)

    def check_downloadable(self, name: str) -> None:
        self._refuse(name)

    def transfer(self, name: str) -> Transfer:
        self.resolve(name)
        return Transfer(state=TransferState.PRESENT, done_bytes=0, total_bytes=0)

    def delete(self, name: str, *, own: bool = False) -> None:
        self._refuse(name)

    def _refuse(self, name: str) -> NoReturn:
        """Raises UnknownModel, or WrongState."""
        self.resolve(name)
        raise WrongState(
            f"The model {name} is on {self._options.server}.",
            remedy="There is no file of it here to download or to delete.",
        )

    def _info(self, name: str) -> ModelInfo:
        theirs, server = self._options.model(name), self._options.server
        return ModelInfo(
            name=name,
            label=name if theirs == name else f"{name}: {theirs}",
            note=f"Computed by {server} as {theirs}.",
            present=True,
            size_bytes=0,
            english_only=False,
            downloadable=False,
        )
