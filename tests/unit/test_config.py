"""Where settings come from: the environment, above .env, with secrets from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import load_settings
from voice_transcriber.errors import ConfigurationError
from voice_transcriber.settings import Origin, Source

KEY = "a-key-of-enough-length"


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n", encoding="utf-8")
    return path


def test_without_a_file_and_a_variable_the_defaults_hold(env_file: Path) -> None:
    assert load_settings({}, env_file).port == 5001


def test_values_come_from_the_file(env_file: Path) -> None:
    env_file.write_text("PORT=6001\nDEFAULT_MODEL='small'  # a comment\nEMPTY\n", encoding="utf-8")
    settings = load_settings({}, env_file)
    assert (settings.port, settings.default_model) == (6001, "small")


def test_the_environment_goes_before_the_file(env_file: Path) -> None:
    env_file.write_text("PORT=6001\nDEFAULT_MODEL=small\n", encoding="utf-8")
    settings = load_settings({"PORT": "7001"}, env_file)
    assert (settings.port, settings.default_model) == (7001, "small")


def test_where_each_value_came_from_is_known(env_file: Path, key_file: Path) -> None:
    env_file.write_text("PORT=6001\nMODEL_SIZE=small\nLOG_LEVEL=INFO\n", encoding="utf-8")
    environment = {"PORT": "7001", "LOG_LEVEL": "", "API_KEY_FILE": str(key_file)}
    assert load_settings(environment, env_file).origins == {
        "PORT": Origin("PORT", Source.ENVIRONMENT),
        "DEFAULT_MODEL": Origin("MODEL_SIZE", Source.ENV_FILE),
        "API_KEY": Origin("API_KEY", Source.SECRET_FILE),
    }


def test_other_variables_are_nobodys_business(env_file: Path) -> None:
    assert load_settings({"PATH": "/bin", "MODEL": "none"}, env_file).default_model == "base"


def test_the_key_may_come_from_a_file(env_file: Path, key_file: Path) -> None:
    assert load_settings({"API_KEY_FILE": str(key_file)}, env_file).api_key == KEY


def test_the_file_of_the_key_may_be_named_in_the_env_file(env_file: Path, key_file: Path) -> None:
    env_file.write_text(f"API_KEY_FILE={key_file}\nHOST=0.0.0.0\n", encoding="utf-8")
    assert load_settings({}, env_file).api_key == KEY


def test_a_file_of_the_key_that_is_missing_stops_the_start(env_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"API_KEY_FILE names .*missing") as caught:
        load_settings({"API_KEY_FILE": str(tmp_path / "missing")}, env_file)
    assert "API_KEY_FILE" in caught.value.remedy


def test_a_key_in_a_file_is_checked_too(env_file: Path, key_file: Path) -> None:
    key_file.write_text("short", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="API_KEY"):
        load_settings({"API_KEY_FILE": str(key_file)}, env_file)


def test_only_secrets_may_come_from_files(env_file: Path, key_file: Path) -> None:
    assert load_settings({"INSTANCE_ID_FILE": str(key_file)}, env_file).instance_id != KEY


def test_a_wrong_value_in_the_file_names_its_variable(env_file: Path) -> None:
    env_file.write_text("PORT=none\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="PORT is 'none'"):
        load_settings({}, env_file)
