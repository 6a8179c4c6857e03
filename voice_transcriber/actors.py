"""Who asks for what is being done: known at the door, written down where it is done.

A context variable, because what is in between has no use for it.
"""

from __future__ import annotations

from contextvars import ContextVar

SERVER = "server"  # the program itself: retention, recovery
COMMAND_LINE = "command line"

_actor: ContextVar[str] = ContextVar("actor", default=SERVER)


def act_as(name: str) -> None:
    """What this thread asks for from now on, it asks for in this name."""
    _actor.set(name)


def actor() -> str:
    return _actor.get()
