"""Which device is chosen, and what is said when it is not the one that was wanted."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.unit.engines.hosts import OPTIONS
from voice_transcriber.engines.auto import machine
from voice_transcriber.engines.auto.machine import gpu_names, machine_id
from voice_transcriber.engines.device import (
    give_back_memory,
    gpu_memory,
    has_nvidia_gpu,
    prepare_device,
)
from voice_transcriber.engines.protocol import ON_CPU, ON_GPU, on_cpu_because
from voice_transcriber.errors import EngineOutOfMemory, GpuFailed

NVIDIA_GPU = ("0x10de", "0x030200")


@pytest.fixture
def pci(tmp_path: Path) -> Path:
    """What Linux tells of a computer with another maker's display and an NVIDIA network card."""
    add_device(tmp_path, "0000:00:02.0", "0x8086", "0x030000")
    add_device(tmp_path, "0000:00:03.0", "0x10de", "0x020000")
    return tmp_path


def add_device(pci: Path, slot: str, vendor: str, kind: str) -> None:
    (pci / slot).mkdir()
    (pci / slot / "vendor").write_text(f"{vendor}\n")
    (pci / slot / "class").write_text(f"{kind}\n")


def test_the_fake_engine_computes_on_the_cpu() -> None:
    assert prepare_device(replace(OPTIONS, use_gpu=True)) == ON_CPU


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="this machine has a GPU")
def test_other_devices_are_no_gpu_for_us(pci: Path) -> None:
    assert not has_nvidia_gpu(pci)


def test_a_gpu_without_a_driver_is_noticed(pci: Path) -> None:
    add_device(pci, "0000:01:00.0", *NVIDIA_GPU)
    assert has_nvidia_gpu(pci)


def test_a_device_that_tells_nothing_is_passed_over(pci: Path) -> None:
    (pci / "0000:05:00.0").mkdir()
    add_device(pci, "0000:06:00.0", *NVIDIA_GPU)
    assert has_nvidia_gpu(pci)


def test_the_note_is_two_sentences() -> None:
    assert on_cpu_because("It is full.").note == (
        "The GPU could not be used: It is full. The CPU was used."
    )


@pytest.mark.parametrize("use_gpu", [False, True])
def test_whisper_computes_on_the_gpu_where_torch_has_one(
    use_gpu: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(variable, "1")  # given back after the test
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    threads = torch.get_num_threads()
    options = replace(OPTIONS, engine="openai-whisper", use_gpu=use_gpu, threads=threads)
    wanted = ON_GPU if use_gpu and torch.cuda.is_available() else ON_CPU
    assert prepare_device(options).device == wanted.device


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ("CUDA error: unspecified launch failure\nCompile with ...", GpuFailed),
        ("CUDA error: out of memory", EngineOutOfMemory),
    ],
)
def test_a_gpu_that_cannot_tell_its_memory_is_named(
    told: str, fault: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError(told)

    monkeypatch.setattr(torch.cuda, "mem_get_info", fail)
    monkeypatch.setattr(torch.cuda, "empty_cache", fail)
    with pytest.raises(fault):
        gpu_memory()
    give_back_memory("cuda")


def test_gpus_are_named_without_asking_their_driver(tmp_path: Path) -> None:
    for slot in ("0000:02:00.0", "0000:01:00.0"):
        (tmp_path / slot).mkdir()
        text = f"Model: \t\t NVIDIA Card {slot[6]}\nIRQ:   \t\t 24\n"
        (tmp_path / slot / "information").write_text(text)
    assert gpu_names(tmp_path) == ("NVIDIA Card 1", "NVIDIA Card 2")


def test_the_gpu_makes_another_machine_for_what_computes_on_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine, "gpu_names", lambda: ("NVIDIA Card",))
    before = {device: machine_id(device) for device in ("cpu", "cuda")}
    monkeypatch.setattr(machine, "gpu_names", lambda: ("Another Card",))
    assert machine_id("cpu") == before["cpu"]
    assert machine_id("cuda") != before["cuda"]
