"""The one place that builds all parts, joins them, and starts and stops them in order."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from filelock import FileLock

from voice_transcriber.audio.decode import Decoder
from voice_transcriber.blobs.base import BlobStore
from voice_transcriber.blobs.local import LocalBlobs
from voice_transcriber.data_folder import DataFolder
from voice_transcriber.engines.checkpoints import DEMO, Checkpoints
from voice_transcriber.engines.child import HostStarter, process_starter, thread_starter
from voice_transcriber.engines.client import EngineClient
from voice_transcriber.engines.compute import check_computing, place_on
from voice_transcriber.engines.downloads import Downloads
from voice_transcriber.engines.preload import Preloader
from voice_transcriber.engines.protocol import HostOptions
from voice_transcriber.engines.published import CHECKPOINTS, Checkpoint
from voice_transcriber.errors import ConfigurationError, UnknownModel
from voice_transcriber.job import JobStatus
from voice_transcriber.jobs.finished_files import FinishedFiles
from voice_transcriber.jobs.hooks import HookChain, JobHooks
from voice_transcriber.jobs.housekeeping import Housekeeping
from voice_transcriber.jobs.manager import JobManager
from voice_transcriber.jobs.model_library import ModelLibrary
from voice_transcriber.jobs.output_folder import OutputFolder
from voice_transcriber.jobs.prober import Prober
from voice_transcriber.jobs.runner import Workshop
from voice_transcriber.jobs.scheduler import make_scheduler
from voice_transcriber.jobs.sidecar import Sidecars
from voice_transcriber.jobs.transcription import TranscriptionOptions
from voice_transcriber.jobs.worker import Workers
from voice_transcriber.monitor.history import SAMPLE_INTERVAL_S
from voice_transcriber.monitor.performance import PerformanceMonitor
from voice_transcriber.monitor.system import SystemMonitor
from voice_transcriber.processes.spawn import Spawner
from voice_transcriber.settings import Settings, cpu_threads
from voice_transcriber.store.base import Store
from voice_transcriber.store.sqlite import SqliteStore

EXPRESS_WORKERS = 2
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
        self.demo_model = DEMO
        self.models = Checkpoints(
            settings.whisper_model_dir, published=published, offline=settings.offline
        )
        _check_model_names(self.models, "DEFAULT_MODEL", [settings.default_model])
        _check_model_names(self.models, "PRELOAD_MODELS", settings.preload_models)
        check_computing(
            engine=settings.engine,
            device=settings.device,
            compute_type=settings.compute_type,
            gpu_enabled=settings.enable_gpu_acceleration,
        )
        self._folder = DataFolder(settings.data_dir)
        self.spool_dir = self._folder.temp  # request bodies, on the disk of the blobs
        self._folder.create()
        self._output = _output_folder(settings)
        self._lock: FileLock = self._folder.lock()
        self._boot_id = uuid.uuid4().hex
        self.store: Store = SqliteStore(self._folder.database)
        self.blobs: BlobStore = LocalBlobs(self._folder.blobs)
        self._spawner = Spawner()
        self.engine = EngineClient(self._host_starter())
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
            batch_size=settings.batch_size,
            compute_type_on=lambda device: place_on(device, self._host_options()).compute_type,
        )
        self._build_jobs()

    def _host_options(self) -> HostOptions:
        return HostOptions(
            engine=self.settings.engine,
            threads=cpu_threads(self.settings.engine_threads),
            batch_size=self.settings.batch_size,
            model_cache_size=self.settings.whisper_model_cache_size,
            use_gpu=self.settings.enable_gpu_acceleration and self.settings.device != "cpu",
            gpu_expected=self.settings.device == "cuda",
            free_memory_early=self.settings.memory_optimization,
            compute_type=self.settings.compute_type,
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
        workshop = Workshop(
            store=self.store,
            blobs=self.blobs,
            checkpoints=self.models,
            decoder=decoder,
            engine=self.engine,
            sidecars=sidecars,
            hooks=HookChain(self._monitor, self.system, self._finished_files or JobHooks()),
            work_dir=self._folder.work,
            options=TranscriptionOptions(
                chunk_size_s=settings.audio_chunk_size_s,
                level_audio=settings.audio_optimization,
                windows_in_flight=2 * settings.batch_size,
            ),
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


def _output_folder(settings: Settings) -> OutputFolder | None:
    if settings.transcriptions_dir is None:
        return None
    return OutputFolder(settings.transcriptions_dir, settings.output_formats)


def _check_model_names(models: Checkpoints, setting: str, names: Sequence[str]) -> None:
    for name in names:
        try:
            models.resolve(name)
        except UnknownModel as error:
            raise ConfigurationError(
                f"{setting} names {name!r}, which cannot be used.",
                remedy=f"{setting}: {error.remedy}",
            ) from error
