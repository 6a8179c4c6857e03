"""What a person waits for: a long list, downloads, uploads, the first page, `check`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from bench.cached import cached_bounds
from bench.checking import check_bound
from bench.exporting import export_bounds
from bench.first_page import first_page_bounds
from bench.listing import list_bounds
from bench.parts import Part, add_part_arguments, run_parts
from bench.tables import Bound
from bench.uploading import upload_bounds


def _page(arguments: argparse.Namespace, folder: Path) -> list[Bound]:
    return first_page_bounds(folder, audio=arguments.audio)


def _list(arguments: argparse.Namespace, folder: Path) -> list[Bound]:
    return list_bounds(folder, audio=arguments.audio)


def _exports(arguments: argparse.Namespace, folder: Path) -> list[Bound]:
    return export_bounds(folder, audio=arguments.audio)


def _upload(_: argparse.Namespace, folder: Path) -> list[Bound]:
    return upload_bounds(folder)


def _cached(arguments: argparse.Namespace, folder: Path) -> list[Bound]:
    return cached_bounds(folder, audio=arguments.audio)


def _check(_: argparse.Namespace, folder: Path) -> list[Bound]:
    return [check_bound(folder)]


PARTS: Mapping[str, Part] = {
    "page": _page,
    "list": _list,
    "exports": _exports,
    "upload": _upload,
    "cached": _cached,
    "check": _check,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_part_arguments(parser, PARTS)


def run(arguments: argparse.Namespace) -> bool:
    return run_parts("What a person waits for", PARTS, arguments)
