"""The remote engine against a real server on this machine, well and with faults."""

from __future__ import annotations

import logging
import queue
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.running import PATIENCE_S, until
from tests.speech_server import CUT, GARBAGE, HANG, RESET, Refusal, SpeechServer, segments_of
from tests.speech_server_h2 import OPENSSL, http2_server
from voice_transcriber.engines.client import Answer, HostCrash
from voice_transcriber.engines.protocol import (
    LanguageReply,
    LanguageRequest,
    WindowReply,
    WindowRequest,
)
from voice_transcriber.engines.remote.engine import RemoteEngine
from voice_transcriber.engines.remote.options import RemoteOptions, models_from
from voice_transcriber.errors import (
    RemoteRefused,
    RemoteTooLarge,
    RemoteUnreachable,
    TranscriberError,
)
from voice_transcriber.job import SAMPLE_RATE
from voice_transcriber.logs import set_up_logging

KEY = "sk-a-key-that-nobody-may-see"
LENGTH_S = 120

Start = Callable[..., RemoteEngine]


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """As it was before the test."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers = handlers
    root.setLevel(level)


@pytest.fixture
def server() -> Iterator[SpeechServer]:
    with SpeechServer.running() as server:
        yield server


@pytest.fixture
def start(server: SpeechServer) -> Iterator[Start]:
    """Engines whose pauses are short; all are stopped at the end."""
    started: list[RemoteEngine] = []

    def one(**changes: object) -> RemoteEngine:
        options = RemoteOptions(
            url=server.url,
            key=KEY,
            models=models_from(["whisper-1"]),
            max_bytes=25_000_000,
            parallel=4,
            timeout_s=60.0,
            connect_timeout_s=60.0,
            backoff_s=0.01,
            longest_backoff_s=0.02,
        )
        engine = RemoteEngine(replace(options, **changes))  # type: ignore[arg-type]
        started.append(engine)
        return engine

    yield one
    for engine in started:
        engine.stop()


@pytest.fixture(scope="module")
def pcm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise with a short silence after each 5 s: no two seconds are alike."""
    path = tmp_path_factory.mktemp("audio") / "audio.pcm"
    samples = np.random.default_rng(7).integers(-8000, 8000, LENGTH_S * SAMPLE_RATE, np.int16)
    for second in range(5, LENGTH_S, 5):
        samples[round((second - 0.3) * SAMPLE_RATE) : round((second + 0.3) * SAMPLE_RATE)] = 0
    path.write_bytes(samples.tobytes())
    return path


def window(pcm: Path, start_s: float = 0.0, end_s: float = LENGTH_S) -> WindowRequest:
    end = round(end_s * SAMPLE_RATE)
    return WindowRequest(
        pcm=str(pcm),
        model="base",
        checkpoint="",
        gain=1.0,
        start=round(start_s * SAMPLE_RATE),
        end=end,
        speech_end=end,
        vad_filter=True,
        language="en",
        task="transcribe",
        prompt=None,
        hotwords=None,
        word_timestamps=False,
        priority=1,
    )


def reply_to(engine: RemoteEngine, request: WindowRequest) -> WindowReply:
    reply = engine.call(request)
    assert isinstance(reply, WindowReply)
    return reply


def text_of(reply: WindowReply) -> str:
    return "".join(segment.text for segment in reply.segments).strip()


def true_text(pcm: Path, start_s: float = 0.0, end_s: float = LENGTH_S) -> str:
    first, last = (round(at * SAMPLE_RATE) * 2 for at in (start_s, end_s))
    return "".join(one["text"] for one in segments_of(pcm.read_bytes()[first:last])).strip()


def test_a_window_is_sent_as_it_is_and_its_times_are_those_of_the_file(
    start: Start, server: SpeechServer, pcm: Path
) -> None:
    request = replace(window(pcm, 10.5, 27.0), prompt="So.", hotwords="Ada, Zuse")
    reply = reply_to(start(), request)
    (sent,) = server.received
    assert sent.pcm == pcm.read_bytes()[2 * request.start : 2 * request.end]
    assert (sent.path, sent.key) == ("/v1/audio/transcriptions", f"Bearer {KEY}")
    assert sent.fields == {
        "model": ["whisper-1"],
        "language": ["en"],
        "prompt": ["Ada, Zuse. So."],
        "temperature": ["0"],
        "response_format": ["verbose_json"],
        "timestamp_granularities[]": ["segment"],
    }
    assert text_of(reply) == true_text(pcm, 10.5, 27.0)
    times = [(one.start_ms, one.end_ms) for one in reply.segments]
    assert times == [(10_500, 15_500), (15_500, 20_500), (20_500, 25_500), (25_500, 27_000)]
    assert reply.place is not None
    assert (reply.place.device, reply.place.compute_type) == ("remote", "whisper-1")
    assert reply.segments[0].avg_logprob == -0.2


