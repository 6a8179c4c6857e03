"""Measurements of which a test names only what it is about."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from bench.versus.records import Measurement, Place


def measured(contender: str, **changes: Any) -> Measurement:
    place = {
        "workload": "long-five",
        "contender": contender,
        "size": "base",
        "beam": 5,
        "round": 1,
    }
    values = {
        "text": "one file",
        "kind": contender,
        "settings": {},
        "threads": 2,
        "audio_s": 300.0,
        "files": 1,
        "wall_s": 10.0,
        "words": 200,
        "errors": 4,
        "peak_mb": 900.0,
        "engine_mb": None,
        "seconds": {},
        "machine": "a machine",
        "other_cores": 0.0,
        "run": "one",
        "measured_at": "2026-11-21T12:00:00+00:00",
    }
    named = {field.name for field in fields(Place)}
    place |= {name: value for name, value in changes.items() if name in named}
    values |= {name: value for name, value in changes.items() if name not in named}
    return Measurement(place=Place(**place), **values)
