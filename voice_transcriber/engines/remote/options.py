"""How the remote server is reached: one frozen record, made from the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from voice_transcriber.job import SAMPLE_RATE
from voice_transcriber.settings import Settings, is_loopback

EVERY_MODEL = "*"  # in the place of a name of ours: what all others are

_ENVELOPE_BYTES = 16_384  # of a request: the form's other fields and the header of the audio


@dataclass(frozen=True, kw_only=True)
class RemoteOptions:
    url: str  # http or https, with or without the ending /v1
    key: str = field(repr=False)
    models: Mapping[str, str]  # the server's names by ours; EVERY_MODEL stands for the rest
    max_bytes: int  # of one request
    parallel: int  # requests at once
    timeout_s: float  # without a byte from the server
    connect_timeout_s: float
    ca_file: Path | None = None  # further authorities that may sign the server's certificate
    max_tries: int = 4
    backoff_s: float = 1.0  # the longest first pause; each further one is twice as long,
    longest_backoff_s: float = 30.0  # and none longer than this
    longest_wait_s: float = 120.0  # that the server may ask for

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            url=settings.remote_url,
            key=settings.remote_api_key,
            models=models_from(settings.remote_model),
            max_bytes=settings.remote_max_size_bytes,
            parallel=settings.remote_parallel,
            timeout_s=settings.remote_timeout_s,
            connect_timeout_s=settings.remote_connect_timeout_s,
            ca_file=settings.remote_ca_file,
        )

    @property
    def server(self) -> str:
        """Host and port, as people are told."""
        return urlsplit(self.url).netloc

    @property
    def is_https(self) -> bool:
        return urlsplit(self.url).scheme == "https"

    @property
    def is_protected(self) -> bool:
        """Whether nobody on the way can listen."""
        return self.is_https or is_loopback(urlsplit(self.url).hostname or "")

    @property
    def api(self) -> str:
        """Address of the dialect, without a slash at its end."""
        base = self.url.rstrip("/")
        return base if base.endswith("/v1") else f"{base}/v1"

    @property
    def max_samples(self) -> int:
        """Of 16 bit that fit into one request."""
        return max((self.max_bytes - _ENVELOPE_BYTES) // 2, SAMPLE_RATE)

    def model(self, name: str) -> str | None:
        """The server's name for a model of ours; None where it has none."""
        return self.models.get(name) or self.models.get(EVERY_MODEL)


def models_from(names: Sequence[str]) -> Mapping[str, str]:
    """From entries such as `base=whisper-1`; an entry without a sign is for every model."""
    pairs = [name.rpartition("=") for name in names]
    return {ours.strip() or EVERY_MODEL: theirs.strip() for ours, _, theirs in pairs}
