"""Jobs of a running server, over its native API."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx

from voice_transcriber.cli.client import CacheView, JobView, ModelView
from voice_transcriber.cli.names import shown
from voice_transcriber.errors import (
    InternalError,
    KeyRequired,
    NotFound,
    ShuttingDown,
    TranscriberError,
    error_from_code,
)
from voice_transcriber.job import (
    LIVE_STATUSES,
    JobError,
    JobStatus,
    Priority,
    Stage,
    TranscribeOptions,
)

TIMEOUT = httpx.Timeout(120.0, connect=10.0)  # an upload is answered when it is on the disk
PATIENCE_S = 30.0  # with a server that does not answer a read: it may be restarting
PAGE = 200  # the API's largest
_RETRY_S = 0.5


class HttpJobsClient:
    """`with HttpJobsClient(...)` closes the connection at the end."""

    def __init__(self, base_url: str, *, api_key: str = "", patience_s: float = PATIENCE_S) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        # trust_env: the server is on this machine, so no proxy stands between
        self._http = httpx.Client(
            base_url=base_url, headers=headers, timeout=TIMEOUT, trust_env=False
        )
        self._patience_s = patience_s
        self.place = f"on the server at {base_url}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def default_model(self) -> str:
        return str(self._read("/api/v1/models").json()["default"])

    def models(self) -> Sequence[ModelView]:
        names = [field.name for field in fields(ModelView)]
        return [
            ModelView(**{name: model[name] for name in names})
            for model in self._read("/api/v1/models").json()["models"]
        ]

    def submit(self, path: Path, *, options: TranscribeOptions, priority: Priority) -> JobView:
        form = {
            "model": options.model,
            "language": options.language or "",
            "task": options.task,
            "priority": priority.name.lower(),
            "prompt": options.prompt or "",
            "hotwords": options.hotwords or "",
            "from": str(options.from_s),
            "to": "" if options.to_s is None else str(options.to_s),
            "audio_track": "" if options.audio_track is None else str(options.audio_track),
            "word_timestamps": str(options.word_timestamps).lower(),
            "vad_filter": str(options.vad_filter).lower(),
            "engine": options.engine or "",
            "cache": str(options.use_cache).lower(),
        }
        with path.open("rb") as file:
            upload = {"file": (shown(path.name), file, "application/octet-stream")}
            return _view(self._send("POST", "/api/v1/jobs", data=form, files=upload).json())

    def job(self, job_id: str) -> JobView:
        return _view(self._read(_address(job_id)).json())

    def look(self, job_ids: Collection[str]) -> Mapping[str, JobView]:
        # The list tells of all that live; the detail, with the whole text, only of what has ended.
        missing = set(job_ids)
        found: dict[str, JobView] = {}
        for job in self._listed({"status": _joined(LIVE_STATUSES), "limit": PAGE}):
            if not missing:
                break
            if job.id in missing:
                found[job.id] = job
                missing.remove(job.id)
        for job_id in missing:
            with suppress(NotFound):
                found[job_id] = self.job(job_id)
        return found

    def jobs(
        self, *, limit: int, statuses: Collection[JobStatus] = (), search: str = ""
    ) -> Sequence[JobView]:
        query = {"status": _joined(statuses), "q": search, "limit": min(limit, PAGE)}
        return list(islice(self._listed(query), limit))

    def _listed(self, query: Mapping[str, Any]) -> Iterator[JobView]:
        """Page after page, newest first."""
        cursor: dict[str, int] = {}
        while True:
            page = self._read("/api/v1/jobs", {**query, **cursor}).json()
            yield from (_view(job) for job in page["jobs"])
            if page["next_cursor"] is None:
                return
            cursor = {"cursor": page["next_cursor"]}

    def cancel(self, job_id: str) -> JobView:
        return _view(self._send("POST", f"{_address(job_id)}/cancel").json())

    def retry(self, job_id: str) -> JobView:
        return _view(self._send("POST", f"{_address(job_id)}/retry").json())

    def delete(self, job_id: str) -> bool:
        return self._send("DELETE", _address(job_id)).status_code == 204

    def transcript(self, job_id: str, format_name: str) -> bytes:
        name = quote(format_name, safe="")
        return self._read(f"{_address(job_id)}/transcript.{name}").content

    def cache(self) -> CacheView:
        found = self._read("/api/v1/cache").json()
        return CacheView(
            enabled=found["enabled"],
            hits=found["hits"],
            misses=found["misses"],
            memory_entries=found["memory"]["entries"],
            memory_bytes=found["memory"]["size_bytes"],
            disk_entries=found["disk"]["entries"],
            disk_bytes=found["disk"]["size_bytes"],
        )

    def clear_cache(self, job_id: str | None = None) -> int:
        path = "/api/v1/cache" if job_id is None else f"/api/v1/cache/{quote(job_id, safe='')}"
        return int(self._send("DELETE", path).json()["removed"])

    def _read(self, path: str, query: Mapping[str, Any] | None = None) -> httpx.Response:
        """GET, again and again while the server does not answer."""
        deadline = time.monotonic() + self._patience_s
        while True:
            try:
                return _checked(self._http.get(path, params=query))
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise self._gone() from error
            time.sleep(_RETRY_S)

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Once: what changes something must not be done twice."""
        try:
            return _checked(self._http.request(method, path, **content))
        except httpx.TransportError as error:
            raise self._gone() from error

    def _gone(self) -> ShuttingDown:
        return ShuttingDown(
            f"The server at {self._http.base_url} does not answer.",
            remedy="Start it again: the jobs that it has accepted go on then.",
        )


def _address(job_id: str) -> str:
    return f"/api/v1/jobs/{quote(job_id, safe='')}"


def _joined(statuses: Collection[JobStatus]) -> str:
    return ",".join(sorted(statuses))


def _checked(response: httpx.Response) -> httpx.Response:
    """Raises the error that the server answered with."""
    if response.is_success:
        return response
    raise _error_of(response)


def _error_of(response: httpx.Response) -> TranscriberError:
    if not response.headers.get("Content-Type", "").startswith("application/problem+json"):
        return InternalError(f"The server answered {response.status_code}.")
    problem = response.json()
    error = error_from_code(problem["code"], problem["detail"], problem["remedy"])
    if isinstance(error, KeyRequired):
        error.remedy = "Set API_KEY, in the environment or in .env, to the key of the server."
    return error


def _view(job: Mapping[str, Any]) -> JobView:
    error = job["error"]
    return JobView(
        id=job["id"],
        status=JobStatus(job["status"]),
        filename=job["filename"],
        model=job["model"],
        language=job["language"],
        created_at=int(datetime.fromisoformat(job["created_at"]).timestamp()),
        duration_s=job["duration_s"],
        percent=job["percent"],
        stage=Stage(job["stage"]),
        stage_percent=job["stage_percent"],
        cancel_requested=job["cancel_requested"],
        error=JobError(**error) if error else None,
        performance=job["timings"],
    )
