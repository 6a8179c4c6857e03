"""Builds and joins all parts: the one place that picks concrete classes."""

from voice_transcriber.services.health import Health
from voice_transcriber.services.instance import Services
from voice_transcriber.services.report import report_of

__all__ = ["Health", "Services", "report_of"]
