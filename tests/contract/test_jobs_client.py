"""The contract of JobsClient: over HTTP and in this process, the same answers."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.makers import Jobs, transcript_of
from tests.running import settings_for, until
from voice_transcriber.app import create_app
from voice_transcriber.cli.client import JobsClient, JobView
from voice_transcriber.cli.client_http import HttpJobsClient
from voice_transcriber.cli.client_local import LocalJobsClient
from voice_transcriber.errors import (
    EmptyFile,
    EngineNotOffered,
    FileTooLarge,
    InvalidRequest,
    KeyRequired,
    NotFound,
    QueueFull,
    ShuttingDown,
    UnknownFormat,
    UnknownModel,
    WrongState,
)
from voice_transcriber.job import JobStatus, Priority, TranscribeOptions
from voice_transcriber.results.contents import packed_transcript
from voice_transcriber.services import Services
from voice_transcriber.store.results import ResultNotes
from voice_transcriber.web.server import serve

SPEECH = Path(__file__).parents[1] / "data" / "audio" / "en_5s.wav"
DEMO = TranscribeOptions(model="demo", language="en")
KEY = "a key of the tests, long enough"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """Built but not started: jobs wait until a test starts them."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    services = Services(
        settings_for(
            tmp_path,
            ENGINE_ISOLATION="thread",
            MAX_QUEUE_SIZE="3",
            MAX_FILE_SIZE="1MB",
            PORT=port,
            API_KEY=KEY,
            ENABLE_CACHE="true",
        )
    )
    yield services
    services.stop()


@pytest.fixture
def url(services: Services) -> Iterator[str]:
    before = tempfile.tempdir  # serving moves the process's temporary files
    server = serve(create_app(services.settings, services), services, spool_dir=services.spool_dir)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.close()
    thread.join()
    tempfile.tempdir = before


@pytest.fixture
def http(url: str) -> Iterator[HttpJobsClient]:
    with HttpJobsClient(url, api_key=KEY) as client:
        yield client


@pytest.fixture(params=["local", "http"])
def client(request: pytest.FixtureRequest, services: Services) -> JobsClient:
    if request.param == "local":
        return LocalJobsClient(services)
    found: HttpJobsClient = request.getfixturevalue("http")
    return found


def submitted(client: JobsClient, path: Path = SPEECH, **changes: Priority) -> JobView:
    return client.submit(path, options=DEMO, priority=changes.get("priority", Priority.NORMAL))


def completed(client: JobsClient, services: Services) -> JobView:
    job = submitted(client)
    services.start()
    until(lambda: not client.job(job.id).is_live)
    return client.job(job.id)


def test_a_submitted_file_is_a_queued_job_with_its_options(client: JobsClient) -> None:
    job = submitted(client)
    assert (job.status, job.filename, job.model) == (JobStatus.QUEUED, "en_5s.wav", "demo")
    assert (job.language, job.error, job.is_live) == ("en", None, True)


def test_the_options_and_the_priority_reach_the_job(client: JobsClient, services: Services) -> None:
    options = TranscribeOptions(
        model="demo",
        language="de",
        task="translate",
        prompt="Ada, Grace",
        hotwords="Lovelace, Hopper",
        word_timestamps=True,
        vad_filter=False,
        from_s=1.25,
        to_s=90.0,
        audio_track=2,
    )
    job = client.submit(SPEECH, options=options, priority=Priority.HIGH)
    stored = services.store.get(job.id)
    assert (stored.options, stored.priority) == (options, Priority.HIGH)


def test_the_engine_that_a_job_names_reaches_the_server(client: JobsClient) -> None:
    """It is refused there, because the fake engine is set."""
    with pytest.raises(EngineNotOffered, match="while ENGINE is fake"):
        client.submit(
            SPEECH, options=replace(DEMO, engine="faster-whisper"), priority=Priority.NORMAL
        )
    assert client.jobs(limit=5) == []


def test_a_job_is_followed_to_its_transcript(client: JobsClient, services: Services) -> None:
    job = completed(client, services)
    assert (job.status, job.percent, job.error) == (JobStatus.COMPLETED, 100.0, None)
    assert job.duration_s == pytest.approx(5.9, abs=0.5)
    assert job.performance["wall_s"] > 0
    assert client.transcript(job.id, "srt").startswith(b"1\n00:00:0")


def test_both_clients_see_the_same_job(http: HttpJobsClient, services: Services) -> None:
    local = LocalJobsClient(services)
    job = completed(http, services)
    assert local.job(job.id) == job
    assert local.jobs(limit=5) == http.jobs(limit=5) == [job]
    for name in ("txt", "json", "html"):
        assert local.transcript(job.id, name) == http.transcript(job.id, name)
    assert local.models() == http.models()
    assert local.default_model == http.default_model == "demo"


def test_a_look_finds_live_and_ended_jobs_and_leaves_out_deleted_ones(client: JobsClient) -> None:
    live, ended, deleted = submitted(client), submitted(client), submitted(client)
    client.cancel(ended.id)
    client.cancel(deleted.id)
    client.delete(deleted.id)
    found = client.look([live.id, ended.id, deleted.id])
    assert {job_id: job.status for job_id, job in found.items()} == {
        live.id: JobStatus.QUEUED,
        ended.id: JobStatus.CANCELLED,
    }


