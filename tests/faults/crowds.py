"""Many at once: a full queue, and thousands of clients that ask how far their job is."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.faults.checker import verdict
from tests.faults.figures import spread
from tests.faults.server import Server
from tests.faults.sounds import Texts

QUEUE_CAP = 1000
TOO_MANY = 429
FILES_PER_CLIENT = 2
RAMP_S = 60.0  # new connections come one after the other, as people do
LIMIT_S = 30.0


def queue(folder: Path, *, cap: int, recordings: Sequence[Path], texts: Texts) -> dict[str, Any]:
    """As many jobs as may wait, then one more; all that were taken must be done."""
    server = Server(folder, MAX_QUEUE_SIZE=str(cap), MAX_CONCURRENT_JOBS="1", BATCH_SIZE="1")
    took_s: list[float] = []
    refused: dict[str, Any] = {}
    try:
        server.start()
        for number in range(cap * 2):
            begun_s = time.monotonic()
            answer = server.send(recordings[number % len(recordings)])
            assert answer is not None, server.last_words()
            if answer.status_code == TOO_MANY:
                refused = {
                    "code": answer.json()["code"],
                    "detail": answer.json()["detail"],
                    "retry_after": answer.headers.get("Retry-After"),
                }
                break
            took_s.append(time.monotonic() - begun_s)
        begun_s = time.monotonic()
        found = verdict(server, texts, patience_s=1800)
        done_s = time.monotonic() - begun_s
    finally:
        server.close()
    return {
        "cap": cap,
        "accepted": len(server.accepted),
        "refused": refused,
        "submit_s": spread(took_s),
        "all_done_after_s": round(done_s, 1),
        "violations": [str(one) for one in found],
    }


@dataclass
class _Asked:
    """What the pollers met."""

    took_s: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    not_modified: int = 0


def pollers(
    folder: Path,
    *,
    clients: int,
    seconds: float,
    every_s: float,
    recordings: Sequence[Path],
    texts: Texts,
) -> dict[str, Any]:
    """Each keeps its connection and asks for changes every `every_s`, while jobs run."""
    _allow_files(clients * FILES_PER_CLIENT + 200)
    server = Server(folder)
    asked = _Asked()
    try:
        server.start()
        process = psutil.Process(server.process.pid)
        before_bytes = process.memory_info().rss
        over = threading.Event()
        work = threading.Thread(target=_keep_busy, args=(server, recordings, over), daemon=True)
        work.start()
        ramp_s = min(RAMP_S, seconds / 2)
        crowd = _crowd(int(server.environ["PORT"]), asked, clients, seconds, every_s, ramp_s)
        with ThreadPoolExecutor(1) as thread:  # the browser tests leave a loop in the caller's
            thread.submit(asyncio.run, crowd).result()
        after_bytes = process.memory_info().rss
        over.set()
        work.join()
        found = verdict(server, texts)
    finally:
        server.close()
    return {
        "clients": clients,
        "seconds": seconds,
        "requests": len(asked.took_s),
        "not_modified": asked.not_modified,
        "errors": dict(asked.errors),
        "request_s": spread(asked.took_s),
        "memory_growth_mb": round((after_bytes - before_bytes) / 1e6, 1),
        "jobs_meanwhile": len(server.accepted),
        "violations": [str(one) for one in found],
    }


def _keep_busy(server: Server, recordings: Sequence[Path], over: threading.Event) -> None:
    """One job after the other."""
    with server.client() as web:
        while not over.is_set():
            if not server.live_jobs(web):
                server.send(recordings[-1], web)
            over.wait(1)


async def _crowd(
    port: int, asked: _Asked, clients: int, seconds: float, every_s: float, ramp_s: float
) -> None:
    end_s = time.monotonic() + seconds
    chance = random.Random(clients)
    delays = [chance.uniform(0, ramp_s) for _ in range(clients)]
    await asyncio.gather(*(_poll(port, asked, delay_s, end_s, every_s) for delay_s in delays))


async def _poll(port: int, asked: _Asked, delay_s: float, end_s: float, every_s: float) -> None:
    await asyncio.sleep(delay_s)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError as error:
        asked.errors[repr(error)] += 1
        return
    tag = ""
    try:
        while (begun_s := time.monotonic()) < end_s:
            status, tag = await asyncio.wait_for(_ask(reader, writer, port, tag), LIMIT_S)
            asked.took_s.append(time.monotonic() - begun_s)
            asked.not_modified += status == 304
            if status not in {200, 304}:
                asked.errors[str(status)] += 1
            await asyncio.sleep(max(0.0, every_s - (time.monotonic() - begun_s)))
    except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
        asked.errors[type(error).__name__] += 1
    finally:
        writer.close()


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, tag: str
) -> tuple[int, str]:
    """The status and the new tag. Plain sockets: 5000 HTTP clients would measure themselves."""
    known = f"If-None-Match: {tag}\r\n" if tag else ""
    since = tag.strip('"') or "0"
    writer.write(
        f"GET /api/v1/jobs/changes?since={since} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\n{known}\r\n".encode()
    )
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    status = int(head.split(" ", 2)[1])
    fields = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])
    }
    if status != 304 and (length := int(fields.get("content-length", 0))):
        await reader.readexactly(length)
    return status, fields.get("etag", tag)


def _allow_files(count: int) -> None:
    import resource  # Windows has none

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
