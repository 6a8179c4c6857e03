"""What torch, CTranslate2 and the system raise, as errors of ours."""

from __future__ import annotations

import errno

import pytest

from voice_transcriber.engines.native_faults import faults_named
from voice_transcriber.errors import EngineOutOfMemory, GpuFailed

NO_MEMORY = OSError(errno.ENOMEM, "Cannot allocate memory")
NO_FILE = FileNotFoundError(errno.ENOENT, "No such file")


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize(
    "fault", [NO_MEMORY, MemoryError(), RuntimeError("std::bad_alloc")], ids=repr
)
def test_want_of_memory_is_named_whoever_noticed_it(fault: Exception, device: str) -> None:
    with pytest.raises(EngineOutOfMemory, match="model base"), faults_named("base", device):
        raise fault


@pytest.mark.parametrize(
    ("fault", "device", "expected"),
    [
        (NO_FILE, "cpu", FileNotFoundError),
        (NO_FILE, "cuda", FileNotFoundError),
        (RuntimeError("shapes differ"), "cpu", RuntimeError),
        (RuntimeError("launch failure"), "cuda", GpuFailed),
    ],
)
def test_other_faults_are_a_gpus_where_it_can_have_them(
    fault: Exception, device: str, expected: type[Exception]
) -> None:
    with pytest.raises(expected) as raised, faults_named("base", device):
        raise fault
    assert raised.type is expected
