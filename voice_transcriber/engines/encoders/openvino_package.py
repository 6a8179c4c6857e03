"""The one place that imports OpenVINO.

Its tools report their use over the network, with nobody asked, through the package
openvino_telemetry. They do without that package, so it is kept from them.
"""

from __future__ import annotations

import sys
from typing import Any

from voice_transcriber.engines.encoders.installed import OPENVINO, check_encoder


def openvino() -> Any:
    """The package. Raises ConfigurationError where it is not installed."""
    check_encoder(OPENVINO, engine="auto")
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino
