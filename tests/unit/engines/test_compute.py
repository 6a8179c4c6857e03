"""What is computed with: by engine, device and setting."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.engines.hosts import OPTIONS
from voice_transcriber.engines.compute import check_computing, place_on
from voice_transcriber.errors import ConfigurationError


@pytest.mark.parametrize(
    ("engine", "device", "asked", "computed"),
    [
        ("openai-whisper", "cpu", "auto", "float32"),
        ("openai-whisper", "cuda", "auto", "float16"),
        ("openai-whisper", "cuda", "float32", "float32"),
        ("faster-whisper", "cpu", "auto", "int8"),
        ("faster-whisper", "cpu", "float32", "float32"),
        ("faster-whisper", "cuda", "auto", "float16"),
        ("faster-whisper", "cuda", "int8_float16", "int8_float16"),
        ("faster-whisper", "cpu", "int8_float16", "int8"),
    ],
)
def test_a_device_computes_with_what_it_has(
    engine: str, device: str, asked: str, computed: str
) -> None:
    place = place_on(device, replace(OPTIONS, engine=engine, compute_type=asked))
    assert (place.device, place.compute_type) == (device, computed)


@pytest.mark.parametrize(
    ("engine", "device", "compute_type", "gpu_enabled"),
    [
        ("openai-whisper", "auto", "int8", True),
        ("openai-whisper", "cpu", "float16", True),
        ("openai-whisper", "auto", "float16", False),
        ("faster-whisper", "cpu", "bfloat16", True),
        ("faster-whisper", "auto", "int8_float16", False),
        ("faster-whisper", "cuda", "auto", False),
    ],
)
def test_what_excludes_each_other_is_refused_with_a_remedy(
    engine: str, device: str, compute_type: str, gpu_enabled: bool
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_computing(
            engine=engine, device=device, compute_type=compute_type, gpu_enabled=gpu_enabled
        )
    assert "auto" in caught.value.remedy


@pytest.mark.parametrize(
    ("engine", "device", "compute_type", "gpu_enabled"),
    [
        ("fake", "auto", "auto", True),
        ("openai-whisper", "auto", "float16", True),
        ("faster-whisper", "cpu", "int8", False),
        ("faster-whisper", "auto", "bfloat16", True),
        ("faster-whisper", "cuda", "float32", True),
    ],
)
def test_what_goes_together_is_taken(
    engine: str, device: str, compute_type: str, gpu_enabled: bool
) -> None:
    check_computing(
        engine=engine, device=device, compute_type=compute_type, gpu_enabled=gpu_enabled
    )
