"""Packages that the product can do without; tests that need one say so."""

from __future__ import annotations

import os

import pytest

from voice_transcriber.engines.encoders.installed import OPENVINO, is_installed


def need_openvino() -> None:
    """Skip without it, but for the gate (CI=true), which installs requirements-dev.txt."""
    if is_installed(OPENVINO):
        return
    reason = "openvino is not installed (requirements-openvino.txt)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
