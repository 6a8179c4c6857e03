"""One server: a pool of connections, tries with pauses, and the form in which it answers."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from voice_transcriber.engines.remote.answers import Answer, UnreadableAnswer, read_answer
from voice_transcriber.engines.remote.audio import open_wav
from voice_transcriber.engines.remote.backoff import backoff_s
from voice_transcriber.engines.remote.faults import (
    FormRefused,
    TimesMissing,
    TooSlow,
    TryAgain,
    refusal,
)
from voice_transcriber.engines.remote.options import RemoteOptions
from voice_transcriber.errors import RemoteTooLarge, RemoteUnreachable, TranscriberError
from voice_transcriber.job import MAX_WINDOW, SAMPLE_RATE

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 10
KEEP_ALIVE_S = 30.0
LEAST_IN_TIME = 60 * SAMPLE_RATE  # what is not answered in time below this is not halved
MAX_ANSWER_BYTES = 64 * 10**6  # a day of words is less

_ENDPOINTS = {"transcribe": "transcriptions", "translate": "translations"}


@dataclass(frozen=True)
class _Form:
    """How an answer is asked for; a server that refuses one is asked for the next."""

    response_format: str
    granularities: bool = False

    @property
    def has_times(self) -> bool:
        return self.response_format == "verbose_json"


_FORMS = (_Form("verbose_json", True), _Form("verbose_json"), _Form("json"), _Form("text"))


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is sent: a stretch of audio, and how it is to be written."""

    pcm: str
    start: int
    end: int
    model: str  # the server's name
    task: str = "transcribe"
    language: str | None = None
    prompt: str | None = None
    words: bool = False
    failures: int = 0  # tries that a longer stretch has used up

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Since the start."""

    requests: int = 0
    retries: int = 0
    errors: int = 0  # requests that were given up
    sent_bytes: int = 0  # of audio


class _Transport(httpx.AsyncHTTPTransport):
    """A transport that knows its connections."""

    @property
    def connections(self) -> tuple[int, int]:
        """Open ones, and those of them that are idle."""
        found = [one for one in self._pool.connections if not one.is_closed()]
        return len(found), sum(one.is_idle() for one in found)


class RemoteServer:
    """Its coroutines run in one event loop; its figures may be read from any thread."""

    def __init__(self, options: RemoteOptions) -> None:
        self._options = options
        self._transport = _Transport(
            verify=_tls(options),
            http2=True,
            trust_env=False,
            limits=httpx.Limits(
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=MAX_CONNECTIONS,
                keepalive_expiry=KEEP_ALIVE_S,
            ),
        )
        self._client = httpx.AsyncClient(
            transport=self._transport,
            follow_redirects=False,
            trust_env=False,
            headers={"Authorization": f"Bearer {options.key}"} if options.key else {},
            timeout=httpx.Timeout(options.timeout_s, connect=options.connect_timeout_s),
        )
        self._forms: dict[str, int] = {}  # by model, the first of _FORMS that is not refused
        self._without_times: set[str] = set()
        self.traffic = Traffic()

    @property
    def connections(self) -> tuple[int, int]:
        """Open ones, and those of them that are idle."""
        return self._transport.connections

    def gives_times(self, model: str) -> bool:
        """Whether a model tells when something was said, as far as it is known."""
        form = _FORMS[self._forms.get(model, 0)]
        return form.has_times and model not in self._without_times

    async def ask(self, ask: Ask) -> Answer:
        """The text of a stretch.

        Raises RemoteUnreachable after the last try, RemoteRefused, and what asks for shorter
        stretches: RemoteTooLarge, TimesMissing, TooSlow.
        """
        try:
            while True:
                if ask.length > MAX_WINDOW and not self.gives_times(ask.model):
                    raise TimesMissing
                number = self._forms.get(ask.model, 0)
                try:
                    answer = await self._ask_in_form(ask, _FORMS[number])
                except FormRefused as refused:
                    if number + 1 == len(_FORMS):
                        raise refused.refusal from None
                    self._forms[ask.model] = max(self._forms.get(ask.model, 0), number + 1)
                    log.info("%s: %s", self._options.server, refused)
                else:
                    if answer.has_times:
                        return answer
                    self._without_times.add(ask.model)
                    if ask.length <= MAX_WINDOW:
                        return answer
        except RemoteTooLarge:
            raise
        except TranscriberError:
            self._count(errors=1)
            raise

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask_in_form(self, ask: Ask, form: _Form) -> Answer:
        failures = ask.failures
        while True:
            try:
                return await self._try(ask, form)
            except TryAgain as fault:
                failures += 1
                await asyncio.sleep(self._pause_s(fault, failures))
                self._count(retries=1)
                if fault.is_timeout and ask.length > LEAST_IN_TIME:
                    raise TooSlow(failures) from fault

    def _pause_s(self, fault: TryAgain, failures: int) -> float:
        """Seconds until the next try. Raises RemoteUnreachable when there is none."""
        options = self._options
        patience_ends = (fault.wait_s or 0.0) > options.longest_wait_s
        if failures >= options.max_tries or patience_ends:
            asks = f" and asks to wait {fault.wait_s:.0f} s" if patience_ends else ""
            raise RemoteUnreachable(
                f"The remote server gave no transcript after {failures} "
                f"{'try' if failures == 1 else 'tries'}: {fault.reason}{asks}."
            )
        pause_s = fault.wait_s
        if pause_s is None:
            pause_s = backoff_s(
                failures, first_s=options.backoff_s, longest_s=options.longest_backoff_s
            )
        log.warning("%s; try %d follows in %.1f s.", fault.reason, failures + 1, pause_s)
        return pause_s

    async def _try(self, ask: Ask, form: _Form) -> Answer:
        self._count(requests=1)
        try:
            status, headers, body = await self._exchange(ask, form)
        except (httpx.TransportError, TimeoutError) as error:
            slow = isinstance(error, httpx.ReadTimeout | TimeoutError)
            raise TryAgain(f"{self._options.server} {_fault_of(error)}", is_timeout=slow) from error
        if status != httpx.codes.OK:
            raise refusal(status, headers, body, self._options)
        try:
            return read_answer(
                body,
                is_json=form.response_format != "text",
                start=ask.start,
                end=ask.end,
                want_words=ask.words,
            )
        except UnreadableAnswer as error:
            raise TryAgain(
                f"{self._options.server} sent an answer that cannot be read ({error})"
            ) from error

    async def _exchange(self, ask: Ask, form: _Form) -> tuple[int, Mapping[str, str], bytes]:
        address = f"{self._options.api}/audio/{_ENDPOINTS[ask.task]}"
        with open_wav(Path(ask.pcm), ask.start, ask.end, on_read=self._count_bytes) as file:
            request = self._client.build_request(
                "POST",
                address,
                data=_fields(ask, form),
                files={"file": ("audio.wav", file, "audio/wav")},
            )
            response = await self._client.send(request, stream=True)
            try:
                async with asyncio.timeout(self._options.timeout_s):
                    body = await _body(response)
            finally:
                await response.aclose()
        return response.status_code, response.headers, body

    def _count_bytes(self, count: int) -> None:
        self._count(sent_bytes=count)

    def _count(self, **added: int) -> None:
        was = self.traffic
        self.traffic = replace(
            was, **{name: getattr(was, name) + count for name, count in added.items()}
        )


def _tls(options: RemoteOptions) -> ssl.SSLContext:
    if not options.is_https:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody, and is not used
    context = httpx.create_ssl_context(trust_env=False)
    if options.ca_file is not None:
        context.load_verify_locations(options.ca_file)
    return context


def _fields(ask: Ask, form: _Form) -> Mapping[str, str | Sequence[str]]:
    fields: dict[str, str | Sequence[str]] = {
        "model": ask.model,
        "response_format": form.response_format,
        "temperature": "0",
    }
    if ask.language and ask.task == "transcribe":
        fields["language"] = ask.language
    if ask.prompt:
        fields["prompt"] = ask.prompt
    if form.granularities:
        words = ["word"] if ask.words else []
        fields["timestamp_granularities[]"] = ["segment", *words]
    return fields


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise httpx.ReadError("the answer is too long")
    return bytes(body)


def _fault_of(error: Exception) -> str:
    match error:
        case httpx.ConnectTimeout() | httpx.ConnectError():
            return "cannot be reached"
        case httpx.TimeoutException() | TimeoutError():
            return "did not answer in time"
        case _:
            return f"broke the connection off ({type(error).__name__})"
