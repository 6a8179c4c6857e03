"""The one place that builds all parts, joins them, and starts and stops them in order."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apscheduler.schedulers.background import BackgroundScheduler
from filelock import FileLock

from voice_transcriber.audio.decode import Decoder
from voice_transcriber.blobs.base import BlobStore
from voice_transcriber.blobs.local import LocalBlobs
from voice_transcriber.data_folder import DataFolder
from voice_transcriber.engines.auto.known import KnownChoices
from voice_transcriber.engines.auto.machine import thread_counts
from voice_transcriber.engines.batch_sizes import AUTO_MOST_ON_GPU, first_batch_size
from voice_transcriber.engines.checkpoints import DEMO, Checkpoints
from voice_transcriber.engines.child import HostStarter, process_starter, thread_starter
from voice_transcriber.engines.client import EngineClient
from voice_transcriber.engines.compute import check_computing, place_on
from voice_transcriber.engines.downloads import Downloads
from voice_transcriber.engines.encoders.installed import check_encoder
from voice_transcriber.engines.preload import Preloader
from voice_transcriber.engines.protocol import HostOptions
from voice_transcriber.engines.published import CHECKPOINTS, Checkpoint
from voice_transcriber.engines.remote.models import RemoteModels
from voice_transcriber.engines.remote.options import RemoteOptions
from voice_transcriber.engines.remote.takeover import LocalTakeover
from voice_transcriber.engines.speech import SpeechEngine
from voice_transcriber.errors import ConfigurationError, UnknownModel
from voice_transcriber.job import JobStatus
from voice_transcriber.jobs.finished_files import FinishedFiles
from voice_transcriber.jobs.hooks import HookChain, JobHooks
from voice_transcriber.jobs.housekeeping import Housekeeping
from voice_transcriber.jobs.known import KnownResults
from voice_transcriber.jobs.manager import JobManager
from voice_transcriber.jobs.model_library import ModelLibrary
from voice_transcriber.jobs.output_folder import OutputFolder
from voice_transcriber.jobs.prober import Prober
from voice_transcriber.jobs.recipes import Recipes, configuration, decoder_version
from voice_transcriber.jobs.runner import Workshop
from voice_transcriber.jobs.scheduler import make_scheduler
from voice_transcriber.jobs.sidecar import Sidecars
from voice_transcriber.jobs.transcription import TranscriptionOptions
from voice_transcriber.jobs.worker import Workers
from voice_transcriber.monitor.history import SAMPLE_INTERVAL_S
from voice_transcriber.monitor.performance import PerformanceMonitor
from voice_transcriber.monitor.system import SystemMonitor
from voice_transcriber.processes.spawn import Spawner
from voice_transcriber.results.cache import CacheOptions, ResultCache
from voice_transcriber.settings import Settings, cpu_threads
from voice_transcriber.store.base import Store
from voice_transcriber.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from voice_transcriber.engines.remote.engine import RemoteEngine

REMOTE = "remote"
EXPRESS_WORKERS = 6  # clips of jobs that run side by side share a batch
SAMPLE = Path(__file__).resolve().parent / "assets" / "sample.flac"


@dataclass(frozen=True, kw_only=True)
class Health:
    """Whether the server can do its work, and if not, why."""

    ready: bool
    problems: Sequence[str]
    details: Mapping[str, Any] = field(default_factory=dict)


class Services:
    """All parts of one running instance."""

    def __init__(
        self, settings: Settings, *, published: Mapping[str, Checkpoint] = CHECKPOINTS
    ) -> None:
        """Take the data folder and build the parts; nothing runs yet.

        `published` are the models that can be downloaded.
        Raises DataFolderBusy, ConfigurationError, DiskFull.
        """
        self.settings = settings
        self.sample = SAMPLE
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
        self._folder = DataFolder(settings.data_dir)
        self.spool_dir = self._folder.temp  # request bodies, on the disk of the blobs
        self._folder.create()
        self._output = _output_folder(settings)
        self._lock: FileLock = self._folder.lock()
        self._boot_id = uuid.uuid4().hex
        self.store: Store = SqliteStore(self._folder.database)
        self.blobs: BlobStore = LocalBlobs(self._folder.blobs)
        self.results = ResultCache(self.store, _cache_options(settings))
        self._spawner = Spawner()
        self.remote: RemoteEngine | None = None
        self.engine = self._make_engine()
        self._monitor = PerformanceMonitor(log_figures=settings.log_performance_metrics)
        self.system = SystemMonitor(
            store=self.store, data_dir=settings.data_dir, engine_pid=lambda: self.engine.pid
        )
        self._downloads = Downloads(self.models)
        self._preloader = Preloader(
            settings.preload_models, checkpoints=self.models, engine=self.engine
        )
        self.library = ModelLibrary(
            checkpoints=self.models,
            downloads=self._downloads,
            engine=self.engine,
            store=self.store,
            batch_size=first_batch_size(settings.batch_size),
            compute_type_on=lambda device: place_on(device, self._host_options()).compute_type,
            choices=KnownChoices(self._host_options()),
        )
        self._build_jobs()

    def _make_engine(self) -> SpeechEngine:
        settings = self.settings
        if settings.engine != REMOTE:
            return EngineClient(self._host_starter())
        takeover = None
        if settings.remote_fallback != "none":
            takeover = LocalTakeover(
                EngineClient(self._host_starter()),
                self._local_models,
                level_audio=settings.audio_optimization,
            )
        from voice_transcriber.engines.remote.engine import RemoteEngine  # it loads httpx

        self.remote = RemoteEngine(RemoteOptions.of(settings), takeover=takeover)
        return self.remote

    def _host_options(self) -> HostOptions:
        return HostOptions(
            engine=self._local_engine,
            threads=cpu_threads(self.settings.engine_threads),
            batch_size=first_batch_size(self.settings.batch_size),
            gpu_batch_size=AUTO_MOST_ON_GPU if self.settings.batch_size == "auto" else None,
            gpu_memory_threshold=self.settings.gpu_memory_threshold,
            model_cache_size=self.settings.whisper_model_cache_size,
            use_gpu=self.settings.enable_gpu_acceleration and self.settings.device != "cpu",
            gpu_expected=self.settings.device == "cuda",
            free_memory_early=self.settings.memory_optimization,
            compute_type=self.settings.compute_type,
            encoder=self.settings.encoder,
            thread_counts=thread_counts(self.settings.engine_threads),
            model_dir=str(self.settings.whisper_model_dir),
        )

    def _host_starter(self) -> HostStarter:
        options = self._host_options()
        if self.settings.engine_isolation == "thread":
            return thread_starter(options)
        return process_starter(self._spawner, options, self._folder.logs / "engine.log")

    def _build_jobs(self) -> None:
        settings = self.settings
        decoder = Decoder(self._spawner, max_duration_s=settings.max_duration_s)
        sidecars = Sidecars(self._folder.transcripts)
        self._finished_files = (
            FinishedFiles(store=self.store, sidecars=sidecars, folder=self._output)
            if self._output
            else None
        )
        hooks = HookChain(self._monitor, self.system, self._finished_files or JobHooks())
        run_options = TranscriptionOptions(
            chunk_size_s=settings.audio_chunk_size_s,
            parallel_chunks=settings.max_parallel_chunks,
            level_audio=settings.audio_optimization,
            beam_size=settings.beam_size,
            windows_in_flight=2 * _windows_at_once(settings),
            max_request_bytes=self.remote.max_sound_bytes if self.remote else None,
        )
        self.known = KnownResults(
            self.results,
            recipes=Recipes(
                self.store,
                checkpoints=self.models,
                configuration=lambda: configuration(self._host_options(), asdict(run_options)),
            ),
            store=self.store,
            sidecars=sidecars,
            hooks=hooks,
            decoder_version=decoder_version(),
        )
        workshop = Workshop(
            store=self.store,
            blobs=self.blobs,
            checkpoints=self.models,
            decoder=decoder,
            engine=self.engine,
            sidecars=sidecars,
            hooks=hooks,
            known=self.known,
            work_dir=self._folder.work,
            options=run_options,
        )
        self._workers = Workers(
            workshop,
            owner=self._boot_id,
            main=settings.max_concurrent_jobs,
            express=EXPRESS_WORKERS,
        )
        self.manager = JobManager(
            store=self.store,
            blobs=self.blobs,
            checkpoints=self.models,
            sidecars=sidecars,
            workers=self._workers,
            known=self.known,
            data_dir=settings.data_dir,
            max_queue_size=settings.max_queue_size,
        )
        self._prober = Prober(
            store=self.store, blobs=self.blobs, decoder=decoder, on_known=self._workers.wake
        )
        self._housekeeping = Housekeeping(
            store=self.store,
            blobs=self.blobs,
            engine=self.engine,
            manager=self.manager,
            results=self.results,
            database=self._folder.database,
            work_dir=self._folder.work,
            temp_dir=self._folder.temp,
            retention_days=settings.retention_days,
            model_idle_s=settings.model_idle_s,
            free_memory_early=settings.memory_optimization,
        )
        self._scheduler: BackgroundScheduler = make_scheduler(
            self._housekeeping, self._finished_files, interval_s=settings.cleanup_interval_s
        )
        self._scheduler.add_job(
            self.system.sample, "interval", seconds=SAMPLE_INTERVAL_S, id="system"
        )

    def start(self) -> None:
        """Take up the jobs that a dead process left, then begin to work."""
        self.store.reclaim(owner=self._boot_id)
        self._housekeeping.at_start()
        self._monitor.start()
        self.system.start()
        self._workers.start()
        self._prober.start()
        self._scheduler.start()

    def preload(self) -> None:
        """Bring PRELOAD_MODELS into memory in the background; what serves wants it, no command."""
        self._preloader.start()
        threading.Thread(target=self.results.warm, name="cache-warming", daemon=True).start()

    def drain(self) -> None:
        """Accept nothing, claim nothing, let the windows in work be committed; reads go on."""
        if self.manager.is_draining:
            return
        self.manager.is_draining = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._prober.stop()
        self._preloader.stop()
        self._downloads.stop()
        self._workers.drain(grace_s=self.settings.shutdown_grace_s)

    def stop(self) -> None:
        """Drain, then end the children, close the store and give the folder back."""
        self.drain()
        self.engine.stop()
        self._monitor.stop()
        self._spawner.stop()
        self.store.close()
        self._lock.release()

    def health(self) -> Health:
        """Cheap enough to be asked every second."""
        problems = []
        if self.manager.is_draining:
            problems.append("The server is shutting down.")
        if dead := self._workers.dead:
            problems.append(f"{dead} worker threads have ended.")
        counts = self.store.counts()
        return Health(
            ready=not problems,
            problems=problems,
            details={
                "instance": self.settings.instance_id,
                "queued": counts[JobStatus.QUEUED],
                "running": counts[JobStatus.RUNNING],
                "engine": {
                    "name": self.settings.engine,
                    "running": self.engine.is_running,
                    "starts": self.engine.starts,
                    "models": list(self.engine.models),
                },
                "finished_files": self._finished_files.problem if self._finished_files else None,
            },
        )


def _windows_at_once(settings: Settings) -> int:
    if settings.engine == REMOTE:
        return settings.remote_parallel
    return first_batch_size(settings.batch_size)


def _output_folder(settings: Settings) -> OutputFolder | None:
    if settings.transcriptions_dir is None:
        return None
    return OutputFolder(settings.transcriptions_dir, settings.output_formats)


def _cache_options(settings: Settings) -> CacheOptions:
    return CacheOptions(
        # A server elsewhere may change its model at any time, and has no hash that could tell.
        enabled=settings.enable_cache and settings.engine != REMOTE,
        entries=settings.cache_size,
        ttl_s=settings.cache_ttl_seconds,
        on_disk=settings.enable_disk_cache,
        disk_bytes=settings.disk_cache_size_bytes,
        disk_ttl_s=settings.disk_cache_ttl_s,
    )


def _check_model_names(models: Checkpoints, setting: str, names: Sequence[str]) -> None:
    for name in names:
        try:
            models.resolve(name)
        except UnknownModel as error:
            raise ConfigurationError(
                f"{setting} names {name!r}, which cannot be used.",
                remedy=f"{setting}: {error.remedy}",
            ) from error
