"""Children get what systems and libraries read; keys and settings stay with the app."""

from __future__ import annotations

import pytest

from voice_transcriber.processes.environment import for_children
from voice_transcriber.settings import SETTINGS


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "HOME",
        "USER",
        "LC_ALL",
        "CUDA_VISIBLE_DEVICES",
        "OMP_NUM_THREADS",
        "TRITON_CACHE_DIR",
        "SystemRoot",
        "ProgramFiles(x86)",
    ],
)
def test_what_libraries_need_is_handed_on(name: str) -> None:
    assert for_children({name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    "name",
    [
        *(setting.name for setting in SETTINGS),
        "API_KEY_FILE",
        "REMOTE_API_KEY_FILE",
        "AWS_SECRET_ACCESS_KEY",
        "CUDA_LICENSE_KEY",
        "PYTHON_TOKEN",
        "HTTPS_PROXY",
    ],
)
def test_settings_and_secrets_are_not(name: str) -> None:
    assert for_children({name: "x"}) == {}


def test_temporary_files_have_a_place() -> None:
    made = for_children({"TMPDIR": "/tmp", "PATH": "/bin"}, temp_dir="/data/child-tmp")
    assert made == {"PATH": "/bin", "TMPDIR": "/data/child-tmp", "TEMP": "/data/child-tmp"}
