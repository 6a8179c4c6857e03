"""The encoder on OpenVINO, from the official checkpoint; its form is made on first use.

OpenVINO chooses what it computes in: bfloat16 where the processor has instructions for it, else
float32. Weights are kept as the checkpoint has them.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from whisper.audio import N_FRAMES
from whisper.model import AudioEncoder

from voice_transcriber.engines.base import Encoded
from voice_transcriber.engines.conversions import OPENVINO, Conversions
from voice_transcriber.engines.encoders.base import LogMel
from voice_transcriber.engines.encoders.openvino_package import openvino
from voice_transcriber.engines.native_faults import UNREADABLE, faults_named, is_out_of_memory
from voice_transcriber.errors import ModelDamaged

_FORM = 1  # raise it when what is written changes
_NETWORK = "encoder.xml"
_PREFIX = "encoder."

Compiled = Any  # openvino.CompiledModel


class OpenVinoBackend:
    """Loads the encoders of the checkpoints that openai-whisper loads."""

    def __init__(self, model_dir: Path | None = None) -> None:
        """`model_dir` takes the converted encoders; without it they lie beside the checkpoint."""
        self._model_dir = model_dir

    def load(self, checkpoint: Path, *, size: str) -> OpenVinoEncoder:
        package = openvino()
        conversions = Conversions(
            self._model_dir or checkpoint.parent,
            form=OPENVINO,
            converter=f"openvino {version('openvino')}, form {_FORM}",
        )
        with faults_named(size, "cpu"):
            compiled = conversions.opened(
                checkpoint,
                partial(_convert, package, checkpoint),
                partial(_compiled, package),
                is_damage=lambda error: not is_out_of_memory(error),
            )
        return OpenVinoEncoder(compiled, size=size)


class OpenVinoEncoder:
    """One encoder in memory."""

    def __init__(self, compiled: Compiled, *, size: str) -> None:
        self._compiled = compiled
        self._size = size
        self.bands: int = compiled.input(0).get_partial_shape()[1].get_length()

    def encode(self, mels: Sequence[LogMel]) -> list[Encoded]:
        """Window by window: together they are no faster and take more memory."""
        with faults_named(self._size, "cpu"):
            return [self._compiled(mel[np.newaxis])[0][0] for mel in mels]


def _compiled(package: Any, folder: Path) -> Compiled:
    options = {"INFERENCE_NUM_THREADS": torch.get_num_threads()}
    return package.Core().compile_model(folder / _NETWORK, "CPU", options)


def _convert(package: Any, checkpoint: Path, folder: Path) -> None:
    """Raises ModelDamaged for a file that is no checkpoint of whisper's, and OSError."""
    try:
        content = torch.load(checkpoint, map_location="cpu", weights_only=True)
        weights = {
            name.removeprefix(_PREFIX): tensor
            for name, tensor in content["model_state_dict"].items()
            if name.startswith(_PREFIX)
        }
        network = _network(content["dims"], weights)
    except UNREADABLE as error:
        if is_out_of_memory(error):
            raise
        raise ModelDamaged(f"The model file {checkpoint.name} cannot be read.") from error
    example = torch.zeros(1, content["dims"]["n_mels"], N_FRAMES)
    with warnings.catch_warnings():  # torch's about tracing
        warnings.simplefilter("ignore")
        converted = package.convert_model(network, example_input=example, input=example.shape)
    is_half = all(tensor.dtype == torch.float16 for tensor in weights.values())
    package.save_model(converted, folder / _NETWORK, compress_to_fp16=is_half)


def _network(dims: dict[str, int], weights: dict[str, torch.Tensor]) -> AudioEncoder:
    network = AudioEncoder(
        dims["n_mels"],
        dims["n_audio_ctx"],
        dims["n_audio_state"],
        dims["n_audio_head"],
        dims["n_audio_layer"],
    )
    network.load_state_dict(weights)
    return network.eval()
