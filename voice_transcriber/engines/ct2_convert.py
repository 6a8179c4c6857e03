"""From a checkpoint of openai-whisper to a model of CTranslate2.

The checkpoint's tensors are put under CTranslate2's names; the vocabulary, the tokens that are
never written and the languages come from whisper's own tokenizer. Weights keep their precision:
what is computed in is chosen when the model is loaded.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import numpy as np
import numpy.typing as npt
import torch
import whisper
from ctranslate2.converters.utils import fuse_linear
from ctranslate2.specs import WhisperSpec
from ctranslate2.specs.common_spec import LinearSpec
from whisper.tokenizer import Tokenizer

from voice_transcriber.engines.native_faults import UNREADABLE, is_out_of_memory
from voice_transcriber.engines.whisper_text import languages_of, tokenizer_of
from voice_transcriber.errors import ModelDamaged

Weights = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class _Checkpoint:
    """A checkpoint's content."""

    dims: Mapping[str, int]
    tensors: Mapping[str, torch.Tensor]
    heads: Sequence[Sequence[int]] | None  # (layer, head), where the file names them

    def weights(self, name: str) -> Weights:
        tensor = self.tensors[name]
        half = tensor.dtype == torch.float16
        array: Weights = (tensor if half else tensor.float()).numpy()
        return array


def convert(checkpoint: Path, folder: Path, *, size: str) -> None:
    """Write the model into an empty folder; `size` is the model's name.

    Raises ModelDamaged for a file that is no checkpoint of whisper's, and OSError.
    """
    try:
        spec = _spec(_read(checkpoint), size)
    except UNREADABLE as error:
        if is_out_of_memory(error):
            raise
        raise ModelDamaged(f"The model file {checkpoint.name} cannot be read.") from error
    spec.save(str(folder))


def _read(checkpoint: Path) -> _Checkpoint:
    """The tensors stay in the file until they are used, where its format allows that."""
    content = torch.load(
        checkpoint, map_location="cpu", weights_only=True, mmap=is_zipfile(checkpoint)
    )
    return _Checkpoint(content["dims"], content["model_state_dict"], content.get("alignment_heads"))


def _spec(source: _Checkpoint, size: str) -> WhisperSpec:
    dims = source.dims
    spec = WhisperSpec(
        dims["n_audio_layer"], dims["n_audio_head"], dims["n_text_layer"], dims["n_text_head"]
    )
    _fill_encoder(spec.encoder, source)
    _fill_decoder(spec.decoder, source)
    tokenizer = tokenizer_of(languages_of(dims["n_vocab"]))
    spec.register_vocabulary(_vocabulary(tokenizer, dims["n_vocab"]))
    _configure(spec.config, tokenizer, alignment_heads(dims, source.heads, size))
    spec.validate()
    spec.optimize()
    return spec


