"""The first page: how many bytes it is, and when it can be used."""

from __future__ import annotations

import gzip
import re
import statistics
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import sync_playwright

from bench.app import App, running_app
from bench.long_transcript import long_transcript
from bench.machine import OtherLoad
from bench.seeding import seed_list
from bench.tables import Bound
from tests.browser.conftest import CHROMIUM, FLAGS

LIMIT_KB = 100
LIMIT_S = 1.0
VISITS = 9
JOBS, WAITING = 60, 3  # more than one page of the list

_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.[^"']+)["']""")
# What is interactive: modules have run, and so have the handlers that they add at the start.
_LOADED_S = "performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"


def first_page_bounds(folder: Path, *, audio: Path) -> list[Bound]:
    text = long_transcript(audio, hours=0.1, with_words=False)
    seed_list(folder / "data", text, jobs=JOBS, waiting=WAITING)
    with running_app(folder) as app:
        sizes = {path: _packed_bytes(app, path) for path in _with_imports(app, _parts(app))}
        with OtherLoad() as other:
            loaded_s = _visits(app)
    return [_size_bound(sizes), *_time_bound(loaded_s, other)]


def _parts(app: App) -> list[str]:
    """The page, and the styles and scripts that it names."""
    links = _Links()
    links.feed(app.web.get("/").raise_for_status().text)
    return ["/", *links.found]


def _with_imports(app: App, paths: list[str]) -> list[str]:
    """And the modules that the scripts import, whenever they do."""
    found = list(dict.fromkeys(paths))
    for path in found:  # grows meanwhile
        if path.endswith(".js"):
            source = app.web.get(path).raise_for_status().text
            imports = (urljoin(path, name) for name in _IMPORT.findall(source))
            found += [one for one in imports if one not in found]
    return found


def _packed_bytes(app: App, path: str) -> int:
    return len(gzip.compress(app.web.get(path).raise_for_status().content, 9))


def _visits(app: App) -> list[float]:
    """Seconds from the click to the end of loading, each visit with an empty cache."""
    if not CHROMIUM.exists():
        return []
    seconds = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for _ in range(VISITS):
            page = browser.new_context().new_page()
            page.goto(str(app.web.base_url), wait_until="load")
            page.wait_for_function(f"{_LOADED_S} > 0")
            seconds.append(float(page.evaluate(_LOADED_S)))
            page.context.close()
        browser.close()
    return seconds


def _size_bound(sizes: dict[str, int]) -> Bound:
    kilobytes = sum(sizes.values()) / 1000
    kinds = {kind: sum(_of_kind(sizes, kind)) / 1000 for kind in ("js", "css")}
    return Bound(
        name="first page, gzip -9",
        measured=f"{kilobytes:.1f} kB",
        limit=f"<= {LIMIT_KB} kB",
        kept=kilobytes <= LIMIT_KB,
        detail=f"{len(sizes)} files: html {sizes['/'] / 1000:.1f}, css {kinds['css']:.1f}, "
        f"js {kinds['js']:.1f}; the server sends them unpacked, on loopback packing only costs",
    )


def _of_kind(sizes: dict[str, int], kind: str) -> Iterator[int]:
    return (size for path, size in sizes.items() if path.endswith(f".{kind}"))


def _time_bound(loaded_s: list[float], other: OtherLoad) -> Iterator[Bound]:
    if not loaded_s:
        print(f"first page: its time is left out, there is no {CHROMIUM}", flush=True)
        return
    median_s = statistics.median(loaded_s)
    yield Bound(
        name="first page, loaded and its scripts run",
        measured=f"{median_s:.2f} s",
        limit=f"<= {LIMIT_S:.0f} s",
        kept=median_s <= LIMIT_S,
        detail=f"median of {VISITS} visits with an empty cache, "
        f"{min(loaded_s):.2f} to {max(loaded_s):.2f} s; {other}",
    )


class _Links(HTMLParser):
    """Addresses of styles, scripts and modules to come."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        address = values.get("src") if tag == "script" else values.get("href")
        wanted = tag == "script" or values.get("rel") in {"stylesheet", "modulepreload"}
        if address and wanted:
            self.found.append(address)
