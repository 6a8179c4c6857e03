"""What is left at the end of a run: asked of the API, then read from the stopped data folder."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.server import Server
from tests.faults.sounds import Text, text_from
from voice_transcriber.files import file_sha256

KEPT_TEMP: frozenset[str] = frozenset()  # names in the folder for temporary files that may stay


@dataclass(frozen=True, kw_only=True)
class FoundJob:
    """One job: what the API says, and what the folder holds of it."""

    id: str
    status: str
    attempt: int
    error: str | None  # its code
    recording: str
    sha256: str  # the content that its row names
    text: Text | None  # by the API; None when it has none
    results: int  # transcripts in the database
    file_text: Text | None  # of the file beside the database; None when there is none


@dataclass(frozen=True, kw_only=True)
class FinalState:
    """All that the checker compares with the client's log."""

    jobs: Mapping[str, FoundJob]
    contents: Mapping[str, str]  # name of each stored recording -> the hash of what it holds
    unclaimed: Sequence[str]  # of these, the ones that no job names
    strays: Sequence[str]  # other files that nobody needs
    integrity: str  # "ok", or what SQLite finds
    broken_references: int
    audit_numbers: Sequence[int] | None  # None: no audit log is kept
    stop_status: int  # of the program that was asked to end


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What the API says of a job."""

    status: str
    attempt: int
    error: str | None
    text: Text | None


def read_state(server: Server) -> FinalState:
    """Of a server on which every job has ended; it is stopped for this."""
    told = {job["id"]: _told(server, job) for job in server.jobs()}
    status = server.stop()
    return _from_folder(server.data, told, stop_status=status)


def _told(server: Server, job: Mapping[str, Any]) -> _Told:
    text = None
    if job["status"] == "completed":
        answer = server.web.get(f"/api/v1/jobs/{job['id']}/transcript.json")
        text = text_from(answer.json()) if answer.status_code == 200 else None
    error = job["error"]["code"] if job["error"] else None
    return _Told(status=job["status"], attempt=job["attempt"], error=error, text=text)


def _from_folder(data: Path, told: Mapping[str, _Told], *, stop_status: int) -> FinalState:
    # Not read-only: whoever opens a database after a hard end completes it from its log.
    with closing(sqlite3.connect(data / "jobs.db")) as db:
        db.row_factory = sqlite3.Row
        rows = {row["id"]: row for row in db.execute("SELECT * FROM jobs")}
        results = dict(db.execute("SELECT job_id, COUNT(*) FROM transcripts GROUP BY job_id"))
        integrity = "; ".join(row[0] for row in db.execute("PRAGMA integrity_check"))
        broken = len(db.execute("PRAGMA foreign_key_check").fetchall())
        audit = _audit_numbers(db)
    nobody = _Told(status="not shown", attempt=0, error=None, text=None)
    jobs = {
        job_id: _found(data, rows.get(job_id), told.get(job_id, nobody), job_id, results)
        for job_id in sorted({*rows, *told})
    }
    used = {job.sha256 for job in jobs.values()}
    contents = _contents(data / "blobs")
    return FinalState(
        jobs=jobs,
        contents=contents,
        unclaimed=sorted(contents.keys() - used),
        strays=_strays(data, jobs.keys()),
        integrity=integrity,
        broken_references=broken,
        audit_numbers=audit,
        stop_status=stop_status,
    )


def _found(
    data: Path, row: sqlite3.Row | None, told: _Told, job_id: str, results: Mapping[str, int]
) -> FoundJob:
    file = data / "transcripts" / f"{job_id}.json"
    return FoundJob(
        id=job_id,
        status=told.status if row is not None else "not stored",
        attempt=told.attempt,
        error=told.error,
        recording=row["filename"] if row is not None else "",
        sha256=row["blob_sha256"] if row is not None else "",
        text=told.text,
        results=results.get(job_id, 0),
        file_text=_text_of_file(file) if file.exists() else None,
    )


def _text_of_file(file: Path) -> Text:
    content = json.loads(file.read_text(encoding="utf-8"))
    return text_from(content.get("transcript", content))


def _contents(folder: Path) -> dict[str, str]:
    return {path.name: file_sha256(path) for path in folder.glob("??/*") if len(path.name) == 64}


def _strays(data: Path, ids: Collection[str]) -> list[str]:
    """Half-written files, decoded audio, texts of nobody."""
    found = [path for path in data.rglob("*.part") if path.is_file()]
    found += (data / "work").iterdir()
    found += [path for path in (data / "tmp").iterdir() if path.name not in KEPT_TEMP]
    found += [path for path in (data / "transcripts").glob("*.json") if path.stem not in ids]
    return sorted({path.relative_to(data).as_posix() for path in found})


def _audit_numbers(db: sqlite3.Connection) -> Sequence[int] | None:
    tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "audit" not in tables:
        return None
    return [row[0] for row in db.execute("SELECT seq FROM audit ORDER BY seq")]
