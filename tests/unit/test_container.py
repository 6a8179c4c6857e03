"""The container's files fit the program: what can be held without Docker."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from voice_transcriber.errors import ConfigurationError
from voice_transcriber.setting_values import parse_duration
from voice_transcriber.settings import SETTINGS, Settings

PROJECT = Path(__file__).resolve().parents[2]
OF_PYTHON_AND_LIBRARIES = {
    "PATH",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_CACHE_DIR",
}
# Folders beside the program's that are for people who work on it.
NOT_NEEDED = {"bench", "docs", "tests", "tools"}


def instructions() -> list[tuple[str, str]]:
    """The runtime stage, one pair of word and arguments for each instruction."""
    text = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
    last_stage = re.split(r"^FROM ", text, flags=re.MULTILINE)[-1]
    lines = re.sub(r"^#.*\n", "", last_stage, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines[1:] if line.strip()]


def given(word: str) -> list[str]:
    return [arguments for instruction, arguments in instructions() if instruction == word]


def image_environment() -> dict[str, str]:
    (variables,) = given("ENV")
    return dict(pair.split("=", 1) for pair in shlex.split(variables))


@pytest.fixture
def service() -> dict[str, Any]:
    compose = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
    app: dict[str, Any] = compose["services"]["app"]
    assert {volume.split(":")[0] for volume in app["volumes"]} == set(compose["volumes"])
    return app


def service_environment(service: dict[str, Any]) -> dict[str, str]:
    """As it is where nobody has set anything."""
    return {
        name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", str(value))
        for name, value in service["environment"].items()
    }


def test_what_is_set_in_the_image_is_a_setting_or_known_to_a_library() -> None:
    known = {setting.name for setting in SETTINGS} | OF_PYTHON_AND_LIBRARIES
    assert set(image_environment()) - known == set()


def test_each_variable_of_the_service_is_a_setting_with_its_default(
    service: dict[str, Any],
) -> None:
    defaults = {setting.name: setting.default for setting in SETTINGS}
    values = service_environment(service)
    assert values.pop("ALLOW_WITHOUT_KEY") == "true"
    assert values.pop("MAX_CONNECTIONS_PER_ADDRESS") == "0"  # all clients have the gateway's
    assert values == {name: defaults.get(name) for name in values}


def test_the_service_listens_for_its_own_machine_without_a_key(service: dict[str, Any]) -> None:
    settings = Settings.from_mapping(image_environment() | service_environment(service))
    assert (settings.host, settings.api_key) == ("0.0.0.0", "")
    (published,) = service["ports"]
    assert published == f"127.0.0.1:{settings.port}:{settings.port}"


def test_the_image_by_itself_asks_for_a_key() -> None:
    with pytest.raises(ConfigurationError, match="API_KEY"):
        Settings.from_mapping(image_environment())


def test_the_port_is_the_exposed_one() -> None:
    assert given("EXPOSE") == [image_environment()["PORT"]] == ["5001"]


def test_it_runs_as_an_ordinary_user_of_a_fixed_number() -> None:
    assert given("USER") == ["1000:1000"]
    (making,) = [line for line in given("RUN") if "useradd" in line]
    assert "useradd --uid 1000 --gid 1000" in making


def test_what_is_kept_is_on_volumes(service: dict[str, Any]) -> None:
    environment = image_environment()
    folders = {environment["DATA_DIR"], environment["WHISPER_MODEL_DIR"]}
    assert set(yaml.safe_load(given("VOLUME")[0])) == folders
    assert {volume.split(":")[1] for volume in service["volumes"]} == folders


def test_a_stop_waits_longer_than_the_jobs_may_take(service: dict[str, Any]) -> None:
    grace_s = Settings.from_mapping({}).shutdown_grace_s
    assert parse_duration(service["stop_grace_period"]) >= grace_s + 10


def test_the_image_gets_the_program_and_nothing_else() -> None:
    allowed = {
        line[1:]
        for line in (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = {part for line in given("COPY") for part in line.split()[1:-1]} - {"/opt/venv"}
    assert allowed == copied | {"requirements.txt", "requirements-gpu.txt", "constraints.txt"}
    assert [name for name in copied if not (PROJECT / name).exists()] == []
    code = {path.parent.name for path in PROJECT.glob("*/__init__.py")} | {
        path.name for path in PROJECT.glob("*.py")
    }
    assert code - NOT_NEEDED - copied == set()
