"""The shape of a manual page."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

COMMON_STATUS = {
    0: "all is well",
    1: "something failed; stderr says what and what to do",
    2: "wrong arguments or settings",
    130: "ended by Ctrl-C",
}
SETTINGS_NOTE = "Settings come from the environment and .env; see docs/reference/settings.md."
_WIDTH = 88


@dataclass(frozen=True, kw_only=True)
class Page:
    """What `--help` says beyond the arguments."""

    summary: str  # one line in the list of commands
    description: str  # paragraphs, apart by an empty line
    examples: Sequence[tuple[str, str]] = ()  # what it does, and the line, {prog} in it
    exit_status: Mapping[int, str] = field(default_factory=lambda: COMMON_STATUS)


def add_page(commands: Commands, name: str, page: Page, *, run: str) -> argparse.ArgumentParser:
    """`run` is `module:function` of this package, imported when the command is carried out."""
    parser = commands.add_parser(
        name,
        help=page.summary,
        description=_paragraphs(page.description),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.epilog = _epilog(parser.prog, page)
    parser.set_defaults(run=run)
    return parser


def add_group(commands: Commands, name: str, page: Page) -> Commands:
    """A command that has commands of its own, of which one must be given."""
    parser = commands.add_parser(
        name,
        help=page.summary,
        description=_paragraphs(page.description),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.epilog = _epilog(parser.prog, page)
    return parser.add_subparsers(dest="subcommand", metavar="COMMAND", required=True)


def _paragraphs(text: str) -> str:
    return "\n\n".join(
        textwrap.fill(" ".join(paragraph.split()), _WIDTH) for paragraph in text.split("\n\n")
    )


def _epilog(prog: str, page: Page) -> str:
    parts = []
    if page.examples:
        lines = [f"  {what}:\n    {line.format(prog=prog)}" for what, line in page.examples]
        parts.append("\n".join(["examples:", *lines]))
    status = [f"  {number:<4} {meaning}" for number, meaning in page.exit_status.items()]
    parts.append("\n".join(["exit status:", *status]))
    return "\n\n".join([*parts, SETTINGS_NOTE])
