"""A checkpoint of openai-whisper in the file format of whisper.cpp.

The format is that of its models/convert-pt-to-ggml.py: sizes, mel filters, the ordinary tokens,
then every tensor under its own name, matrices in half precision or in blocks of 8-bit numbers.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import torch
from whisper.audio import mel_filters

from voice_transcriber.engines.whisper_text import languages_of, tokenizer_of

_MAGIC = 0x67676D6C
_DIMS = (
    "n_vocab", "n_audio_ctx", "n_audio_state", "n_audio_head", "n_audio_layer",
    "n_text_ctx", "n_text_state", "n_text_head", "n_text_layer", "n_mels",
)  # fmt: skip
_F32, _F16, _Q8_0 = 0, 1, 8  # of a tensor
_MOSTLY_F16, _MOSTLY_Q8_0 = 1, 2007  # of a file; 2000: version of the blocks' format
_BLOCK = 32  # numbers with one scale
_SINGLE = ("encoder.positional_embedding", "decoder.positional_embedding")
_CONVOLUTIONS = ("encoder.conv1", "encoder.conv2")

Array = npt.NDArray[np.generic]


def write_ggml(checkpoint: Path, target: Path, *, quantized: bool) -> Path:
    """`quantized`: matrices in 8 bits (q8_0), else in half precision."""
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    dims = content["dims"]
    part = target.with_suffix(".part")
    with part.open("wb") as file:
        _write_ints(file, _MAGIC, *(dims[name] for name in _DIMS))
        _write_ints(file, _MOSTLY_Q8_0 if quantized else _MOSTLY_F16)
        filters = mel_filters("cpu", dims["n_mels"]).numpy().astype("<f4")
        _write_ints(file, *filters.shape)
        file.write(filters.tobytes())
        _write_tokens(file, dims["n_vocab"])
        for name, tensor in content["model_state_dict"].items():
            _write_tensor(file, name, tensor.float().numpy(), quantized=quantized)
    return part.rename(target)


def _write_tokens(file: BinaryIO, vocabulary_size: int) -> None:
    ranks = tokenizer_of(languages_of(vocabulary_size)).encoding._mergeable_ranks
    _write_ints(file, len(ranks))
    for token in sorted(ranks, key=lambda token: ranks[token]):
        _write_ints(file, len(token))
        file.write(token)


def _write_tensor(
    file: BinaryIO, name: str, values: npt.NDArray[np.float32], *, quantized: bool
) -> None:
    if name.startswith(_CONVOLUTIONS) and name.endswith(".bias"):
        values = values.reshape(-1, 1)
        kind = _F32
    elif values.ndim < 2 or name in _SINGLE:
        kind = _F32
    else:
        matrix = values.ndim == 2 and values.shape[1] % _BLOCK == 0
        kind = _Q8_0 if quantized and matrix else _F16
    encoded = name.encode()
    _write_ints(file, values.ndim, len(encoded), kind, *reversed(values.shape))
    file.write(encoded)
    file.write(_data(values, kind))


def _data(values: npt.NDArray[np.float32], kind: int) -> bytes:
    if kind == _F32:
        return values.astype("<f4").tobytes()
    if kind == _F16:
        return values.astype("<f2").tobytes()
    return q8_0(values)


def q8_0(values: npt.NDArray[np.float32]) -> bytes:
    """Each 32 numbers as a half-precision scale and 32 signed bytes."""
    rows = values.reshape(-1, _BLOCK)
    scales = np.abs(rows).max(axis=1, keepdims=True) / 127
    steps = np.divide(rows, scales, out=np.zeros_like(rows), where=scales > 0)
    blocks = np.empty(len(rows), np.dtype([("scale", "<f2"), ("steps", "i1", _BLOCK)]))
    blocks["scale"], blocks["steps"] = scales[:, 0], np.rint(steps)
    return blocks.tobytes()


def _write_ints(file: BinaryIO, *numbers: int) -> None:
    file.write(struct.pack(f"<{len(numbers)}i", *numbers))
