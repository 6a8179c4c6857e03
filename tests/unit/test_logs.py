"""The log: nobody's text can forge a line, and its files do not grow without end."""

from __future__ import annotations

import logging
import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from voice_transcriber.logs import (
    DAY_S,
    FILES,
    LOG_NAME,
    BoundedFileHandler,
    SafeFormatter,
    Seldom,
    log_dead_threads,
)

HOSTILE = "talk\r\n2026-11-21 box ERROR root: forged\x1b[31m\x00\u2028\u202e\ud800.mp3"


def line_of(message: str, *arguments: object, secrets: tuple[str, ...] = ()) -> str:
    record = logging.LogRecord("web", logging.ERROR, __file__, 1, message, arguments, None)
    return SafeFormatter("box", secrets).format(record)


def test_a_record_is_one_printable_line() -> None:
    line = line_of("%s failed", HOSTILE)
    assert line.isprintable()
    assert "talk\\r\\n2026" in line
    assert "\\x1b[31m\\x00\\u2028\\u202e\\ud800" in line


def test_text_in_other_scripts_stays_readable() -> None:
    assert line_of("Größe von 録音.mp3").endswith("web: Größe von 録音.mp3")


def test_a_traceback_cannot_forge_a_record() -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        record = logging.LogRecord(
            "web", logging.ERROR, __file__, 1, "It failed", None, sys.exc_info()
        )
    first, *rest = SafeFormatter("box").format(record).split("\n")
    assert first.endswith("It failed")
    assert any("forged" in line for line in rest)
    assert all(line.startswith("    ") and line.isprintable() for line in rest)


def test_a_secret_is_left_out_wherever_it_stands() -> None:
    line = line_of(
        "Bearer %s sent", "the-key-of-this-server", secrets=("the-key-of-this-server", "")
    )
    assert line.endswith("Bearer (secret) sent")


@pytest.fixture
def handler(tmp_path: Path) -> Iterator[BoundedFileHandler]:
    opened = BoundedFileHandler(tmp_path / LOG_NAME, size_bytes=FILES * 2_000, days=30)
    yield opened
    opened.close()


def write(handler: logging.Handler, text: str, *, times: int = 1) -> None:
    record = logging.LogRecord("web", logging.INFO, __file__, 1, text, None, None)
    for _ in range(times):
        handler.handle(record)


def test_its_files_stay_within_their_size(handler: BoundedFileHandler, tmp_path: Path) -> None:
    write(handler, 97 * "x" + "\n", times=3 * FILES * 20)
    files = list(tmp_path.iterdir())
    assert len(files) == FILES
    assert sum(path.stat().st_size for path in files) <= FILES * 2_000


def test_only_its_owner_reads_them(handler: BoundedFileHandler, tmp_path: Path) -> None:
    write(handler, 97 * "x", times=100)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_what_is_too_old_goes_and_a_day_begins_a_file(tmp_path: Path) -> None:
    now = time.time()
    for name, days in ((LOG_NAME, 1), (f"{LOG_NAME}.1", 2), (f"{LOG_NAME}.2", 31)):
        (tmp_path / name).write_text(f"{days} days old\n")
        os.utime(tmp_path / name, (now - days * DAY_S, now - days * DAY_S))
    handler = BoundedFileHandler(tmp_path / LOG_NAME, size_bytes=10**6, days=30)
    write(handler, "new")
    handler.close()
    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert kept == {
        LOG_NAME: "new\n",
        f"{LOG_NAME}.1": "1 days old\n",
        f"{LOG_NAME}.2": "2 days old\n",
    }


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_disk_that_takes_nothing_is_no_fault_of_the_caller(
    handler: BoundedFileHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    usual, handler.stream = handler.stream, open("/dev/full", "w")  # noqa: SIM115
    write(handler, "lost", times=2)
    with suppress(OSError):
        handler.stream.close()
    handler.stream = usual
    write(handler, "kept")
    assert capsys.readouterr().err == ""
    assert Path(handler.baseFilename).read_text() == "kept\n"


def test_what_comes_all_the_time_is_told_seldom() -> None:
    now_s = 100.0
    seldom = Seldom(pause_s=60.0, clock=lambda: now_s)
    record = logging.LogRecord("waitress.queue", logging.WARNING, "", 1, "depth", None, None)
    assert [seldom.filter(record) for _ in range(3)] == [True, False, False]
    now_s += 59
    assert not seldom.filter(record)
    now_s += 1
    assert [seldom.filter(record) for _ in range(2)] == [True, False]


def test_a_thread_that_dies_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    log_dead_threads()
    thread = threading.Thread(target=lambda: 1 // 0, name="prober")
    thread.start()
    thread.join()
    assert "The thread prober has died." in caplog.text
    assert "ZeroDivisionError" in caplog.text
