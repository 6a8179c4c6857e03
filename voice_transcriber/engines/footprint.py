"""The memory that a model takes, from the size of its file.

A published checkpoint holds its weights as half floats, 2 bytes for each.

- While it is loaded, the file's content and the network, which openai-whisper builds in
  single precision, are there together: three times the file.
- While it works, there are the weights in the precision of the device and, for each window
  of the batch, the activations of the encoder, the keys and values that the decoder keeps of
  the audio, and those of the text of each beam.

The larger of the two counts. tests/unit/engines/test_footprint.py and docs/reference/models.md
hold figures that were measured. The program itself, with torch, takes 0.3 GB more.
"""

from __future__ import annotations

from dataclasses import dataclass

_FRAMES = 1500  # that the encoder makes of a window
_TOKENS = 224  # the longest text of a window
_BEAMS = 5
_ENCODER_ROWS = 12  # rows of activations for each frame; measured


@dataclass(frozen=True)
class _Size:
    """What the working memory depends on."""

    file_bytes: int
    width: int  # numbers for each frame and token
    decoder_layers: int


# From small to large, as openai-whisper publishes them.
_SIZES = (
    _Size(75_600_000, 384, 4),
    _Size(145_300_000, 512, 6),
    _Size(483_700_000, 768, 12),
    _Size(1_528_100_000, 1024, 24),
    _Size(1_617_900_000, 1280, 4),
    _Size(3_087_500_000, 1280, 32),
)
# What a loaded model holds, in sizes of its file; of 8-bit weights a half is the weights alone.
_HELD = {
    "float32": 2.0,
    "float16": 1.0,
    "bfloat16": 1.0,
    "int8": 1.15,
    "int8_float16": 1.15,
    "auto": 2.0,  # not chosen yet: float32 is measured first
}
_TOLERANCE = 1.02  # sizes are published rounded


def needed_bytes(file_bytes: int, *, batch_size: int, compute_type: str) -> int:
    """Memory to load a checkpoint and to decode full batches.

    A file of one's own is taken for the smallest published size that is not below it.
    """
    loading = 3 * file_bytes
    working = held_bytes(file_bytes, compute_type=compute_type)
    working += batch_size * window_bytes(file_bytes, compute_type=compute_type)
    return max(loading, working)


def window_bytes(file_bytes: int, *, compute_type: str) -> int:
    """What each window of a batch takes while it is decoded."""
    return _window_values(_size_of(file_bytes)) * (2 if "16" in compute_type else 4)


def held_bytes(file_bytes: int, *, compute_type: str) -> int:
    """What a loaded model holds while it does nothing."""
    return round(_HELD[compute_type] * file_bytes)


def _size_of(file_bytes: int) -> _Size:
    for size in _SIZES:
        if file_bytes <= _TOLERANCE * size.file_bytes:
            return size
    return _SIZES[-1]


def _window_values(size: _Size) -> int:
    """Numbers that one window of a batch keeps at once."""
    encoder = _ENCODER_ROWS * _FRAMES * size.width
    audio = 2 * size.decoder_layers * _FRAMES * size.width
    text = 2 * size.decoder_layers * _TOKENS * size.width * _BEAMS
    return encoder + audio + text
