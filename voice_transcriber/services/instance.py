"""The one place that builds all parts, joins them, and starts and stops them in order."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from apscheduler.schedulers.background import BackgroundScheduler
from filelock import FileLock

from voice_transcriber import __version__
from voice_transcriber.audio.decode import Decoder
from voice_transcriber.blobs.base import BlobStore, PartialStore
from voice_transcriber.blobs.local import LocalBlobs
from voice_transcriber.blobs.partial import LocalPartials
from voice_transcriber.data_folder import DataFolder
from voice_transcriber.engines.auto.known import KnownChoices
from voice_transcriber.engines.batch_sizes import first_batch_size
from voice_transcriber.engines.compute import place_on
from voice_transcriber.engines.downloads import Downloads
from voice_transcriber.engines.preload import Preloader
from voice_transcriber.engines.published import CHECKPOINTS, Checkpoint
from voice_transcriber.errors import TranscriberError
from voice_transcriber.files import free_bytes
from voice_transcriber.jobs.finished_files import FinishedFiles
from voice_transcriber.jobs.hooks import HookChain, JobHooks
from voice_transcriber.jobs.housekeeping import Housekeeping
from voice_transcriber.jobs.in_flight import InFlight
from voice_transcriber.jobs.known import KnownResults
from voice_transcriber.jobs.manager import JobManager
from voice_transcriber.jobs.model_library import ModelLibrary
from voice_transcriber.jobs.output_folder import OutputFolder
from voice_transcriber.jobs.prober import Prober
from voice_transcriber.jobs.recipes import Recipes, configuration, decoder_version
from voice_transcriber.jobs.records import JobRecords
from voice_transcriber.jobs.recovery import Recovered, Recovery
from voice_transcriber.jobs.runner import Workshop
from voice_transcriber.jobs.scanner import Clamd
from voice_transcriber.jobs.scheduler import make_scheduler
from voice_transcriber.jobs.sidecar import Sidecars
from voice_transcriber.jobs.supervisor import Supervisor
from voice_transcriber.jobs.transcription import TranscriptionOptions
from voice_transcriber.jobs.uploads import Uploads
from voice_transcriber.jobs.worker import Workers
from voice_transcriber.monitor.history import SAMPLE_INTERVAL_S
from voice_transcriber.monitor.performance import PerformanceMonitor
from voice_transcriber.monitor.system import SystemMonitor
from voice_transcriber.opening import (
    note_recovered,
    note_revision,
    note_stopped,
    open_store,
)
from voice_transcriber.processes.sandbox import describe, log_protections
from voice_transcriber.processes.spawn import Spawner
from voice_transcriber.results.cache import CacheOptions, ResultCache
from voice_transcriber.services.engine_parts import REMOTE, EngineParts
from voice_transcriber.services.health import Health, HealthCheck
from voice_transcriber.settings import Settings
from voice_transcriber.store.backups import Backups
from voice_transcriber.store.base import Store
from voice_transcriber.store.sqlite import SqliteStore

log = logging.getLogger(__name__)

DAY_S = 86_400.0
REVISION_NOTE_S = 60.0
BACKUP_CHECK_S = 600.0  # so often is asked whether the newest copy is old enough for another
UPLOADS_INTERVAL_S = 3600.0  # expired uploads go this often at least
EXPRESS_WORKERS = 6  # clips of jobs that run side by side share a batch
SAMPLE = Path(__file__).resolve().parents[1] / "assets" / "sample.flac"


class Services:
    """All parts of one running instance."""

    def __init__(
        self,
        settings: Settings,
        *,
        published: Mapping[str, Checkpoint] = CHECKPOINTS,
        free_bytes: Callable[[Path], int] = free_bytes,
    ) -> None:
        """Take the data folder and build the parts; nothing runs yet.

        `published` are the models that can be downloaded; `free_bytes` tells of a folder how much
        room its disk has for what is uploaded.
        Raises DataFolderBusy, ConfigurationError, DiskFull.
        """
        self.settings = settings
        self._free_bytes = free_bytes
        self.sample = SAMPLE
        self._parts = EngineParts(settings, published=published)
        self.models = self._parts.models
        self.demo_model = self._parts.demo_model
        self.engines = self._parts.offered
        self._folder = DataFolder(settings.data_dir)
        self.spool_dir = self._folder.temp  # request bodies, on the disk of the blobs
        self.log_dir = self._folder.logs
        self._folder.create()
        self._output = _output_folder(settings)
        self._lock: FileLock = self._folder.lock()
        self._folder.take_over()
        self._boot_id = uuid.uuid4().hex
        self.backups = Backups(self._folder.backups)
        self.recovered: Recovered | None = None
        self._opened = open_store(self._folder, self.backups, SqliteStore)
        self.store: Store = self._opened.store
        blobs = LocalBlobs(self._folder.blobs)
        self.blobs: BlobStore = blobs
        self._partials: PartialStore = LocalPartials(self._folder.blobs, blobs)
        self.results = ResultCache(self.store, _cache_options(settings))
        self._spawner = Spawner(temp_dir=self._folder.child_temp)
        self.engine = self._parts.make(self._folder, self._spawner)
        self.remote = self._parts.remote
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
            compute_type_on=lambda device: (
                place_on(device, self._parts.host_options()).compute_type
            ),
            choices=KnownChoices(self._parts.host_options()),
        )
        self._build_jobs()

    def _build_jobs(self) -> None:
        settings = self.settings
        decoder = Decoder(self._spawner, max_duration_s=settings.max_duration_s)
        sidecars = Sidecars(self._folder.transcripts, job_now=self.store.get)
        self._recovery = Recovery(
            self.store, self.blobs, sidecars, default_model=settings.default_model
        )
        self._finished_files = (
            FinishedFiles(store=self.store, sidecars=sidecars, folder=self._output)
            if self._output
            else None
        )
        hooks = HookChain(
            self._monitor,
            self.system,
            JobRecords(self.store, sidecars),
            self._finished_files or JobHooks(),
        )
        run_options = TranscriptionOptions(
            chunk_size_s=settings.audio_chunk_size_s,
            parallel_chunks=settings.max_parallel_chunks,
            level_audio=settings.audio_optimization,
            beam_size=settings.beam_size,
            windows_in_flight=2 * self._parts.windows_at_once,
            max_request_bytes=self.remote.max_sound_bytes if self.remote else None,
        )
        self.known = KnownResults(
            self.results,
            recipes=Recipes(
                self.store,
                checkpoints=self.models,
                configuration=lambda engine: configuration(
                    self._parts.host_options().with_engine(engine), asdict(run_options)
                ),
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
            engines=self.engines,
            decoder=decoder,
            engine=self.engine,
            sidecars=sidecars,
            hooks=hooks,
            known=self.known,
            work_dir=self._folder.work,
            options=run_options,
            job_time_limit_s=(
                None if settings.job_time_limit_s == "auto" else settings.job_time_limit_s
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
            engines=self.engines,
            sidecars=sidecars,
            workers=self._workers,
            known=self.known,
            data_dir=settings.data_dir,
            max_queue_size=settings.max_queue_size,
            max_queue_per_key=settings.max_queue_per_key,
            scanner=Clamd(settings.clamd_address) if settings.scan_uploads else None,
            free_bytes=self._free_bytes,
        )
        self.in_flight = InFlight()
        self.uploads = Uploads(
            store=self.store,
            partials=self._partials,
            manager=self.manager,
            max_size_bytes=settings.max_file_size_bytes,
            max_open=settings.max_queue_size,
            max_of_submitter=settings.max_queue_per_key,
            expiry_s=settings.upload_expiry_s,
        )
        self._prober = Prober(
            store=self.store, blobs=self.blobs, decoder=decoder, on_known=self._workers.wake
        )
        self._housekeeping = Housekeeping(
            store=self.store,
            blobs=self.blobs,
            engine=self.engine,
            manager=self.manager,
            sidecars=sidecars,
            results=self.results,
            backups=self.backups,
            backup_keep=settings.backup_keep,
            backup_interval_s=settings.backup_interval_s,
            database=self._folder.database,
            quarantine=self._folder.quarantine,
            work_dir=self._folder.work,
            temp_dir=self._folder.temp,
            engine_log=self._folder.engine_log,
            retention_days=settings.retention_days,
            model_idle_s=settings.model_idle_s,
            free_memory_early=settings.memory_optimization,
        )
        self._supervisor = Supervisor(
            engine=self.engine,
            workers=self._workers,
            prober=self._prober,
            store=self.store,
            then=self._housekeeping.let_go,
        )
        self._health = HealthCheck(
            settings=settings,
            opened=self._opened,
            backups=self.backups,
            engine=self.engine,
            manager=self.manager,
            supervisor=self._supervisor,
            finished_files=self._finished_files,
            recovered=lambda: self.recovered,
        )
        self._scheduler: BackgroundScheduler = make_scheduler(
            self._housekeeping,
            self._finished_files,
            supervise=self._supervisor.look,
            interval_s=settings.cleanup_interval_s,
        )
        self._scheduler.add_job(
            self.system.sample, "interval", seconds=SAMPLE_INTERVAL_S, id="system"
        )
        self._scheduler.add_job(
            self._prune_audit, "interval", seconds=settings.cleanup_interval_s, id="audit"
        )
        self._scheduler.add_job(
            self._housekeeping.back_up,
            "interval",
            seconds=min(settings.backup_interval_s, BACKUP_CHECK_S),
            id="backup",
        )
        self._scheduler.add_job(
            note_revision,
            "interval",
            seconds=REVISION_NOTE_S,
            args=(self._folder, self.store),
            id="revision",
        )
        self._scheduler.add_job(
            self.uploads.tidy,
            "interval",
            seconds=min(settings.cleanup_interval_s, UPLOADS_INTERVAL_S),
            id="uploads",
        )

    @property
    def sandbox(self) -> str:
        """What child processes are confined by on this system, in a line."""
        return describe()

    def start(self) -> None:
        """Take up the jobs that a dead process left, then begin to work."""
        log_protections()
        self._recover()
        self.store.note("server.start", f"{__version__} {self.settings.fingerprint}")
        self.store.reclaim(owner=self._boot_id)
        self._housekeeping.at_start()
        self.uploads.tidy()
        self._monitor.start()
        self.system.start()
        self._workers.start()
        self._prober.start()
        self._supervisor.start()
        self._scheduler.start()

    def _prune_audit(self) -> None:
        self.store.prune_audit(before=time.time() - self.settings.audit_days * DAY_S)

    def _recover(self) -> None:
        self.recovered = self._recovery.run(is_known=self._opened.is_known)
        note_recovered(self._folder, self.store)
        if self.recovered:
            log.warning("%s", self.recovered.text)
        threading.Thread(
            target=self._recovery.complete_files, name="complete-files", daemon=True
        ).start()

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
        try:
            note_stopped(self._folder, self.store)
        except (OSError, TranscriberError) as error:  # the next start checks the database then
            log.warning("The stop could not be noted: %s", error)
        try:
            self.store.close()
        finally:
            self._lock.release()

    def health(self) -> Health:
        """Cheap enough to be asked every second."""
        return self._health.look()


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
