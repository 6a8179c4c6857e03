"""The models by name: which there are, which are on this machine, and how to get the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from voice_transcriber.engines.auto.kept import remove_choices
from voice_transcriber.engines.conversions import remove_conversions
from voice_transcriber.engines.download import part_path
from voice_transcriber.engines.published import CHECKPOINTS, Checkpoint
from voice_transcriber.engines.transfers import Transfer, Transfers, TransferState
from voice_transcriber.errors import NotFound, Offline, UnknownModel, WrongState
from voice_transcriber.files import free_bytes

DEMO = "demo"
DEMO_FILE = Path(__file__).resolve().parents[1] / "assets" / "demo.pt"

_DEMO_NOTE = (
    "Only for trying the program: it knows the computer-spoken English, Spanish and German "
    "sentences of the shipped samples. It does not understand human speech and writes invented "
    "text for any other recording."
)
_OWN_NOTE = "Your own file in the model folder."
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """One model as the picker shows it."""

    name: str
    label: str
    note: str  # what it is good for, in plain words
    present: bool  # on this machine, usable without the network
    size_bytes: int  # of the file where present, else of the download (rounded)
    english_only: bool
    downloadable: bool
    alias_of: str | None = None  # the name that the same file goes by


class Checkpoints:
    """The model folder. Methods may be called from any thread.

    A file that stands under a published name is taken as it is, whoever put it
    there: the hash is checked once, when a download ends. The engine refuses a
    file that it cannot read with ModelDamaged.
    """

    def __init__(
        self,
        model_dir: Path,
        *,
        published: Mapping[str, Checkpoint] = CHECKPOINTS,
        free_bytes: Callable[[Path], int] = free_bytes,
        retry_base_s: float = 1.0,
        offline: bool = False,
    ) -> None:
        """`offline`: what is not there is refused, and the network is never touched."""
        self._model_dir = model_dir
        self._published = published
        self._offline = offline
        self._transfers = Transfers(free_bytes=free_bytes, retry_base_s=retry_base_s)

    def catalogue(self) -> list[ModelInfo]:
        """The demo, the published models from small to large, then one's own files by name."""
        published = [self._describe(name) for name in self._published]
        return [_demo_info(), *published, *map(_own_info, self._own_files())]

    def resolve(self, name: str) -> ModelInfo:
        """Raises UnknownModel, which names the known ones."""
        known = {model.name: model for model in self.catalogue()}
        if name not in known:
            raise UnknownModel(
                f"There is no model {name[:64]!r}.", remedy=f"Choose one of {', '.join(known)}."
            )
        return known[name]

    def ensure(
        self,
        name: str,
        *,
        on_progress: Callable[[int, int], None],
        should_stop: Callable[[], bool],
    ) -> Path:
        """The path of the model's file, downloaded first where it is missing.

        `on_progress(done_bytes, total_bytes)` and `should_stop` are called from
        this thread, several times a second while a download goes on. Threads
        that ask for the same file wait for one download; when the last of them
        stops, it ends and what came is kept for the next time.
        Raises UnknownModel, ModelUnavailable, Offline, ModelDamaged, DiskFull, and
        DownloadStopped when should_stop said so.
        """
        model, target = self.resolve(name), self.path(name)
        while model.downloadable and not target.is_file():
            self.check_downloadable(name)
            self._transfers.fetch(
                self._published[name].source,
                target,
                on_progress=on_progress,
                should_stop=should_stop,
            )
        return target

    def check_downloadable(self, name: str) -> None:
        """Whether a missing file could be fetched. Raises UnknownModel, Offline, and WrongState
        for the demo and for one's own files.
        """
        model = self.resolve(name)
        if not model.downloadable:
            raise WrongState(
                f"The model {name} is not published anywhere.",
                remedy="There is nothing to download; it is on this machine.",
            )
        if self._offline and not model.present:
            file_name = self.path(name).name
            raise Offline(
                f"The model {name} is not on this machine, and the program runs offline.",
                remedy=f"Copy {file_name} into WHISPER_MODEL_DIR, pick a model that is present, "
                "or set OFFLINE to false and restart.",
            )

    def transfer(self, name: str) -> Transfer:
        """How far the file of a model is, whoever downloads it. Raises UnknownModel."""
        model = self.resolve(name)
        if model.downloadable:
            return self._transfers.look(self._published[name].source, self.path(name))
        return Transfer(
            state=TransferState.PRESENT, done_bytes=model.size_bytes, total_bytes=model.size_bytes
        )

    def delete(self, name: str, *, own: bool = False) -> None:
        """Remove a model's file, what it was converted to, and a download that broke off.

        A file of one's own, which nobody can download again, goes only when `own` says so.
        Raises UnknownModel, NotFound when it is not on this machine, and WrongState for such a
        file, for the demo, and while the model is being downloaded.
        """
        model, target = self.resolve(name), self.path(name)
        if name == DEMO:
            raise WrongState("The demo model is a part of the program.", remedy="Leave it there.")
        if not model.downloadable and not own:
            raise WrongState(
                f"{target.name} is your own file and cannot be downloaded again.",
                remedy="Say that it is to go all the same, or remove it from the model folder.",
            )
        if not target.is_file() and not part_path(target).is_file():
            raise NotFound(
                f"The model {name} is not on this machine.", remedy="There is nothing to delete."
            )
        self._transfers.delete(target)
        remove_conversions(target, self._model_dir)
        remove_choices(target, self._model_dir)

    def path(self, name: str) -> Path:
        """Where the model's file is, or would be; names of one model have one path."""
        if name == DEMO:
            return DEMO_FILE
        if name in self._published:
            return self._model_dir / self._published[name].source.file_name
        return self._model_dir / f"{name}.pt"

    def _describe(self, name: str) -> ModelInfo:
        path, row = self.path(name), self._published[name]
        present = path.is_file()
        return ModelInfo(
            name=name,
            label=name,
            note=row.note,
            present=present,
            size_bytes=path.stat().st_size if present else row.source.size_bytes,
            english_only=name.endswith(".en"),
            downloadable=True,
            alias_of=row.alias_of,
        )

    def _own_files(self) -> Iterator[Path]:
        taken = {DEMO, *self._published}
        taken |= {row.source.file_name.removesuffix(".pt") for row in self._published.values()}
        for path in sorted(self._model_dir.glob("*.pt")):
            if path.is_file() and path.stem not in taken and _SAFE_NAME.fullmatch(path.stem):
                yield path


def _demo_info() -> ModelInfo:
    return ModelInfo(
        name=DEMO,
        label="demo (not for human speech)",
        note=_DEMO_NOTE,
        present=DEMO_FILE.is_file(),
        size_bytes=DEMO_FILE.stat().st_size if DEMO_FILE.is_file() else 0,
        english_only=False,
        downloadable=False,
    )


def _own_info(path: Path) -> ModelInfo:
    return ModelInfo(
        name=path.stem,
        label=path.stem,
        note=_OWN_NOTE,
        present=True,
        size_bytes=path.stat().st_size,
        english_only=path.stem.endswith(".en"),
        downloadable=False,
    )
