"""What a job's text is computed with: the part of a result's key that no option names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from voice_transcriber.engines.checkpoints import Checkpoints
from voice_transcriber.engines.protocol import HostOptions, Place
from voice_transcriber.job import TranscribeOptions
from voice_transcriber.results.hashes import FileHashes
from voice_transcriber.results.keys import Computing, place_key
from voice_transcriber.store.results import ResultStore

# What is not named here counts: settings that say how fast, how much at once, and where.
_HOST_WITHOUT_EFFECT = frozenset(
    {
        *("threads", "thread_counts", "batch_size", "model_cache_size"),
        *("gpu_batch_size", "gpu_memory_threshold"),
        *("free_memory_early", "gpu_expected", "model_dir"),
    }
)
_RUN_WITHOUT_EFFECT = frozenset({"windows_in_flight"})
_PACKAGES = (
    *("openai-whisper", "torch", "ctranslate2", "openvino", "onnxruntime", "silero-vad"),
    *("librosa", "numpy"),
)
_DECODER_VERSION = 1  # raise it with every change that makes other samples of a file


def configuration(host: HostOptions, run: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings and packages that a text depends on, as plain JSON values."""
    return {
        "host": _without(asdict(host), _HOST_WITHOUT_EFFECT),
        "run": _without(run, _RUN_WITHOUT_EFFECT),
        "packages": {name: _package_version(name) for name in _PACKAGES},
    }


def decoder_version() -> str:
    return f"{_DECODER_VERSION} av {_package_version('av')}"


class Recipes:
    """Knows the hash of each model's file, and where each model computed last; any thread asks."""

    def __init__(
        self,
        store: ResultStore,
        *,
        checkpoints: Checkpoints,
        configuration: Callable[[str | None], Mapping[str, Any]],
    ) -> None:
        """`configuration` is asked once for each engine that jobs name, None for the
        installation's own: packages are looked up for it.
        """
        self._store = store
        self._checkpoints = checkpoints
        self._configure = configuration
        self._configured: dict[str | None, Mapping[str, Any]] = {}
        self._hashes = FileHashes(store)
        self._places: dict[str, Mapping[str, Any]] = {}

    def learn(self, checkpoint: Path, *, check: Callable[[], None]) -> None:
        """Read a model's file for its hash, once for each state of it; `check` may end that.

        Raises OSError, DiskFull, and what `check` raises.
        """
        self._hashes.of(checkpoint, check=check)

    def expected(self, options: TranscribeOptions) -> Computing | None:
        """As it would be computed now, by what was seen last; None when that is not known."""
        basis = self._basis(options)
        place = self._last_place(place_key(options, basis)) if basis else None
        return {**basis, "place": place} if basis and place else None

    def seen(self, options: TranscribeOptions, place: Place) -> Computing | None:
        """As it was computed just now, on this place; None when the model's file was replaced."""
        basis = self._basis(options)
        if basis is None:
            return None
        key, values = place_key(options, basis), _plain(place)
        if self._last_place(key) != values:
            self._places[key] = values
            self._store.note_fact(f"place {key}", json.dumps(values))
        return {**basis, "place": values}

    def _basis(self, options: TranscribeOptions) -> dict[str, Any] | None:
        sha256 = self._hashes.known(self._checkpoints.path(options.model))
        if sha256 is None:
            return None
        if options.engine not in self._configured:
            self._configured[options.engine] = self._configure(options.engine)
        return {"checkpoint": sha256, "configuration": self._configured[options.engine]}

    def _last_place(self, key: str) -> Mapping[str, Any] | None:
        if key not in self._places and (noted := self._store.fact(f"place {key}")):
            self._places[key] = json.loads(noted)
        return self._places.get(key)


def _plain(place: Place) -> Mapping[str, Any]:
    """Without the note, which explains and changes nothing."""
    return {name: value for name, value in asdict(place).items() if name != "note"}


def _without(values: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _package_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
