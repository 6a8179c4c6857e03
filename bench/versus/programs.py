"""The programs themselves, each loaded with one model. Imported by the worker alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bench.versus.contenders import BARE, BATCHED, FASTER, OURS, WHISPER, WHISPER_CPP


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a program is given: a model in its own form, and how it computes."""

    kind: str
    model: str  # a path; for ours its name
    beam: int
    threads: int
    language: str
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """The texts of the files, and seconds of parts where the program has any."""

    texts: Sequence[str]
    seconds: Mapping[str, float] = field(default_factory=dict)


class Program(Protocol):
    def read(self, paths: Sequence[Path]) -> Heard: ...


class _OneByOne:
    """Gives the files to a function, one after the other."""

    def __init__(self, read: Callable[[Path], str]) -> None:
        self._read = read

    def read(self, paths: Sequence[Path]) -> Heard:
        return Heard(texts=[self._read(path) for path in paths])


@contextmanager
def loaded(order: Order) -> Iterator[Program]:
    if order.kind == OURS:
        with _ours(order) as program:
            yield program
    elif order.kind == BARE:
        with _bare(order) as program:
            yield program
    else:
        yield _OneByOne(_PEERS[order.kind](order))


@contextmanager
def _ours(order: Order) -> Iterator[Program]:
    """The files are submitted at once; a user's jobs, only without the web."""
    from bench.product import Product, running_product

    class Ours:
        def __init__(self, product: Product) -> None:
            self._product = product

        def read(self, paths: Sequence[Path]) -> Heard:
            found = self._product.read_together(paths, language=order.language, model=order.model)
            return Heard(texts=[one.text for one in found])

    with running_product(**order.settings) as product:
        yield Ours(product)


@contextmanager
def _bare(order: Order) -> Iterator[Program]:
    import tempfile

    from bench.direct import DirectEngine, direct_engine

    class Bare:
        def __init__(self, engine: DirectEngine) -> None:
            self._engine = engine

        def read(self, paths: Sequence[Path]) -> Heard:
            (path,) = paths
            with tempfile.TemporaryDirectory() as folder:
                found = self._engine.read(path, Path(folder), language=order.language)
            seconds = {
                "decode_s": found.decode_s,
                "plan_s": found.plan_s,
                "windows_s": found.windows_s,
            }
            return Heard(texts=[found.text], seconds=seconds)

    with direct_engine(order.model, **order.settings) as engine:
        yield Bare(engine)


def _whisper(order: Order) -> Callable[[Path], str]:
    import torch

    from bench.peers import WhisperTranscribe

    torch.set_num_threads(order.threads)
    program = WhisperTranscribe(Path(order.model), beam_size=order.beam)
    return lambda path: program.text(path, language=order.language)


def _faster(order: Order) -> Callable[[Path], str]:
    model = _faster_model(order)

    def read(path: Path) -> str:
        segments, _ = model.transcribe(
            str(path),
            language=order.language,
            beam_size=order.beam,
            condition_on_previous_text=False,
        )
        return _joined(segments)

    return read


def _batched(order: Order) -> Callable[[Path], str]:
    from faster_whisper import BatchedInferencePipeline

    pipeline = BatchedInferencePipeline(_faster_model(order))
    batch_size = int(order.kind.rpartition("-")[2])

    def read(path: Path) -> str:
        segments, _ = pipeline.transcribe(
            str(path), language=order.language, beam_size=order.beam, batch_size=batch_size
        )
        return _joined(segments)

    return read


def _faster_model(order: Order) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(
        order.model,
        device="cpu",
        compute_type="int8",
        cpu_threads=order.threads,
        local_files_only=True,
    )


def _whisper_cpp(order: Order) -> Callable[[Path], str]:
    """Without context from the text before, as the others."""
    from pywhispercpp.model import Model

    from bench.recordings import read_samples

    beams: dict[str, Any] = {"beam_search": {"beam_size": order.beam, "patience": -1.0}}
    model = Model(
        order.model,
        params_sampling_strategy=1 if order.beam > 1 else 0,
        n_threads=order.threads,
        language=order.language,
        no_context=True,
        print_progress=False,
        print_realtime=False,
        redirect_whispercpp_logs_to=None,
        **(beams if order.beam > 1 else {}),
    )
    return lambda path: _joined(model.transcribe(read_samples(path)))


def _joined(segments: Sequence[Any]) -> str:
    return " ".join(segment.text.strip() for segment in segments)


_PEERS: Mapping[str, Callable[[Order], Callable[[Path], str]]] = {
    WHISPER: _whisper,
    FASTER: _faster,
    **dict.fromkeys(BATCHED, _batched),
    **dict.fromkeys(WHISPER_CPP, _whisper_cpp),
}
