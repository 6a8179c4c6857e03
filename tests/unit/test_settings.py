"""Settings: every value is checked, and a wrong one names its variable and the remedy."""

from __future__ import annotations

import dataclasses
import platform
from pathlib import Path
from typing import Any

import pytest

from voice_transcriber.errors import ConfigurationError
from voice_transcriber.settings import SETTINGS, Origin, Settings, Source, cpu_threads

KEY = "a-key-of-enough-length"

WRONG = {
    "PORT": ["0", "65536", "http", "5001.5", "-1"],
    "MAX_FILE_SIZE": ["0", "-5MB", "many", "5 pounds", "MB"],
    "MAX_CONNECTIONS_PER_ADDRESS": ["-1", "many"],
    "SCAN_UPLOADS": ["clamd"],
    "CLAMD_ADDRESS": ["localhost", ":3310", "host:0", "relative/socket"],
    "AUDIT_DAYS": ["0", "year"],
    "LOG_SIZE": ["0", "big"],
    "LOG_DAYS": ["0", "month"],
    "RETENTION_DAYS": ["-1", "two"],
    "BACKUP_INTERVAL": ["0", "daily"],
    "BACKUP_KEEP": ["-1", "all"],
    "MAX_CONCURRENT_JOBS": ["0", "65", "all"],
    "MAX_QUEUE_SIZE": ["0", "1.5"],
    "MAX_QUEUE_PER_KEY": ["0", "many"],
    "UPLOAD_EXPIRY": ["0", "soon"],
    "CLEANUP_INTERVAL": ["0", "soon", "5 weeks"],
    "JOB_TIME_LIMIT": ["0", "long", "off"],
    "SHUTDOWN_GRACE": ["0s", "never"],
    "AUDIO_CHUNK_SIZE": ["0", "29", "10min"],
    "MAX_PARALLEL_CHUNKS": ["0", "65", "all"],
    "MAX_DURATION": ["0h", "1y"],
    "AUDIO_OPTIMIZATION": ["maybe", "2"],
    "ENGINE": ["whisper", "openai whisper"],
    "ENCODER": ["torch"],
    "ENGINE_ISOLATION": ["none"],
    "NO_PROGRESS_LIMIT": ["0", "auto"],
    "ENGINE_MEMORY_LIMIT": ["0", "90%", "all"],
    "WHISPER_MODEL_CACHE_SIZE": ["0", "3"],
    "PRELOAD_MODELS": ["tiny,base,small"],
    "OFFLINE": ["never"],
    "MODEL_IDLE": ["0", "later"],
    "ENGINE_THREADS": ["-1", "1025"],
    "BATCH_SIZE": ["0", "257", "automatic"],
    "ENABLE_CACHE": ["maybe"],
    "CACHE_SIZE": ["0", "many"],
    "CACHE_TTL_SECONDS": ["0", "1h"],
    "ENABLE_DISK_CACHE": ["maybe"],
    "DISK_CACHE_SIZE": ["0", "much"],
    "DISK_CACHE_TTL": ["0", "soon"],
    "BEAM_SIZE": ["0", "11"],
    "ENABLE_GPU_ACCELERATION": ["cuda"],
    "GPU_MEMORY_THRESHOLD": ["0", "1.1", "90%", "nan"],
    "DEVICE": ["gpu", "0"],
    "COMPUTE_TYPE": ["int4", "half"],
    "MEMORY_OPTIMIZATION": ["high"],
    "REMOTE_URL": [
        "ftp://x",
        "example.org",
        "http://",
        "https://x?key=1",
        "http://x:0",
        "http://x y",
    ],
    "REMOTE_API_KEY": ["two words", "schlüssel", "line\nbreak"],
    "REMOTE_MODEL": ["base=", "=whisper-1", "one,two", ","],
    "REMOTE_MAX_SIZE": ["0", "big"],
    "REMOTE_PARALLEL": ["0", "11"],
    "REMOTE_TIMEOUT": ["0", "soon"],
    "REMOTE_CONNECT_TIMEOUT": ["0", "soon"],
    "REMOTE_FALLBACK": ["true", "remote"],
    "LOG_LEVEL": ["LOUD", "10"],
    "LOG_PERFORMANCE_METRICS": ["sometimes"],
    "ALLOW_WITHOUT_KEY": ["perhaps"],
    "API_KEY": ["short"],
    "HOST": ["0.0.0.0", "::", "192.168.1.5", "example.org", "*"],  # without a key
}
HOMELESS = "~no-such-user/speech"
WRONG |= {
    name: [HOMELESS]
    for name in ("DATA_DIR", "WHISPER_MODEL_DIR", "TRANSCRIPTIONS_DIR", "REMOTE_CA_FILE")
}
CANNOT_BE_WRONG = {"ALLOWED_HOSTS", "INSTANCE_ID"}
KNOWN_TO_SERVICES = {"DEFAULT_MODEL", "OUTPUT_FORMATS"}  # which there are is known to them


def of(**values: str) -> Settings:
    return Settings.from_mapping(values)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in WRONG for text in WRONG[name]])
