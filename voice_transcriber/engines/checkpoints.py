"""The models by name: which there are, which are on this machine, and how to get the others."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from voice_transcriber.engines.download import Download, Source, free_bytes
from voice_transcriber.engines.published import CHECKPOINTS, Checkpoint
from voice_transcriber.errors import (
    DownloadStopped,
    NotFound,
    UnknownModel,
    WrongState,
    error_from_code,
)

DEMO = "demo"
DEMO_FILE = Path(__file__).resolve().parents[1] / "assets" / "demo.pt"

_DEMO_NOTE = (
    "Only for trying the program: it knows the computer-spoken English, Spanish and German "
    "sentences of the shipped samples. It does not understand human speech and writes invented "
    "text for any other recording."
)
_OWN_NOTE = "Your own file in the model folder."
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_POLL_S = 0.2


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
    ) -> None:
        self._model_dir = model_dir
        self._published = published
        self._free_bytes = free_bytes
        self._retry_base_s = retry_base_s
        self._lock = threading.Lock()
        self._downloads: dict[Path, Download] = {}

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
        Raises UnknownModel, ModelUnavailable, ModelDamaged, DiskFull, and
        DownloadStopped when should_stop said so.
        """
        model, target = self.resolve(name), self._path(name)
        while model.downloadable and not target.is_file():
            download = self._join(self._published[name].source, target)
            try:
                _wait(download, on_progress, should_stop)
            finally:
                self._leave(download)
        return target

    def delete(self, name: str, *, own: bool = False) -> None:
        """Remove a model's file, and what came of a download that broke off.

        A file of one's own, which nobody can download again, goes only when `own` says so.
        Raises UnknownModel, NotFound when it is not on this machine, and WrongState for such a
        file, for the demo, and while the model is being downloaded.
        """
        model, target = self.resolve(name), self._path(name)
        if name == DEMO:
            raise WrongState("The demo model is a part of the program.", remedy="Leave it there.")
        if not model.downloadable and not own:
            raise WrongState(
                f"{target.name} is your own file and cannot be downloaded again.",
                remedy="Say that it is to go all the same, or remove it from the model folder.",
            )
        part = target.with_name(f"{target.name}.part")
        if not target.is_file() and not part.is_file():
            raise NotFound(
                f"The model {name} is not on this machine.", remedy="There is nothing to delete."
            )
        with _sole_use(target):
            target.unlink(missing_ok=True)
            part.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        if name == DEMO:
            return DEMO_FILE
        if name in self._published:
            return self._model_dir / self._published[name].source.file_name
        return self._model_dir / f"{name}.pt"

    def _describe(self, name: str) -> ModelInfo:
        path, row = self._path(name), self._published[name]
        present = path.is_file()
        return ModelInfo(
            name=name,
            label=name,
            note=row.note,
            present=present,
            size_bytes=path.stat().st_size if present else row.source.size_bytes,
            english_only=name.endswith(".en"),
            downloadable=True,
        )

    def _own_files(self) -> Iterator[Path]:
        taken = {DEMO, *self._published}
        taken |= {row.source.file_name.removesuffix(".pt") for row in self._published.values()}
        for path in sorted(self._model_dir.glob("*.pt")):
            if path.is_file() and path.stem not in taken and _SAFE_NAME.fullmatch(path.stem):
                yield path

    def _join(self, source: Source, target: Path) -> Download:
        with self._lock:
            download = self._downloads.get(target)
            if download is not None and not download.ended.is_set():
                download.waiting += 1
                return download
            download = self._downloads[target] = Download(
                source, target, free_bytes=self._free_bytes, retry_base_s=self._retry_base_s
            )
        # A thread of its own: a waiter can leave at once, however long the network is silent.
        threading.Thread(target=download.run, name=f"download-{target.name}", daemon=True).start()
        return download

    def _leave(self, download: Download) -> None:
        with self._lock:
            download.waiting -= 1


@contextmanager
def _sole_use(target: Path) -> Iterator[None]:
    """No download of the file, in this process or another, goes on inside. Raises WrongState."""
    lock = FileLock(target.with_name(f"{target.name}.lock"))  # the one that a download takes
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise WrongState(
            f"{target.name} is being downloaded.", remedy="Cancel the jobs that wait for it first."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _wait(
    download: Download,
    on_progress: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> None:
    ended = False
    while not ended:
        if should_stop():
            raise DownloadStopped
        ended = download.ended.wait(_POLL_S)
        on_progress(download.done_bytes, download.total_bytes)
    if download.error is not None:  # each waiter raises an exception of its own
        error = download.error
        raise error_from_code(error.code, error.message, error.remedy) from error


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