def test_a_translation_goes_to_its_own_address_and_names_no_language(
    start: Start, server: SpeechServer, pcm: Path
) -> None:
    reply_to(start(), replace(window(pcm, 0, 5), task="translate", language="de"))
    (sent,) = server.received
    assert sent.path == "/v1/audio/translations"
    assert "language" not in sent.fields


def test_words_have_their_times_and_the_points_of_the_text(start: Start, pcm: Path) -> None:
    reply = reply_to(start(), replace(window(pcm, 20, 31), word_timestamps=True))
    for segment in reply.segments:
        assert segment.words is not None
        assert "".join(word.text for word in segment.words) == segment.text
        assert segment.words[0].start_ms == segment.start_ms
        assert segment.words[-1].end_ms == segment.end_ms
    assert len(reply.segments) == 3


def test_the_model_is_the_one_that_the_settings_name(
    start: Start, server: SpeechServer, pcm: Path
) -> None:
    reply_to(start(models=models_from(["base=org/small-one", "large-v3=big"])), window(pcm, 0, 5))
    assert server.received[0].fields["model"] == ["org/small-one"]


def test_an_address_may_end_in_v1(start: Start, server: SpeechServer, pcm: Path) -> None:
    reply_to(start(url=f"{server.url}/v1/"), window(pcm, 0, 5))
    assert server.received[0].path == "/v1/audio/transcriptions"


@pytest.mark.parametrize(
    "faults",
    [
        [Refusal(status=500), Refusal(status=503)],
        [Refusal(status=429, headers={"Retry-After": "0"})],
        [RESET],
        [CUT],
        [GARBAGE],
    ],
    ids=["500 twice", "429", "reset", "answer cut off", "no JSON"],
)
def test_what_passes_is_tried_again(
    start: Start, server: SpeechServer, pcm: Path, faults: list[Refusal | str]
) -> None:
    server.faults += faults
    engine = start()
    assert text_of(reply_to(engine, window(pcm, 0, 30))) == true_text(pcm, 0, 30)
    assert (engine.figures.retries, engine.figures.errors) == (len(faults), 0)
    assert engine.figures.requests == len(faults) + 1


def test_a_server_that_hangs_is_given_up_and_asked_again(
    start: Start, server: SpeechServer, pcm: Path
) -> None:
    server.faults.append(HANG)
    engine = start(timeout_s=2.0)
    assert text_of(reply_to(engine, window(pcm, 0, 5))) == true_text(pcm, 0, 5)
    assert engine.figures.retries == 1


def test_a_server_that_is_too_slow_for_much_gets_less(
    start: Start, server: SpeechServer, pcm: Path
) -> None:
    server.faults.append(HANG)
    engine = start(timeout_s=2.0)
    reply = reply_to(engine, window(pcm))
    assert b"".join(one.pcm for one in server.received) == pcm.read_bytes()
    assert max(one.seconds for one in server.received) <= 60
    assert reply.segments[-1].end_ms == LENGTH_S * 1000


def test_halves_have_no_more_tries_than_the_whole(
    start: Start, server: SpeechServer, pcm: Path
) -> None:
    server.fault_for_all = HANG
    engine = start(timeout_s=0.2)
    with pytest.raises(RemoteUnreachable, match="after 4 tries"):
        engine.call(window(pcm))
    assert engine.figures.requests == 4


