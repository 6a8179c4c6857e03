"""The shell commands of the documents are run as they stand: bash, the fake engine, a server."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.documents import PROJECT, Block, blocks
from tests.program import LIMIT_S, Program
from tests.recordings import tone, write_wav
from tests.running import until

SPEECH = PROJECT / "tests/data/audio/en_5s.wav"
DEMO_MODEL = PROJECT / "voice_transcriber/assets/demo.pt"
LONG_S = 600  # six seconds of work for the fake engine
RUN = [block for block in blocks() if block.is_shell and "not run" not in block.notes]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bash") is None, reason="the documents speak bash"),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A server, with one long job at a time."""
    folder = tmp_path_factory.mktemp("documents")
    program = Program(folder, {"MAX_CONCURRENT_JOBS": "1", "AUDIO_OPTIMIZATION": "false"})
    (folder / "models").mkdir()
    (folder / ".curlrc").write_text("silent\nshow-error\nfail-with-body\n", encoding="utf-8")
    with program.serving():
        yield program


@pytest.fixture
def web(program: Program) -> Iterator[httpx.Client]:
    with api_of(program) as web:
        yield web
        for job in web.get("jobs", params={"status": "queued,running"}).json()["jobs"]:
            web.post(f"jobs/{job['id']}/cancel")


@pytest.fixture
def folder(program: Program, tmp_path: Path) -> Path:
    """Where a reader would stand: beside app_main.py, with recordings, models and data."""
    for name in ("base", "small"):
        shutil.copy(DEMO_MODEL, program.folder / "models" / f"{name}.pt")
    (tmp_path / "app_main.py").symlink_to(PROJECT / "app_main.py")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "data").symlink_to(program.data_dir)
    (tmp_path / "recordings").mkdir()
    for name in ("talk.mp3", "film.mp4", "recordings/first.wav"):
        shutil.copy(SPEECH, tmp_path / name)
    return tmp_path


def api_of(program: Program) -> httpx.Client:
    address = f"http://localhost:{program.settings['PORT']}/api/v1"
    return httpx.Client(base_url=address, trust_env=False, timeout=LIMIT_S)


def submit(web: httpx.Client, path: Path) -> str:
    with path.open("rb") as file:
        return str(
            web.post("jobs", files={"file": (path.name, file)}).raise_for_status().json()["id"]
        )


def status(web: httpx.Client, job_id: str) -> str:
    return str(web.get(f"jobs/{job_id}").json()["status"])


def wait_for(web: httpx.Client, job_id: str, *wanted: str) -> str:
    until(lambda: status(web, job_id) in wanted)
    return job_id


def completed_job(web: httpx.Client) -> str:
    return wait_for(web, submit(web, SPEECH), "completed")


def failed_job(web: httpx.Client, folder: Path) -> str:
    no_audio = folder / "text.wav"
    no_audio.write_text("no audio", encoding="utf-8")
    return wait_for(web, submit(web, no_audio), "failed")


def queued_job(web: httpx.Client, folder: Path) -> str:
    """Behind a long one."""
    long = write_wav(folder / "long.wav", tone(LONG_S))
    wait_for(web, submit(web, long), "running")
    return submit(web, write_wav(folder / "also long.wav", tone(LONG_S, pitch_hz=300)))


def job_for(block: Block, web: httpx.Client, folder: Path) -> str:
    match block.notes.get("job"):
        case "failed":
            return failed_job(web, folder)
        case "queued":
            return queued_job(web, folder)
        case None:
            return completed_job(web)
        case other:
            raise AssertionError(f"{block} needs an unknown kind of job: {other}")


def prepare(block: Block, program: Program, folder: Path) -> None:
    if block.notes.get("folder") == "backup":
        copy_database(program.data_dir, folder / "backup")
    if block.notes.get("server") == "stopped":
        (folder / "data").unlink()
        copy_database(program.data_dir, folder / "data")


def copy_database(data_dir: Path, target: Path) -> None:
    target.mkdir()
    with closing(sqlite3.connect(data_dir / "jobs.db")) as database:
        database.execute("VACUUM INTO ?", [str(target / "jobs.db")])


def run(code: str, program: Program, folder: Path, *, job_id: str = "") -> str:
    """What it printed; it must end well. Addresses and places are those of this test."""
    for written, here in {
        "localhost:5001": f"localhost:{program.settings['PORT']}",
        "/opt/voice-transcriber": str(folder),
        "/jobs/ID": f"/jobs/{job_id}",
        " ID": f" {job_id}",
    }.items():
        code = code.replace(written, here)
    path = os.pathsep.join([str(Path(sys.prefix, "bin")), os.environ["PATH"]])
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=folder,
        env=program.environment()
        | {"PATH": path, "CURL_HOME": str(program.folder), "ID": job_id, "NO_PROXY": "localhost"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize("block", RUN, ids=str)
def test_a_command_does_what_it_should(
    block: Block, program: Program, web: httpx.Client, folder: Path
) -> None:
    job_id = job_for(block, web, folder)
    prepare(block, program, folder)
    run(block.code, program, folder, job_id=job_id)


def test_a_backup_made_at_work_is_whole(program: Program, web: httpx.Client, folder: Path) -> None:
    """By the page's own command: copied while a job runs, restored, and taken up again."""
    (copy,) = [block for block in RUN if "app_main.py backup" in block.code]
    done = completed_job(web)
    waiting = queued_job(web, folder)
    run(copy.code, program, folder)
    restored = Program(folder / "another", {"AUDIO_OPTIMIZATION": "false"})
    restored.folder.mkdir()
    ended = restored.run("restore", folder / "copies" / "today")
    assert ended.returncode == 0, ended.stderr
    with restored.serving(), api_of(restored) as again:
        assert again.get(f"jobs/{done}/transcript.txt").raise_for_status().text
        wait_for(again, waiting, "completed")
        assert again.get(f"jobs/{waiting}/audio").raise_for_status().content
