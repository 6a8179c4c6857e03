"""What every child does first: take over its channel, and die with its parent."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys

from voice_transcriber.processes.channel import Channel

_PR_SET_PDEATHSIG = 1


def take_channel() -> Channel:
    """Turn stdin and stdout into the channel; from now on prints go to stderr.

    Call it before anything heavy is imported.
    """
    reader = os.fdopen(os.dup(0), "rb")
    writer = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    faulthandler.enable()
    return Channel(reader, writer)


def die_with_parent() -> None:
    """Ask Linux for SIGKILL when the parent dies; elsewhere end of file on the channel does it."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the request was made
        os._exit(1)


def ignore_interrupts() -> None:
    """Ctrl-C in the terminal is the parent's to handle; it ends its children in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
