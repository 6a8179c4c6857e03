"""Jobs of a data folder that this process owns."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePath

from voice_transcriber.cli.client import CacheView, JobView, ModelView
from voice_transcriber.cli.names import shown
from voice_transcriber.errors import FileTooLarge, NotFound
from voice_transcriber.job import Job, JobStatus, Priority, TranscribeOptions
from voice_transcriber.services import Services
from voice_transcriber.transcript.exporters import render


class LocalJobsClient:
    """Over services that the caller starts and stops."""

    place = "in this process"

    def __init__(self, services: Services) -> None:
        self._services = services
        self.default_model = services.settings.default_model

    def models(self) -> Sequence[ModelView]:
        return [
            ModelView(
                name=model.info.name,
                note=model.info.note,
                present=model.info.present,
                size_bytes=model.info.size_bytes,
                english_only=model.info.english_only,
                downloadable=model.info.downloadable,
                memory_bytes=model.memory_bytes,
                real_time_factor=model.real_time_factor,
            )
            for model in self._services.library.models()
        ]

    def submit(self, path: Path, *, options: TranscribeOptions, priority: Priority) -> JobView:
        manager = self._services.manager
        size_bytes = path.stat().st_size
        if size_bytes > self._services.settings.max_file_size_bytes:
            raise FileTooLarge
        manager.check_accepts(size_bytes=size_bytes)
        upload = self._services.blobs.writer()
        try:
            with path.open("rb") as file:
                shutil.copyfileobj(file, upload)
            job = manager.submit(
                upload, filename=shown(path.name), options=options, priority=priority
            )
        finally:
            upload.discard()
        return _view(job)

    def job(self, job_id: str) -> JobView:
        return _view(self._services.store.get(job_id))

    def look(self, job_ids: Collection[str]) -> Mapping[str, JobView]:
        found = {}
        for job_id in job_ids:
            with suppress(NotFound):
                found[job_id] = self.job(job_id)
        return found

    def jobs(
        self, *, limit: int, statuses: Collection[JobStatus] = (), search: str = ""
    ) -> Sequence[JobView]:
        page = self._services.store.page(limit=limit, statuses=statuses, search=search)
        return [_view(job) for job in page.jobs]

    def cancel(self, job_id: str) -> JobView:
        return _view(self._services.manager.cancel(job_id))

    def retry(self, job_id: str) -> JobView:
        return _view(self._services.manager.retry(job_id))

    def delete(self, job_id: str) -> bool:
        if self.job(job_id).is_live:
            self.cancel(job_id)
            return False
        self._services.manager.delete(job_id)
        return True

    def transcript(self, job_id: str, format_name: str) -> bytes:
        title = PurePath(self.job(job_id).filename).stem
        return render(self._services.store.transcript(job_id), format_name, title=title).body

    def cache(self) -> CacheView:
        results = self._services.results
        stats = results.stats()
        return CacheView(
            enabled=results.is_on,
            hits=stats.hits,
            misses=stats.misses,
            memory_entries=stats.memory.entries,
            memory_bytes=stats.memory.size_bytes,
            disk_entries=stats.disk.entries,
            disk_bytes=stats.disk.size_bytes,
        )

    def clear_cache(self, job_id: str | None = None) -> int:
        results = self._services.results
        if job_id is None:
            return results.clear()
        return results.forget_recording(self._services.store.get(job_id).blob_sha256)


def _view(job: Job) -> JobView:
    return JobView(
        id=job.id,
        status=job.status,
        filename=job.filename,
        model=job.options.model,
        language=job.language or job.options.language,
        created_at=int(job.created_at),
        duration_s=job.duration_s,
        percent=round(job.percent, 1),
        stage=job.stage,
        stage_percent=job.stage_percent,
        cancel_requested=job.cancel_requested,
        error=job.error,
        performance=dict(job.performance),
    )
