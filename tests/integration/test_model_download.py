"""Downloads from a real HTTP server that behaves as the network does."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.model_server import BODY, ModelServer
from voice_transcriber.engines.checkpoints import Checkpoints
from voice_transcriber.engines.download import Source
from voice_transcriber.engines.published import Checkpoint
from voice_transcriber.errors import DiskFull, DownloadStopped, ModelDamaged, ModelUnavailable


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer.running() as server:
        yield server


def checkpoints(folder: Path, url: str, *, body: bytes = BODY, free: int = 10**12) -> Checkpoints:
    source = Source(url=url, sha256=hashlib.sha256(body).hexdigest(), size_bytes=len(body))
    return Checkpoints(
        folder,
        published={"base": Checkpoint(source=source, note="")},
        free_bytes=lambda folder: free,
        retry_base_s=0.01,
    )


def ensure(
    models: Checkpoints,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    return models.ensure("base", on_progress=on_progress, should_stop=should_stop)


@contextmanager
def stopped_after_first_bytes(models: Checkpoints) -> Iterator[None]:
    """A download that its only waiter gives up as soon as bytes came."""
    seen: list[int] = []
    with pytest.raises(DownloadStopped):
        ensure(
            models,
            on_progress=lambda done, total: seen.append(done),
            should_stop=lambda: any(seen),
        )
    yield


def test_a_missing_model_is_downloaded_once_and_then_used(
    server: ModelServer, tmp_path: Path
) -> None:
    models = checkpoints(tmp_path / "models", server.url)
    assert ensure(models).read_bytes() == BODY
    assert ensure(models) == tmp_path / "models" / "base.pt"
    assert server.ranges == [None]
    assert not list(tmp_path.rglob("*.part"))


def test_progress_ends_at_the_whole_length(server: ModelServer, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    ensure(
        checkpoints(tmp_path, server.url),
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[-1] == (len(BODY), len(BODY))


def test_a_cut_connection_is_resumed_where_it_broke(server: ModelServer, tmp_path: Path) -> None:
    server.cuts = [100_000, 50_000]
    assert ensure(checkpoints(tmp_path, server.url)).read_bytes() == BODY
    assert server.ranges == [None, "bytes=100000-", "bytes=150000-"]


def test_a_server_without_range_starts_anew(server: ModelServer, tmp_path: Path) -> None:
    server.cuts, server.ignores_range = [100_000], True
    assert ensure(checkpoints(tmp_path, server.url)).read_bytes() == BODY
    assert server.ranges == [None, "bytes=100000-"]


def test_a_partial_file_that_is_whole_already_is_taken(server: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "base.pt.part").write_bytes(BODY)
    assert ensure(checkpoints(tmp_path, server.url)).read_bytes() == BODY
    assert server.ranges == [f"bytes={len(BODY)}-"]


def test_a_partial_file_that_is_too_long_is_dropped(server: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "base.pt.part").write_bytes(BODY + b"more")
    assert ensure(checkpoints(tmp_path, server.url)).read_bytes() == BODY
    assert server.ranges[-1] is None


def test_a_busy_server_is_asked_again(server: ModelServer, tmp_path: Path) -> None:
    server.statuses = [503, 429]
    assert ensure(checkpoints(tmp_path, server.url)).read_bytes() == BODY


def test_a_wrong_hash_is_damage_and_leaves_nothing(server: ModelServer, tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match=r"base\.pt is not the published file"):
        ensure(checkpoints(tmp_path, server.url, body=b"another"))
    assert [path.name for path in tmp_path.iterdir()] in ([], ["base.pt.lock"])


def test_a_file_that_is_not_there_is_told_at_once(server: ModelServer, tmp_path: Path) -> None:
    server.statuses = [404]
    with pytest.raises(ModelUnavailable, match="answered 404") as caught:
        ensure(checkpoints(tmp_path, server.url))
    assert "put the model's .pt file into WHISPER_MODEL_DIR" in caught.value.remedy
    assert len(server.ranges) == 1


def test_no_network_names_the_remedies(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/base.pt"
        with pytest.raises(ModelUnavailable) as caught:
            ensure(checkpoints(tmp_path, url))
    assert "Connect to the network" in caught.value.remedy


def test_a_full_disk_is_told_before_a_byte_is_written(server: ModelServer, tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="no room for base"):
        ensure(checkpoints(tmp_path, server.url, free=1000))
    assert not list(tmp_path.glob("*.part"))


def test_a_model_folder_that_is_a_file_is_told(server: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "models").touch()
    with pytest.raises(ModelUnavailable) as caught:
        ensure(checkpoints(tmp_path / "models", server.url))
    assert "WHISPER_MODEL_DIR" in caught.value.remedy


def test_a_stop_ends_the_wait_while_the_server_is_silent(
    server: ModelServer, tmp_path: Path
) -> None:
    server.held_after = 1000
    with stopped_after_first_bytes(checkpoints(tmp_path, server.url)):
        assert not server.go_on.is_set()
    assert not (tmp_path / "base.pt").exists()


def test_what_came_before_a_stop_is_not_loaded_again(server: ModelServer, tmp_path: Path) -> None:
    server.held_after = 100_000
    with stopped_after_first_bytes(checkpoints(tmp_path, server.url)):
        server.held_after = None
        server.go_on.set()
    assert ensure(checkpoints(tmp_path, server.url)).read_bytes() == BODY
    assert server.ranges[0] is None
    assert re.fullmatch(r"bytes=[1-9]\d*-", str(server.ranges[1]))


def test_threads_that_ask_together_share_one_download(server: ModelServer, tmp_path: Path) -> None:
    server.held_after = 1000
    models = checkpoints(tmp_path, server.url)
    started = threading.Barrier(4)
    seen: list[list[tuple[int, int]]] = [[] for _ in range(3)]

    def ask(number: int) -> Path:
        started.wait()
        return ensure(models, on_progress=lambda *progress: seen[number].append(progress))

    with ThreadPoolExecutor(3) as threads:
        paths = [threads.submit(ask, number) for number in range(3)]
        started.wait()
        while not all((1000, len(BODY)) in progress for progress in seen):
            threading.Event().wait(0.02)
        server.go_on.set()
        assert {path.result().read_bytes() for path in paths} == {BODY}
    assert server.ranges == [None]


def test_two_programs_on_one_folder_download_once(server: ModelServer, tmp_path: Path) -> None:
    server.held_after = 1000
    first, second = (checkpoints(tmp_path, server.url) for _ in range(2))
    with ThreadPoolExecutor(2) as threads:
        paths = [threads.submit(ensure, models) for models in (first, second)]
        while not server.ranges:
            threading.Event().wait(0.02)
        server.go_on.set()
        assert {path.result().read_bytes() for path in paths} == {BODY}
    assert server.ranges == [None]


def test_one_thread_that_stops_does_not_stop_the_others(
    server: ModelServer, tmp_path: Path
) -> None:
    server.held_after = 1000
    models = checkpoints(tmp_path, server.url)
    with ThreadPoolExecutor(1) as threads:
        stays = threads.submit(ensure, models)
        with stopped_after_first_bytes(models):
            server.go_on.set()
        assert stays.result().read_bytes() == BODY
    assert server.ranges == [None]
