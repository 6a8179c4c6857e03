"""All settings: one table of names, defaults and help by group, and the frozen record they become.

`Settings.from_mapping` is pure: config.py alone reads the environment. A wrong
value raises ConfigurationError, which names the variable and the remedy.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from voice_transcriber.errors import ConfigurationError
from voice_transcriber.setting_values import (
    one_of,
    parse_batch_size,
    parse_clamd_address,
    parse_duration,
    parse_folder,
    parse_instance,
    parse_memory_limit,
    parse_model_names,
    parse_names,
    parse_optional_file,
    parse_optional_folder,
    parse_part,
    parse_remote_models,
    parse_server_url,
    parse_size,
    parse_switch,
    parse_text,
    parse_time_limit,
    parse_token,
    whole_number,
)

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Setting:
    """One row of the table."""

    name: str
    default: str
    parse: Callable[[str], Any]  # raises ValueError with a sentence
    help: str
    aliases: tuple[str, ...] = ()  # older names, accepted in place of `name`
    secret: bool = False  # may come from the file that NAME_FILE names; never shown

    @property
    def field_name(self) -> str:
        """Its field in Settings, with the unit."""
        if self.parse in (parse_size, parse_memory_limit):
            return f"{self.name.lower()}_bytes"
        if self.parse in (parse_duration, parse_time_limit):
            return f"{self.name.lower()}_s"
        return self.name.lower()


class Source(StrEnum):
    """Where a text was found."""

    ENVIRONMENT = "environment"
    ENV_FILE = ".env file"
    SECRET_FILE = "secret file"  # the file that NAME_FILE names


@dataclass(frozen=True)
class Origin:
    """Where a value comes from that is not the default."""

    variable: str  # the setting's name, or the older name that was used
    source: Source


SETTING_GROUPS: Mapping[str, tuple[Setting, ...]] = {
    "Server": (
        Setting("HOST", "127.0.0.1", parse_text, "Address to listen on. Beyond loopback API_KEY is needed."),
        Setting("PORT", "5001", whole_number(1, 65535), "Port to listen on."),
        Setting("ALLOWED_HOSTS", "", parse_names, "Further host names, comma-separated, by which browsers may open the server; localhost and 127.0.0.1 always work."),
        Setting("API_KEY", "", parse_text, "Key that every request must carry when set (at least 16 characters). Empty: no key, loopback only.", secret=True),
        Setting("ALLOW_WITHOUT_KEY", "false", parse_switch, "On: other machines may reach the server without a key; for a container whose port is published on loopback only. Off: listening beyond loopback needs API_KEY."),
        Setting("MAX_FILE_SIZE", "500MB", parse_size, "Largest upload; units KB, MB, GB; a plain number is megabytes.", aliases=("MAX_FILE_SIZE_MB",)),
        Setting("UPLOAD_EXPIRY", "24h", parse_duration, "Time without a byte after which an upload that can be resumed is deleted."),
        Setting("MAX_CONNECTIONS_PER_ADDRESS", "256", whole_number(0, 6000), "Connections that one address beyond loopback may have open at a time (one network of IPv6); more are closed at once. 0: as many as it likes, for a server behind a proxy or a container's port mapping, where all clients have one address."),
    ),
    "Security": (
        Setting("SCAN_UPLOADS", "false", parse_switch, "On: each upload is looked at by the virus scanner clamd before it is accepted; while clamd is away none is. Off: uploads are not scanned."),
        Setting("CLAMD_ADDRESS", "localhost:3310", parse_clamd_address, "Where clamd listens, for SCAN_UPLOADS: host:port, or the path of its socket."),
        Setting("AUDIT_DAYS", "365", whole_number(1, 36500), "Days that the record of who did what is kept."),
    ),
    "Folders": (
        Setting("DATA_DIR", "data", parse_folder, "Folder of the database, the audio and the transcripts. One running instance owns it."),
        Setting("WHISPER_MODEL_DIR", "models", parse_folder, "Folder of the model files; downloads go there, and your own .pt files are found there."),
        Setting("RETENTION_DAYS", "0", whole_number(0, 36500), "Days after which ended jobs are deleted with their audio. 0 keeps them until you delete them."),
        Setting("BACKUP_INTERVAL", "24h", parse_duration, "Time between two copies of the database, which are made while it is used."),
        Setting("BACKUP_KEEP", "7", whole_number(0, 1000), "Copies of the database that are kept in DATA_DIR/backups; the text of a deleted job is in them until they go. 0: none are made."),
        Setting("TRANSCRIPTIONS_DIR", "", parse_optional_folder, "Folder in which each finished job's files are written, named after the recording. Empty: none are written."),
        Setting("OUTPUT_FORMATS", "txt,srt", parse_names, "Formats of the files in TRANSCRIPTIONS_DIR, comma-separated: txt, srt, vtt, tsv, csv, json, whisper.json, lrc, docx, html."),
    ),
    "Jobs": (
        Setting("MAX_CONCURRENT_JOBS", "3", whole_number(1, 64), "Long jobs that run at the same time; short clips and more urgent jobs have a lane of their own.", aliases=("WORKERS",)),
        Setting("MAX_QUEUE_SIZE", "1000", whole_number(1, 1_000_000), "Jobs that may wait; the next one is refused with queue_full."),
        Setting("MAX_QUEUE_PER_KEY", "100", whole_number(1, 1_000_000), "Jobs of one API key, or without one of one address, that may wait; the next one is refused with too_many_queued. Clients on this machine are not counted."),
        Setting("CLEANUP_INTERVAL", "300", parse_duration, "Seconds between two rounds of housekeeping: temporary files, stray uploads, idle models, retention."),
        Setting("JOB_TIME_LIMIT", "auto", parse_time_limit, "Longest time that a job may run at a stretch, without the download of its model; then it fails with job_took_too_long, and a retry goes on where it stopped. auto: ten times the recording's length, at least an hour."),
        Setting("SHUTDOWN_GRACE", "30", parse_duration, "Seconds that running jobs have, after SIGTERM, to commit the windows in work."),
    ),
    "Audio": (
        Setting("AUDIO_CHUNK_SIZE", "600", parse_duration, "Longest chunk, in seconds, that a file is planned in; cuts are made at quiet points. Short files have shorter ones, so that they go side by side."),
        Setting("MAX_PARALLEL_CHUNKS", "4", whole_number(1, 64), "Chunks of one file that are worked on side by side. 1: one after the other."),
        Setting("MAX_DURATION", "24h", parse_duration, "Longest recording; units s, m, h, d."),
        Setting("AUDIO_OPTIMIZATION", "true", parse_switch, "On: quiet recordings are raised to a normal level before speech is looked for. Off: the audio is used as it is; speech in quiet recordings is missed."),
    ),
    "Models and engine": (
        Setting("ENGINE", "openai-whisper", one_of("openai-whisper", "faster-whisper", "auto", "remote", "fake"), "Speech engine. openai-whisper: PyTorch. faster-whisper: CTranslate2, which can compute with 8-bit weights; it converts a model once, on first use. auto: the faster one of these two on this machine, measured once for each model. remote: a server of your choice, see the group Remote engine. fake is for tests of the program: it invents its text."),
        Setting("ENCODER", "auto", one_of("auto", "own", "openvino"), "What turns sound into what the engine's decoder reads, on a CPU. own: the engine's own encoder. openvino: OpenVINO's, from the same model file; needs requirements-openvino.txt. auto: with ENGINE=auto the fastest one that is installed, else own."),
        Setting("ENGINE_ISOLATION", "process", one_of("process", "thread"), "process: the engine runs in a child process that is replaced when it crashes. thread: in the app's own process (debugger, smallest machines), where a crash ends the app, what hangs cannot be ended, and ENGINE_MEMORY_LIMIT does nothing."),
        Setting("NO_PROGRESS_LIMIT", "15m", parse_duration, "Time without any progress after which the engine's process is taken for hung and replaced; the jobs go on. A batch that is only slow makes progress."),
        Setting("ENGINE_MEMORY_LIMIT", "auto", parse_memory_limit, "Memory that the engine's process may hold; above it, it is replaced as soon as the windows in work are done, and no job loses anything. Units KB, MB, GB. auto: nine tenths of the machine's or the container's memory. off: no limit."),
        Setting("DEFAULT_MODEL", "base", parse_text, "Model that is used where a job names none.", aliases=("MODEL_SIZE",)),
        Setting("PRELOAD_MODELS", "", parse_model_names, "Models that are loaded when the program starts, comma-separated; a missing one is downloaded first."),
        Setting("OFFLINE", "false", parse_switch, "On: no connection to other machines is ever opened; a model that is not in WHISPER_MODEL_DIR is refused. Off: missing models are downloaded."),
        Setting("WHISPER_MODEL_CACHE_SIZE", "2", whole_number(1, 2), "Models kept in memory; the least recently used one goes first."),
        Setting("MODEL_IDLE", "30m", parse_duration, "Time after which a model that nobody uses is taken out of memory."),
        Setting("ENGINE_THREADS", "0", whole_number(0, 1024), "Threads of the engine. 0: one for each core that the program may use; ENGINE=auto measures whether fewer are faster where cores have two threads."),
        Setting("BATCH_SIZE", "auto", parse_batch_size, "Most windows that are decoded together. auto: 8; on a GPU more, up to 64, as long as that is faster. Fewer where memory has no room for so many."),
        Setting("BEAM_SIZE", "5", whole_number(1, 10), "Texts of a window that are followed side by side, of which the most likely is kept. 1: only the most likely next token is followed, which is faster and mishears more."),
        Setting("ENABLE_GPU_ACCELERATION", "true", parse_switch, "On: a CUDA GPU is used where PyTorch sees one; what it cannot do runs on the CPU, and the job says so. Off: the CPU is used."),
        Setting("GPU_MEMORY_THRESHOLD", "0.9", parse_part, "Part of the GPU's memory, above 0 and at most 1, that all programs together may use. Above it windows are decoded in smaller batches, then on the CPU; when there is room again, on the GPU."),
        Setting("DEVICE", "auto", one_of("auto", "cpu", "cuda"), "auto: a GPU where there is one, else the CPU. cpu: the CPU, as with ENABLE_GPU_ACCELERATION off. cuda: as auto, and jobs say so when there is no GPU to use."),
        Setting("COMPUTE_TYPE", "auto", one_of("auto", "int8", "int8_float16", "float16", "bfloat16", "float32"), "What the engine computes with. auto: float16 on a GPU; on a CPU int8 (faster-whisper) or float32 (openai-whisper), with ENGINE=auto what is fastest. What the engine lacks is refused at the start; a type that only GPUs have counts for the GPU."),
        Setting("MEMORY_OPTIMIZATION", "false", parse_switch, "On: one model is kept in memory, and it is let go as soon as no job is left. Off: models stay as WHISPER_MODEL_CACHE_SIZE and MODEL_IDLE say."),
    ),
    "Remote engine": (
        Setting("REMOTE_URL", "", parse_server_url, "Address of a server that speaks OpenAI's dialect, for ENGINE=remote: https://api.openai.com, or your own such as http://localhost:8000. The sound of every recording is sent there."),
        Setting("REMOTE_API_KEY", "", parse_token, "Key that the server asks for. Empty: none is sent.", secret=True),
        Setting("REMOTE_MODEL", "whisper-1", parse_remote_models, "The server's model, for whatever model a job names; or pairs, comma-separated, of a name for jobs and the server's: base=Systran/faster-whisper-base,large-v3=whisper-1."),
        Setting("REMOTE_MAX_SIZE", "25MB", parse_size, "Largest request that the server takes; chunks are cut to it (a minute of audio is 1.92 MB)."),
        Setting("REMOTE_PARALLEL", "4", whole_number(1, 10), "Requests to the server at the same time."),
        Setting("REMOTE_TIMEOUT", "120", parse_duration, "Seconds without a byte from the server after which a try is given up."),
        Setting("REMOTE_CONNECT_TIMEOUT", "30", parse_duration, "Seconds to connect to the server."),
        Setting("REMOTE_CA_FILE", "", parse_optional_file, "File (PEM) of a certificate authority of your own that signed the server's certificate. Empty: only the public ones are trusted."),
        Setting("REMOTE_FALLBACK", "none", one_of("none", "openai-whisper", "faster-whisper", "auto", "fake"), "Engine of this machine that takes a recording over when the server stays unreachable; its model is downloaded where it is missing. none: the job is tried again later, then fails."),
    ),
    "Result cache": (
        Setting("ENABLE_CACHE", "true", parse_switch, "On: a recording that was transcribed before, with the same options, is answered at once from what is kept of it. Off: every job is computed, and what was kept is deleted."),
        Setting("CACHE_SIZE", "100", whole_number(1, 100_000), "Results kept in memory; the least recently used one goes first."),
        Setting("CACHE_TTL_SECONDS", "3600", whole_number(1, 31_536_000), "Seconds that a result stays in memory."),
        Setting("ENABLE_DISK_CACHE", "true", parse_switch, "On: results are kept in the database too, beyond a restart. Off: in memory only."),
        Setting("DISK_CACHE_SIZE", "500MB", parse_size, "Room for results in the database; what was not used for longest goes first."),
        Setting("DISK_CACHE_TTL", "30d", parse_duration, "Time that a result stays in the database."),
    ),
    "Logs": (
        Setting("LOG_LEVEL", "WARNING", one_of("DEBUG", "INFO", "WARNING", "ERROR"), "Lowest level of the lines in the log (standard error, and a server's files in DATA_DIR/logs)."),
        Setting("LOG_SIZE", "1GB", parse_size, "Room for the log's files in DATA_DIR; the oldest goes first."),
        Setting("LOG_DAYS", "30", whole_number(1, 36500), "Days that the log's files are kept."),
        Setting("LOG_PERFORMANCE_METRICS", "false", parse_switch, "On: one log line of figures for each job, whatever LOG_LEVEL says. Off: the figures are only kept with the job."),
        Setting("INSTANCE_ID", "", parse_instance, "Name of this instance in the log and in /health. Empty: the machine's host name."),
    ),
}  # fmt: skip

SETTINGS = tuple(setting for group in SETTING_GROUPS.values() for setting in group)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Validated values, one field for each row of SETTINGS, in the units that the name says."""

    host: str
    port: int
    allowed_hosts: tuple[str, ...]
    api_key: str
    allow_without_key: bool
    max_file_size_bytes: int
    upload_expiry_s: float
    max_connections_per_address: int
    scan_uploads: bool
    clamd_address: str
    audit_days: int
    data_dir: Path
    whisper_model_dir: Path
    retention_days: int
    backup_interval_s: float
    backup_keep: int
    transcriptions_dir: Path | None
    output_formats: tuple[str, ...]
    max_concurrent_jobs: int
    max_queue_size: int
    max_queue_per_key: int
    cleanup_interval_s: float
    job_time_limit_s: float | Literal["auto"]
    shutdown_grace_s: float
    audio_chunk_size_s: float
    max_parallel_chunks: int
    max_duration_s: float
    audio_optimization: bool
    engine: str
    encoder: str
    engine_isolation: str
    no_progress_limit_s: float
    engine_memory_limit_bytes: int | Literal["auto", "off"]
    default_model: str
    preload_models: tuple[str, ...]
    offline: bool
    whisper_model_cache_size: int
    model_idle_s: float
    engine_threads: int
    batch_size: int | Literal["auto"]
    beam_size: int
    enable_gpu_acceleration: bool
    gpu_memory_threshold: float
    device: str
    compute_type: str
    memory_optimization: bool
    remote_url: str
    remote_api_key: str
    remote_model: tuple[str, ...]
    remote_max_size_bytes: int
    remote_parallel: int
    remote_timeout_s: float
    remote_connect_timeout_s: float
    remote_ca_file: Path | None
    remote_fallback: str
    enable_cache: bool
    cache_size: int
    cache_ttl_seconds: int
    enable_disk_cache: bool
    disk_cache_size_bytes: int
    disk_cache_ttl_s: float
    log_level: str
    log_size_bytes: int
    log_days: int
    log_performance_metrics: bool
    instance_id: str
    # By setting: only those that were given, so that a default has none
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)

    @classmethod
    def from_mapping(
        cls,
        values: Mapping[str, str],
        *,
        base: Path = Path(),
        sources: Mapping[str, Source] | None = None,
    ) -> Self:
        """Settings from texts by name; what is missing takes its default.

        Relative folders count from `base`. `sources` says where each text was found (default: the
        environment). Raises ConfigurationError for the first wrong value.
        """
        parsed: dict[str, Any] = {}
        origins = {}
        for setting in SETTINGS:
            variable = _variable(setting, values)
            text = values[variable] if variable else setting.default
            parsed[setting.field_name] = _parsed(setting, text)
            if variable:
                source = (sources or {}).get(variable, Source.ENVIRONMENT)
                origins[setting.name] = Origin(variable, source)
        for name, value in parsed.items():
            if isinstance(value, Path):
                parsed[name] = (base / value).absolute()
        settings = cls(**parsed, origins=origins)
        _check_together(settings)
        return settings

    @property
    def fingerprint(self) -> str:
        """Another one when a value is another; of secrets it tells nothing."""
        shown = [one.field_name for one in SETTINGS if not one.secret]
        values = {name: str(getattr(self, name)) for name in shown}
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be shown nowhere."""
        return tuple(getattr(self, one.field_name) for one in SETTINGS if one.secret)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host name that a request may name, without port."""
        bind = () if _is_wildcard(self.host) else (self.host.lower(),)
        return (*LOOPBACK_NAMES, *bind, *self.allowed_hosts)


