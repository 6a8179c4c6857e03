"""The fenced blocks of the documents.

A comment directly above a shell block says what a test has to know: `<!-- not run: REASON -->`, or
what the block needs (`job: failed`, `server: stopped`, `folder: backup`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PAGES = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *sorted((PROJECT / "docs").rglob("*.md"))]
SHELLS = {"sh", "bash", "shell", "console", "zsh", "fish", "bat", "powershell"}

_BLOCK = re.compile(
    r"(?P<notes>(?:^<!-- [^\n]+ -->\n)*)^```(?P<language>\S*)\n(?P<code>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: str
    line: int
    language: str
    code: str
    notes: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def is_shell(self) -> bool:
        return self.language in SHELLS


def blocks() -> Iterator[Block]:
    """Those of all pages, in their order."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            yield Block(
                page=page.relative_to(PROJECT).as_posix(),
                line=text.count("\n", 0, found.start("language")) + 1,
                language=found["language"],
                code=found["code"],
                notes=dict(re.findall(r"<!-- (.+?): (.+) -->", found["notes"])),
            )