def alignment_heads(
    dims: Mapping[str, int], own: Sequence[Sequence[int]] | None, size: str
) -> list[list[int]]:
    """(layer, head) of the heads that follow the audio: known by name, or from the file.

    Else, as openai-whisper does, all heads of the upper half of the layers.
    """
    layers, heads = dims["n_text_layer"], dims["n_text_head"]
    known = whisper._ALIGNMENT_HEADS.get(size)
    if known is not None:
        mask = np.frombuffer(gzip.decompress(base64.b85decode(known)), dtype=bool)
        return [[int(i), int(j)] for i, j in np.argwhere(mask.reshape(layers, heads))]
    if own:
        return [list(map(int, pair)) for pair in own]
    return [list(pair) for pair in product(range(layers // 2, layers), range(heads))]


def _fill_encoder(encoder: Any, source: _Checkpoint) -> None:
    for name in ("conv1", "conv2"):
        _fill_linear(getattr(encoder, name), source, f"encoder.{name}")
    encoder.position_encodings.encodings = source.weights("encoder.positional_embedding")
    _fill_norm(encoder.layer_norm, source, "encoder.ln_post")
    for index, layer in enumerate(encoder.layer):
        block = f"encoder.blocks.{index}"
        _fill_self_attention(layer.self_attention, source, block)
        _fill_feed_forward(layer.ffn, source, block)


def _fill_decoder(decoder: Any, source: _Checkpoint) -> None:
    decoder.embeddings.weight = source.weights("decoder.token_embedding.weight")
    decoder.projection.weight = decoder.embeddings.weight
    decoder.position_encodings.encodings = source.weights("decoder.positional_embedding")
    _fill_norm(decoder.layer_norm, source, "decoder.ln")
    for index, layer in enumerate(decoder.layer):
        block = f"decoder.blocks.{index}"
        _fill_self_attention(layer.self_attention, source, block)
        _fill_cross_attention(layer.attention, source, block)
        _fill_feed_forward(layer.ffn, source, block)


def _fill_self_attention(spec: Any, source: _Checkpoint, block: str) -> None:
    _fill_norm(spec.layer_norm, source, f"{block}.attn_ln")
    parts = [_linear(source, f"{block}.attn.{part}") for part in ("query", "key", "value")]
    fuse_linear(spec.linear[0], parts)
    _fill_linear(spec.linear[1], source, f"{block}.attn.out")


def _fill_cross_attention(spec: Any, source: _Checkpoint, block: str) -> None:
    _fill_norm(spec.layer_norm, source, f"{block}.cross_attn_ln")
    _fill_linear(spec.linear[0], source, f"{block}.cross_attn.query")
    parts = [_linear(source, f"{block}.cross_attn.{part}") for part in ("key", "value")]
    fuse_linear(spec.linear[1], parts)
    _fill_linear(spec.linear[2], source, f"{block}.cross_attn.out")


def _fill_feed_forward(spec: Any, source: _Checkpoint, block: str) -> None:
    _fill_norm(spec.layer_norm, source, f"{block}.mlp_ln")
    _fill_linear(spec.linear_0, source, f"{block}.mlp.0")
    _fill_linear(spec.linear_1, source, f"{block}.mlp.2")


def _fill_norm(spec: Any, source: _Checkpoint, name: str) -> None:
    spec.gamma = source.weights(f"{name}.weight")
    spec.beta = source.weights(f"{name}.bias")


def _linear(source: _Checkpoint, name: str) -> Any:
    spec = LinearSpec()
    _fill_linear(spec, source, name)
    return spec


def _fill_linear(spec: Any, source: _Checkpoint, name: str) -> None:
    """Whisper's keys have no bias."""
    spec.weight = source.weights(f"{name}.weight")
    if f"{name}.bias" in source.tensors:
        spec.bias = source.weights(f"{name}.bias")


def _configure(config: Any, tokenizer: Tokenizer, heads: list[list[int]]) -> None:
    """What whisper's DecodingTask never writes, and what it does not begin with."""
    config.suppress_ids = sorted(
        {
            *tokenizer.non_speech_tokens,
            tokenizer.transcribe,
            tokenizer.translate,
            tokenizer.sot,
            tokenizer.sot_prev,
            tokenizer.sot_lm,
            tokenizer.no_speech,
        }
    )
    config.suppress_ids_begin = [*tokenizer.encode(" "), tokenizer.eot]
    config.lang_ids = list(tokenizer.all_language_tokens)
    config.alignment_heads = heads


def _vocabulary(tokenizer: Tokenizer, size: int) -> list[str]:
    """Each token as GPT-2 files write it: a printable character for each byte."""
    characters = _byte_characters()
    encoding = tokenizer.encoding
    texts = [""] * size
    for token_bytes, token in encoding._mergeable_ranks.items():
        texts[token] = "".join(characters[byte] for byte in token_bytes)
    for text, token in encoding._special_tokens.items():
        texts[token] = text
    return texts


def _byte_characters() -> dict[int, str]:
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    shown = {byte: chr(byte) for byte in printable}
    return shown | {byte: chr(256 + index) for index, byte in enumerate(others)}