def _variable(setting: Setting, values: Mapping[str, str]) -> str | None:
    """The variable that gives the setting; None when none does."""
    for name in (setting.name, *setting.aliases):
        if values.get(name, "").strip():
            return name
    return None


def _parsed(setting: Setting, text: str) -> Any:
    try:
        return setting.parse(text)
    except ValueError as error:
        shown = "(secret)" if setting.secret else repr(re.sub(r"//[^/]*@", "//(secret)@", text))
        raise ConfigurationError(
            f"{setting.name} is {shown}, which cannot be used.",
            remedy=f"{setting.name}: {error} (default: {setting.default or 'empty'}).",
        ) from error


def _is_wildcard(host: str) -> bool:
    return host in {"", "0.0.0.0", "::", "*"}


def is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_together(settings: Settings) -> None:
    _check_remote(settings)
    _check_scanner(settings)
    if settings.api_key and len(settings.api_key) < 16:
        raise ConfigurationError(
            "API_KEY is too short to be safe.",
            remedy="API_KEY: give at least 16 characters, for example from: "
            "python -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    protected = settings.api_key or settings.allow_without_key
    if not protected and not is_loopback(settings.host):
        raise ConfigurationError(
            f"HOST is {settings.host!r}, which other machines can reach, and there is no API_KEY.",
            remedy="Set API_KEY to a long random text, or HOST to 127.0.0.1.",
        )
    kept = 0 if settings.memory_optimization else settings.whisper_model_cache_size
    if len(settings.preload_models) > kept:
        raise ConfigurationError(
            f"PRELOAD_MODELS names {len(settings.preload_models)} models, "
            f"and {kept} can stay in memory.",
            remedy="PRELOAD_MODELS: name at most WHISPER_MODEL_CACHE_SIZE models, and none with "
            "MEMORY_OPTIMIZATION, which lets go of all as soon as no job is left.",
        )
    if settings.audio_chunk_size_s < 30:
        raise ConfigurationError(
            "AUDIO_CHUNK_SIZE is below 30 seconds, the length of one window.",
            remedy="AUDIO_CHUNK_SIZE: give 30 or more (default: 600).",
        )


def _check_remote(settings: Settings) -> None:
    if settings.engine != "remote":
        return
    if not settings.remote_url:
        raise ConfigurationError(
            "ENGINE is 'remote', and there is no REMOTE_URL.",
            remedy="Set REMOTE_URL to the server's address, such as http://localhost:8000, or "
            "choose another ENGINE.",
        )
    if settings.offline and not is_loopback(urlsplit(settings.remote_url).hostname or ""):
        raise ConfigurationError(
            f"OFFLINE is on, and REMOTE_URL is {settings.remote_url!r}, another machine.",
            remedy="Set OFFLINE to false, REMOTE_URL to a server on this machine, or choose "
            "another ENGINE.",
        )
    if settings.remote_ca_file is not None and not settings.remote_ca_file.is_file():
        raise ConfigurationError(
            f"REMOTE_CA_FILE names {settings.remote_ca_file}, which is no file.",
            remedy="Set REMOTE_CA_FILE to a file of certificates in PEM form, or leave it empty.",
        )


def _check_scanner(settings: Settings) -> None:
    host = settings.clamd_address.rpartition(":")[0].strip("[]")
    is_elsewhere = not settings.clamd_address.startswith("/") and not is_loopback(host)
    if settings.scan_uploads and settings.offline and is_elsewhere:
        raise ConfigurationError(
            f"OFFLINE is on, and CLAMD_ADDRESS is {settings.clamd_address!r}, another machine.",
            remedy="Set OFFLINE to false, or CLAMD_ADDRESS to a scanner on this machine.",
        )


def cpu_threads(configured: int) -> int:
    """Threads for one engine: the configured number, else one for each usable core."""
    if configured:
        return configured
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
