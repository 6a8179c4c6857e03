"""`cache`: what is kept for recordings that come again, and forgetting it."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from voice_transcriber.cli.client import CacheView
from voice_transcriber.cli.connect import open_client
from voice_transcriber.cli.exits import EXIT_FAILED, EXIT_OK
from voice_transcriber.cli.tables import size_text
from voice_transcriber.errors import TranscriberError
from voice_transcriber.settings import Settings


def run_stats(arguments: argparse.Namespace, settings: Settings) -> int:
    with open_client(settings) as client:
        cache = client.cache()
    if arguments.json:
        print(json.dumps(asdict(cache), indent=2))
    else:
        print(_description(cache))
    return EXIT_OK


def run_clear(arguments: argparse.Namespace, settings: Settings) -> int:
    """All, or what is known of the recordings of some jobs."""
    status = EXIT_OK
    with open_client(settings) as client:
        if not arguments.ids:
            print(f"forgotten: {client.clear_cache()}")
        for job_id in arguments.ids:
            try:
                print(f"{job_id}: forgotten: {client.clear_cache(job_id)}", flush=True)
            except TranscriberError as error:
                print(f"{job_id}: {error.message}\n  {error.remedy}", file=sys.stderr)
                status = EXIT_FAILED
    return status


def _description(cache: CacheView) -> str:
    if not cache.enabled:
        return "The cache is off (ENABLE_CACHE, or the remote engine)."
    lines = {
        "on disk": f"{cache.disk_entries} results, {size_text(cache.disk_bytes)}",
        "in memory": f"{cache.memory_entries} results, {size_text(cache.memory_bytes)}",
        "known": f"{cache.hits} recordings since the start",
        "computed": f"{cache.misses} recordings since the start",
    }
    return "\n".join(f"{name + ':':12}{text}" for name, text in lines.items())