def test_the_list_is_newest_first_and_filtered(client: JobsClient, tmp_path: Path) -> None:
    other = tmp_path / "Interview.wav"
    other.write_bytes(SPEECH.read_bytes())
    first, second = submitted(client), submitted(client, other)
    client.cancel(first.id)
    assert [job.id for job in client.jobs(limit=5)] == [second.id, first.id]
    assert [job.id for job in client.jobs(limit=1)] == [second.id]
    cancelled = client.jobs(limit=5, statuses=[JobStatus.CANCELLED, JobStatus.FAILED])
    assert [job.id for job in cancelled] == [first.id]
    assert [job.id for job in client.jobs(limit=5, search="interview")] == [second.id]


def test_a_cancelled_job_can_be_retried(client: JobsClient) -> None:
    job = submitted(client)
    assert client.cancel(job.id).status is JobStatus.CANCELLED
    assert client.retry(job.id).status is JobStatus.QUEUED


def test_deleting_a_live_job_cancels_it_and_deleting_it_again_removes_it(
    client: JobsClient,
) -> None:
    job = submitted(client)
    assert client.delete(job.id) is False
    assert client.job(job.id).status is JobStatus.CANCELLED
    assert client.delete(job.id) is True
    with pytest.raises(NotFound):
        client.job(job.id)


def test_a_full_queue_says_no(client: JobsClient) -> None:
    for _ in range(3):
        submitted(client)
    with pytest.raises(QueueFull):
        submitted(client)


def test_a_file_that_cannot_be_a_job_is_refused(client: JobsClient, tmp_path: Path) -> None:
    empty, large = tmp_path / "empty.wav", tmp_path / "large.wav"
    empty.touch()
    large.write_bytes(bytes(1_000_001))
    with pytest.raises(EmptyFile):
        submitted(client, empty)
    with pytest.raises(FileTooLarge):
        submitted(client, large)
    with pytest.raises(FileNotFoundError):
        submitted(client, tmp_path / "missing.wav")


def test_an_unknown_model_is_refused_with_the_known_ones(client: JobsClient) -> None:
    with pytest.raises(UnknownModel) as refused:
        client.submit(SPEECH, options=TranscribeOptions(model="x"), priority=Priority.NORMAL)
    assert "demo" in refused.value.remedy


def test_an_english_only_model_refuses_another_language(client: JobsClient) -> None:
    options = TranscribeOptions(model="tiny.en", language="de")
    with pytest.raises(InvalidRequest):
        client.submit(SPEECH, options=options, priority=Priority.NORMAL)


@pytest.mark.parametrize("job_id", ["nobody", "../models", "a b/c"])
def test_an_unknown_job_is_not_found(client: JobsClient, job_id: str) -> None:
    for ask in (client.job, client.cancel, client.retry, client.delete):
        with pytest.raises(NotFound):
            ask(job_id)
    with pytest.raises(NotFound):
        client.transcript(job_id, "txt")


def test_a_job_in_the_wrong_state_says_so(client: JobsClient) -> None:
    job = submitted(client)
    with pytest.raises(WrongState):
        client.retry(job.id)
    with pytest.raises(WrongState):
        client.transcript(job.id, "txt")
    client.cancel(job.id)
    with pytest.raises(WrongState):
        client.cancel(job.id)


def kept(jobs: Jobs, key: str) -> str:
    """Id of a job whose result is kept."""
    claim, transcript = jobs.running(), transcript_of("All of it.")
    made = packed_transcript(key, transcript)
    jobs.store.complete(claim, transcript, {}, ResultNotes(made=made))
    return claim.job_id


def test_kept_results_are_counted_and_forgotten(client: JobsClient, services: Services) -> None:
    jobs = Jobs(services.store)
    ids = [kept(jobs, key) for key in ("one", "two", "three")]
    found = client.cache()
    assert found.enabled
    assert (found.disk_entries, found.hits, found.misses) == (3, 0, 0)
    assert found.disk_bytes > 0
    assert client.clear_cache(ids[0]) == 1
    assert client.clear_cache() == 2
    assert client.cache().disk_entries == 0


def test_an_unknown_job_has_nothing_to_forget(client: JobsClient) -> None:
    with pytest.raises(NotFound):
        client.clear_cache("none")


def test_a_fresh_run_can_be_asked_for(client: JobsClient, services: Services) -> None:
    anew = replace(DEMO, use_cache=False)
    job = client.submit(SPEECH, options=anew, priority=Priority.NORMAL)
    assert services.store.get(job.id).options == anew


def test_an_unknown_format_is_told(client: JobsClient, services: Services) -> None:
    job = completed(client, services)
    with pytest.raises(UnknownFormat):
        client.transcript(job.id, "docm")


def test_a_draining_instance_takes_nothing(client: JobsClient, services: Services) -> None:
    services.drain()
    with pytest.raises(ShuttingDown):
        submitted(client)


def test_a_name_that_is_no_text_is_still_accepted(client: JobsClient, tmp_path: Path) -> None:
    path = tmp_path / b"caf\xe9.wav".decode("utf-8", "surrogateescape")
    path.write_bytes(SPEECH.read_bytes())
    assert submitted(client, path).filename == "caf?.wav"


# Over HTTP only


def test_a_server_with_a_key_names_the_setting(url: str) -> None:
    with HttpJobsClient(url) as client, pytest.raises(KeyRequired) as refused:
        client.models()
    assert "API_KEY" in refused.value.remedy


def test_a_server_that_is_gone_is_told_after_a_while() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        HttpJobsClient(f"http://127.0.0.1:{port}", patience_s=0.1) as client,
        pytest.raises(ShuttingDown, match="does not answer"),
    ):
        client.jobs(limit=1)