@pytest.mark.parametrize("header", ["seconds", "date"])
def test_the_server_says_how_long_to_wait(
    start: Start,
    server: SpeechServer,
    pcm: Path,
    header: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A pause of the client's own choice would be 0.01 s."""
    asked = "1" if header == "seconds" else formatdate(time.time() + 2, usegmt=True)
    server.faults.append(Refusal(status=429, headers={"Retry-After": asked}))
    reply_to(start(), window(pcm, 0, 5))
    pause = re.search(r"try 2 follows in ([\d.]+) s", caplog.text)
    assert pause is not None
    assert 0.5 <= float(pause[1]) <= 2


def test_a_server_that_asks_for_a_long_wait_is_given_up_at_once(
    start: Start, server: SpeechServer, pcm: Path
) -> None:
    server.fault_for_all = Refusal(status=503, headers={"Retry-After": "3600"})
    engine = start()
    with pytest.raises(RemoteUnreachable, match="asks to wait 3600 s"):
        engine.call(window(pcm, 0, 5))
    assert engine.figures.requests == 1


def test_after_the_last_try_the_error_says_what_was_wrong(
    start: Start, server: SpeechServer, pcm: Path
) -> None:
    server.fault_for_all = Refusal(status=502, message="upstream is down")
    engine = start()
    with pytest.raises(RemoteUnreachable, match=r"after 4 tries.*502: upstream is down"):
        engine.call(window(pcm, 0, 5))
    assert (engine.figures.requests, engine.figures.errors) == (4, 1)


def test_a_server_that_is_not_there(start: Start, server: SpeechServer, pcm: Path) -> None:
    engine = start(url="http://127.0.0.1:9")
    with pytest.raises(RemoteUnreachable, match=r"127\.0\.0\.1:9 cannot be reached"):
        engine.call(window(pcm, 0, 5))


@pytest.mark.parametrize(
    ("refusal", "remedy"),
    [
        (Refusal(status=401, message=f"Incorrect key {KEY}"), "REMOTE_API_KEY"),
        (Refusal(status=403), "REMOTE_API_KEY"),
        (Refusal(status=404, message="The model does not exist"), "REMOTE_MODEL"),
        (Refusal(status=302, headers={"Location": "http://10.0.0.1/"}), "REMOTE_URL"),
        (Refusal(status=400, message="bad audio"), "REMOTE_MODEL"),
        (Refusal(status=429, message="no money", code="insufficient_quota"), "account"),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Refusal) else "",
)
def test_what_does_not_pass_is_not_tried_again(
    start: Start, server: SpeechServer, pcm: Path, refusal: Refusal, remedy: str
) -> None:
    server.fault_for_all = refusal
    engine = start()
    with pytest.raises(RemoteRefused) as caught:
        engine.call(window(pcm, 0, 5))
    assert str(refusal.status) in caught.value.message
    assert remedy in caught.value.remedy
    assert KEY not in caught.value.message
    assert (engine.figures.requests, engine.figures.errors) == (1, 1)


def test_what_is_too_large_is_halved_at_quiet_points_and_nothing_is_lost(
    start: Start, server: SpeechServer, pcm: Path
) -> None:
    server.max_seconds = 40
    engine = start()
    reply = reply_to(engine, window(pcm))
    sent = sorted(server.received, key=lambda one: pcm.read_bytes().find(one.pcm[:4000]))
    assert b"".join(one.pcm for one in sent) == pcm.read_bytes()
    ends_s = [sum(one.seconds for one in sent[: index + 1]) for index in range(len(sent) - 1)]
    assert all(abs(end_s / 5 - round(end_s / 5)) < 0.1 for end_s in ends_s)  # in the silences
    assert all(one.end_ms <= two.start_ms for one, two in pairwise(reply.segments))
    asked, answered = engine.figures.requests, len(server.received)
    reply_to(engine, window(pcm))
    # The size is known now: nothing is refused any more.
    assert engine.figures.requests - asked == len(server.received) - answered


def test_a_server_that_takes_nothing_ends_the_halving(
    start: Start, server: SpeechServer, pcm: Path
) -> None:
    server.fault_for_all = Refusal(status=413)
    with pytest.raises(RemoteTooLarge):
        start().call(window(pcm, 0, 60))


@pytest.mark.parametrize("forms", [{"json", "text"}, {"text"}])
def test_a_server_without_times_gets_short_pieces(
    start: Start, server: SpeechServer, pcm: Path, forms: set[str]
) -> None:
    server.forms = forms
    reply = reply_to(start(), window(pcm))
    assert all(one.seconds <= 30 for one in server.received)
    assert b"".join(one.pcm for one in server.received) == pcm.read_bytes()
    assert reply.segments[0].start_ms == 0
    assert max(one.end_ms - one.start_ms for one in reply.segments) <= 30_000


@pytest.mark.parametrize(("named", "votes"), [("english", [{"en": 1.0}]), (None, [{}])])
def test_the_language_is_what_the_server_names(
    start: Start, server: SpeechServer, pcm: Path, named: str | None, votes: list[dict[str, float]]
) -> None:
    server.language = named
    question = LanguageRequest(
        pcm=str(pcm), model="base", checkpoint="", gain=1.0, windows=[(0, LENGTH_S * SAMPLE_RATE)]
    )
    engine = start()
    reply = engine.call(question)
    assert isinstance(reply, LanguageReply)
    assert (reply.votes, reply.measured) == (votes, False)
    assert server.received[0].seconds == 30
    engine.call(question)
    assert len(server.received) == (2 if named else 1)  # a server that names none is not asked


def test_no_more_requests_at_once_than_allowed_and_connections_are_used_again(
    start: Start, server: SpeechServer, pcm: Path
) -> None:
    server.held_after = 0
    engine = start()
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
    for at in range(0, 100, 10):
        engine.submit(window(pcm, at, at + 10), lambda _number, answer: answers.put(answer))
    until(lambda: server.most_at_once == 4)
    time.sleep(0.2)
    figures = engine.figures
    assert (server.most_at_once, figures.connections, figures.idle_connections) == (4, 4, 0)
    server.go_on.set()
    found = [answers.get(timeout=PATIENCE_S) for _ in range(10)]
    assert all(isinstance(one, WindowReply) for one in found)
    assert server.most_at_once == 4
    assert server.connections <= 4
    assert engine.figures.idle_connections >= 1
    assert engine.figures.sent_bytes == 10 * (44 + 10 * 2 * SAMPLE_RATE)


def test_urgent_windows_go_first_and_files_take_turns(
    start: Start, server: SpeechServer, pcm: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.pcm"
    other.write_bytes(pcm.read_bytes())
    server.held_after = 0
    engine = start(parallel=1)
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()

    def send(name: str, request: WindowRequest) -> None:
        engine.submit(request, lambda _number, _answer: answers.put(name))

    send("first", window(pcm, 0, 5))
    until(lambda: server.most_at_once == 1)
    send("second", window(pcm, 5, 10))
    send("third", window(pcm, 10, 15))
    send("other file", window(other, 0, 5))
    send("urgent", replace(window(pcm, 15, 20), priority=0))
    time.sleep(0.1)
    server.go_on.set()
    found = [answers.get(timeout=PATIENCE_S) for _ in range(5)]
    assert found == ["first", "urgent", "other file", "second", "third"]


def test_a_cancelled_request_closes_its_connection(
    start: Start, server: SpeechServer, pcm: Path
) -> None:
    server.held_after = 0
    engine = start()
    answers: list[Answer] = []
    number = engine.submit(window(pcm, 0, 5), lambda _number, answer: answers.append(answer))
    until(lambda: server.most_at_once == 1)
    engine.cancel([number])
    assert server.gone.wait(PATIENCE_S)
    assert answers == []


def test_the_end_of_the_engine_ends_what_is_open(
    start: Start, server: SpeechServer, pcm: Path
) -> None:
    server.held_after = 0
    engine = start()
    answers: list[Answer] = []
    engine.submit(window(pcm, 0, 5), lambda _number, answer: answers.append(answer))
    until(lambda: server.most_at_once == 1)
    engine.stop()
    assert [type(answer) for answer in answers] == [HostCrash]
    assert server.gone.wait(PATIENCE_S)
    with pytest.raises(TranscriberError):
        engine.call(window(pcm, 0, 5))


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl to make a certificate")
def test_http_2_shares_one_connection_and_the_key_stays_out_of_the_log(
    start: Start, pcm: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    set_up_logging(level="DEBUG", instance_id="here")
    logging.getLogger().addHandler(caplog.handler)
    with http2_server(tmp_path) as server:
        engine = start(url=server.url, ca_file=server.certificate)
        answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        reply_to(engine, window(pcm, 0, 5))
        for at in range(0, 40, 10):
            engine.submit(window(pcm, at, at + 10), lambda _number, answer: answers.put(answer))
        found = [answers.get(timeout=PATIENCE_S) for _ in range(4)]
        assert all(isinstance(one, WindowReply) for one in found)
        assert (server.connections, server.protocols) == (1, ["h2"])
        assert len(server.streams) == 5
    assert "send_request_headers" in caplog.text  # the log was as talkative as it can be
    assert KEY not in caplog.text


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl to make a certificate")
def test_a_certificate_that_nobody_known_signed_is_refused(
    start: Start, pcm: Path, tmp_path: Path
) -> None:
    with http2_server(tmp_path) as server, pytest.raises(RemoteUnreachable):
        start(url=server.url).call(window(pcm, 0, 5))
