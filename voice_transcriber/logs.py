"""The log: lines on standard error, and the performance figures whatever the level."""

from __future__ import annotations

import logging

PERFORMANCE_LOGGER = "voice_transcriber.performance"


def set_up_logging(*, level: str, instance_id: str) -> None:
    """Call once, before anything is logged."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        logging.Formatter(f"%(asctime)s {instance_id} %(levelname)s %(name)s: %(message)s")
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Its lines are written only when LOG_PERFORMANCE_METRICS is on, and then always.
    logging.getLogger(PERFORMANCE_LOGGER).setLevel(logging.INFO)
    # At DEBUG it writes the headers of HTTP/2, among them the key of a remote engine.
    logging.getLogger("hpack").setLevel(logging.WARNING)
