"""The memory of a model, against what was measured.

Measured with random weights of the published dimensions, so that each text has the full 224
tokens: resident memory above that of a process with torch, one batch of eight windows with a
beam of five and with five samples, single precision on two CPU cores, 21 November 2026.
"""

from __future__ import annotations

import pytest

from voice_transcriber.engines.footprint import held_bytes, needed_bytes

MB = 10**6
MEASURED = {  # file, largest while loading, after it, largest while decoding
    "tiny": (75_568_490, 239 * MB, 180 * MB, 626 * MB),
    "base": (145_256_868, 448 * MB, 342 * MB, 1149 * MB),
    "small": (483_604_919, 1466 * MB, 984 * MB, 2936 * MB),
}
# With CTranslate2 and 8-bit weights in the same way: file, held, largest while decoding.
EIGHT_BITS = {
    "tiny": (75_566_916, 87 * MB, 614 * MB),
    "base": (145_257_562, 161 * MB, 939 * MB),
}
PUBLISHED = [75_600_000, 145_000_000, 484_000_000, 1_530_000_000, 1_620_000_000, 3_090_000_000]


@pytest.mark.parametrize("name", MEASURED)
def test_what_is_needed_is_what_was_measured(name: str) -> None:
    file_bytes, _loading, _held, decoding = MEASURED[name]
    needed = needed_bytes(file_bytes, batch_size=8, compute_type="float32")
    assert 0.95 * decoding <= needed <= 1.15 * decoding


@pytest.mark.parametrize("name", MEASURED)
def test_what_is_held_is_what_was_measured(name: str) -> None:
    file_bytes, _loading, held, _decoding = MEASURED[name]
    assert held_bytes(file_bytes, compute_type="float32") == pytest.approx(held, rel=0.2)


@pytest.mark.parametrize("name", MEASURED)
def test_loading_alone_is_what_was_measured(name: str) -> None:
    """A batch of none leaves the figure of loading."""
    file_bytes, loading, _held, _decoding = MEASURED[name]
    needed = needed_bytes(file_bytes, batch_size=0, compute_type="float32")
    assert needed == pytest.approx(loading, rel=0.08)


@pytest.mark.parametrize("name", EIGHT_BITS)
def test_eight_bit_weights_take_what_was_measured(name: str) -> None:
    file_bytes, held, decoding = EIGHT_BITS[name]
    needed = needed_bytes(file_bytes, batch_size=8, compute_type="int8")
    assert 0.9 * decoding <= needed <= 1.15 * decoding
    assert held_bytes(file_bytes, compute_type="int8") == pytest.approx(held, rel=0.1)


def test_a_larger_file_never_needs_less() -> None:
    for batch_size in (1, 8):
        for compute_type in ("float32", "float16", "int8"):
            needs = [
                needed_bytes(size, batch_size=batch_size, compute_type=compute_type)
                for size in PUBLISHED
                if size != 1_620_000_000  # turbo has few layers that keep anything
            ]
            assert needs == sorted(needs)


def test_a_smaller_batch_and_half_precision_need_less() -> None:
    large = PUBLISHED[-1]
    full = needed_bytes(large, batch_size=8, compute_type="float32")
    assert needed_bytes(large, batch_size=1, compute_type="float32") < full
    assert needed_bytes(large, batch_size=8, compute_type="float16") < full


def test_a_file_beyond_all_published_ones_needs_at_least_its_loading() -> None:
    assert needed_bytes(10**12, batch_size=1, compute_type="float32") >= 3 * 10**12