def test_a_wrong_value_names_its_variable_and_the_remedy(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        of(**{name: text})
    assert name in caught.value.message
    assert name in caught.value.remedy


def test_no_setting_is_left_out_of_these_tests() -> None:
    assert {one.name for one in SETTINGS} == {*WRONG, *CANNOT_BE_WRONG, *KNOWN_TO_SERVICES}


def test_a_wrong_value_is_shown_and_a_secret_is_not() -> None:
    with pytest.raises(ConfigurationError, match="'httpx'"):
        of(PORT="httpx")
    with pytest.raises(ConfigurationError) as caught:
        of(API_KEY="tooshort")
    assert "tooshort" not in caught.value.message + caught.value.remedy
    with pytest.raises(ConfigurationError) as caught:
        of(REMOTE_URL="https://me:hidden@example.org")
    assert "hidden" not in caught.value.message + caught.value.remedy


def test_nothing_given_is_a_valid_configuration() -> None:
    settings = of()
    assert (settings.host, settings.port) == ("127.0.0.1", 5001)
    assert settings.max_file_size_bytes == 500_000_000
    assert settings.max_duration_s == 86_400
    assert settings.data_dir == Path("data").absolute()


def test_every_setting_has_its_field() -> None:
    fields = {field.name for field in dataclasses.fields(Settings)}
    assert fields == {"origins", *(one.field_name for one in SETTINGS)}


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("MAX_FILE_SIZE", "2GB", "max_file_size_bytes", 2_000_000_000),
        ("MAX_FILE_SIZE", " 1.5 mb ", "max_file_size_bytes", 1_500_000),
        ("MAX_FILE_SIZE", "750KB", "max_file_size_bytes", 750_000),
        ("MAX_FILE_SIZE", "20", "max_file_size_bytes", 20_000_000),
        ("MAX_DURATION", "90m", "max_duration_s", 5400),
        ("MAX_DURATION", "2d", "max_duration_s", 172_800),
        ("CLEANUP_INTERVAL", "600", "cleanup_interval_s", 600),
        ("AUDIO_OPTIMIZATION", "Off", "audio_optimization", False),
        ("ENABLE_GPU_ACCELERATION", "0", "enable_gpu_acceleration", False),
        ("DEVICE", "CUDA", "device", "cuda"),
        ("COMPUTE_TYPE", "Int8_Float16", "compute_type", "int8_float16"),
        ("MEMORY_OPTIMIZATION", "YES", "memory_optimization", True),
        ("LOG_LEVEL", "debug", "log_level", "DEBUG"),
        ("ENGINE", "FAKE", "engine", "fake"),
        ("ALLOWED_HOSTS", "A.example, b.example,", "allowed_hosts", ("a.example", "b.example")),
        ("DEFAULT_MODEL", " small ", "default_model", "small"),
        ("INSTANCE_ID", "", "instance_id", platform.node()),
        ("PORT", "", "port", 5001),
        ("PORT", " 80 ", "port", 80),
    ],
)
def test_a_value_is_read_in_the_units_of_its_field(
    name: str, text: str, field: str, value: Any
) -> None:
    assert getattr(of(**{name: text}), field) == value


@pytest.mark.parametrize(
    ("alias", "text", "field", "value"),
    [
        ("MODEL_SIZE", "small", "default_model", "small"),
        ("MAX_FILE_SIZE_MB", "250", "max_file_size_bytes", 250_000_000),
        ("WORKERS", "5", "max_concurrent_jobs", 5),
    ],
)
def test_older_names_are_understood(alias: str, text: str, field: str, value: Any) -> None:
    assert getattr(of(**{alias: text}), field) == value


def test_the_name_of_today_goes_before_the_older_one() -> None:
    assert of(DEFAULT_MODEL="base", MODEL_SIZE="small").default_model == "base"


def test_a_value_that_was_given_knows_its_variable() -> None:
    settings = of(PORT="5001", WORKERS="2", MODEL_SIZE="", UNKNOWN="x")
    assert settings.origins == {
        "PORT": Origin("PORT", Source.ENVIRONMENT),
        "MAX_CONCURRENT_JOBS": Origin("WORKERS", Source.ENVIRONMENT),
    }


def test_a_folder_may_be_below_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert of(DATA_DIR="~/speech").data_dir == tmp_path / "speech"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_loopback_needs_no_key(host: str) -> None:
    assert of(HOST=host).api_key == ""


def test_beyond_loopback_a_key_is_enough() -> None:
    assert of(HOST="0.0.0.0", API_KEY=KEY).host == "0.0.0.0"


def test_the_hosts_that_may_be_named() -> None:
    settings = of(HOST="speech.example", API_KEY=KEY, ALLOWED_HOSTS="other.example")
    assert {"localhost", "speech.example", "other.example"} <= set(settings.hosts)
    assert "0.0.0.0" not in of(HOST="0.0.0.0", API_KEY=KEY).hosts


def test_threads_are_those_that_are_set_or_those_of_the_machine() -> None:
    assert cpu_threads(3) == 3
    assert cpu_threads(0) >= 1


def test_every_default_can_be_parsed() -> None:
    for setting in SETTINGS:
        assert not setting.default or setting.parse(setting.default) is not None


def test_a_container_may_listen_without_a_key_when_it_says_so() -> None:
    assert of(HOST="0.0.0.0", ALLOW_WITHOUT_KEY="true").host == "0.0.0.0"


def test_relative_folders_count_from_the_base(tmp_path: Path) -> None:
    settings = Settings.from_mapping({"DATA_DIR": "here", "WHISPER_MODEL_DIR": "/m"}, base=tmp_path)
    assert (settings.data_dir, settings.whisper_model_dir) == (tmp_path / "here", Path("/m"))
