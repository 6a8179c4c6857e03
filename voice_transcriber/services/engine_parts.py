"""What transcribes: the models, the engine's child, and a remote server in front of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from voice_transcriber.data_folder import DataFolder
from voice_transcriber.engines.auto.machine import thread_counts
from voice_transcriber.engines.batch_sizes import AUTO_MOST_ON_GPU, first_batch_size
from voice_transcriber.engines.checkpoints import DEMO, Checkpoints
from voice_transcriber.engines.child import HostStarter, process_starter, thread_starter
from voice_transcriber.engines.client import EngineClient
from voice_transcriber.engines.compute import check_computing
from voice_transcriber.engines.encoders.installed import check_encoder
from voice_transcriber.engines.host_watch import WatchLimits
from voice_transcriber.engines.offered import OfferedEngines
from voice_transcriber.engines.protocol import HostOptions
from voice_transcriber.engines.published import Checkpoint
from voice_transcriber.engines.remote.models import RemoteModels
from voice_transcriber.engines.remote.options import RemoteOptions
from voice_transcriber.engines.remote.takeover import LocalTakeover
from voice_transcriber.engines.speech import SpeechEngine
from voice_transcriber.errors import ConfigurationError, UnknownModel
from voice_transcriber.processes.memory import total_bytes
from voice_transcriber.processes.spawn import Spawner
from voice_transcriber.settings import Settings, cpu_threads

if TYPE_CHECKING:
    from voice_transcriber.engines.remote.engine import RemoteEngine

REMOTE = "remote"
MEMORY_FOR_ENGINE = 0.9  # of the machine's, or of the container's


class EngineParts:
    """Built at once, so that a setting that cannot be is told; `make` is called when there are
    a data folder and a starter of children.
    """

    def __init__(self, settings: Settings, *, published: Mapping[str, Checkpoint]) -> None:
        """Raises ConfigurationError."""
        self._settings = settings
        self._local_models = Checkpoints(
            settings.whisper_model_dir, published=published, offline=settings.offline
        )
        self.models: Checkpoints = self._local_models
        self.demo_model = DEMO
        self._local_engine = settings.engine
        if settings.engine == REMOTE:
            self.models = RemoteModels(
                settings.whisper_model_dir,
                RemoteOptions.of(settings),
                default=settings.default_model,
                published=published,
            )
            self.demo_model = settings.default_model
            self._local_engine = settings.remote_fallback
        _check_model_names(self.models, "DEFAULT_MODEL", [settings.default_model])
        _check_model_names(self.models, "PRELOAD_MODELS", settings.preload_models)
        check_computing(
            engine=self._local_engine,
            device=settings.device,
            compute_type=settings.compute_type,
            gpu_enabled=settings.enable_gpu_acceleration,
        )
        check_encoder(settings.encoder, engine=self._local_engine)
        self.offered = OfferedEngines(settings.engine)
        self.remote: RemoteEngine | None = None

    @property
    def windows_at_once(self) -> int:
        """That a job may have answered together."""
        if self._settings.engine == REMOTE:
            return self._settings.remote_parallel
        return first_batch_size(self._settings.batch_size)

    def make(self, folder: DataFolder, spawner: Spawner) -> SpeechEngine:
        """The engine that the settings name; `remote` is there from now on, if it is that."""
        settings = self._settings
        if settings.engine != REMOTE:
            return self._local_client(folder, spawner)
        takeover = None
        if settings.remote_fallback != "none":
            takeover = LocalTakeover(
                self._local_client(folder, spawner),
                self._local_models,
                level_audio=settings.audio_optimization,
            )
        from voice_transcriber.engines.remote.engine import RemoteEngine  # it loads httpx

        self.remote = RemoteEngine(RemoteOptions.of(settings), takeover=takeover)
        return self.remote

    def host_options(self) -> HostOptions:
        settings = self._settings
        return HostOptions(
            engine=self._local_engine,
            threads=cpu_threads(settings.engine_threads),
            batch_size=first_batch_size(settings.batch_size),
            gpu_batch_size=AUTO_MOST_ON_GPU if settings.batch_size == "auto" else None,
            gpu_memory_threshold=settings.gpu_memory_threshold,
            model_cache_size=settings.whisper_model_cache_size,
            use_gpu=settings.enable_gpu_acceleration and settings.device != "cpu",
            gpu_expected=settings.device == "cuda",
            free_memory_early=settings.memory_optimization,
            compute_type=settings.compute_type,
            encoder=settings.encoder,
            thread_counts=thread_counts(settings.engine_threads),
            model_dir=str(settings.whisper_model_dir),
        )

    def _local_client(self, folder: DataFolder, spawner: Spawner) -> EngineClient:
        return EngineClient(
            self._host_starter(folder, spawner),
            limits=WatchLimits(no_progress_s=self._settings.no_progress_limit_s),
            memory_limit_bytes=_memory_limit_bytes(self._settings),
        )

    def _host_starter(self, folder: DataFolder, spawner: Spawner) -> HostStarter:
        options = self.host_options()
        if self._settings.engine_isolation == "thread":
            return thread_starter(options)
        return process_starter(spawner, options, folder.engine_log)


def _memory_limit_bytes(settings: Settings) -> int | None:
    match settings.engine_memory_limit_bytes:
        case "off":
            return None
        case "auto":
            return int(MEMORY_FOR_ENGINE * total_bytes())
        case limit_bytes:
            return limit_bytes


def _check_model_names(models: Checkpoints, setting: str, names: Sequence[str]) -> None:
    for name in names:
        try:
            models.resolve(name)
        except UnknownModel as error:
            raise ConfigurationError(
                f"{setting} names {name!r}, which cannot be used.",
                remedy=f"{setting}: {error.remedy}",
            ) from error
