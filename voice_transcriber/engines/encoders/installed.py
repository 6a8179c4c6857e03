"""Which encoders there are besides the engines' own, and whether their packages are here. Pure."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from voice_transcriber.errors import ConfigurationError

AUTO = "auto"  # the engine's own, but for the engine auto, which measures
OWN = "own"
OPENVINO = "openvino"
BACKENDS = (OPENVINO,)

_TAKE_ANOTHER = ("openai-whisper", "faster-whisper", "auto")  # engines whose decoders do


def is_installed(encoder: str) -> bool:
    """True for an engine's own; the package of another is looked for, not imported."""
    return encoder not in BACKENDS or find_spec(encoder) is not None


def check_encoder(
    encoder: str, *, engine: str, is_installed: Callable[[str], bool] = is_installed
) -> None:
    """Raises ConfigurationError where ENCODER cannot be used."""
    if encoder not in BACKENDS:
        return
    if engine not in _TAKE_ANOTHER:
        raise ConfigurationError(
            f"ENCODER is {encoder!r}, which the engine {engine} has no use for.",
            remedy=f"ENCODER: give auto, or set ENGINE to {', '.join(_TAKE_ANOTHER)}.",
        )
    if not is_installed(encoder):
        raise ConfigurationError(
            f"ENCODER is {encoder!r}, whose package is not installed.",
            remedy=f"Install it (python -m pip install -r requirements-{encoder}.txt), "
            "or set ENCODER to auto.",
        )
