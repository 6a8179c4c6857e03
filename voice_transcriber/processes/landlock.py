"""Landlock (Linux 5.13 and later): a process gives up its rights on files, ports and processes.

It needs no rights, holds for the process and its children, and cannot be taken back. What is open
already stays usable in the way in which it was opened.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from voice_transcriber.processes.limits import renounce_privileges

# The same numbers on every machine.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_RULE_PATH = 1
_READ_FILE = 1 << 2

# Version of the interface -> how many kinds of file access it knows.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_MOST_FILE_RIGHTS = 16
_NETWORK_SINCE, _BIND_AND_CONNECT = 4, 0b11
_SCOPES_SINCE, _SOCKETS_AND_SIGNALS = 6, 0b11


def version() -> int:
    """Of the kernel's interface; 0 where there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)))


def guards_network() -> bool:
    return version() >= _NETWORK_SINCE


def leave_only(readable: Sequence[Path]) -> bool:
    """From now on open nothing but these files, for reading; False where there is no Landlock.

    No file can be made, changed or removed by name, no TCP port bound or connected, and no process
    outside signalled, as far as the kernel's version knows these. The calling thread alone is
    bound: call it while there is no other. Raises OSError when a file is not there.
    """
    known = version()
    if not known:
        return False
    rights = (1 << _FILE_RIGHTS.get(known, _MOST_FILE_RIGHTS)) - 1
    network = _BIND_AND_CONNECT if known >= _NETWORK_SINCE else 0
    scopes = _SOCKETS_AND_SIGNALS if known >= _SCOPES_SINCE else 0
    attributes = struct.pack("=QQQ", rights, network, scopes)
    libc = _libc()
    ruleset = libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _permit_reading(libc, ruleset, path)
        renounce_privileges()  # the kernel's condition
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _permit_reading(libc: ctypes.CDLL, ruleset: int, path: Path) -> None:
    descriptor = os.open(path, os.O_PATH)
    try:
        libc.syscall(_ADD_RULE, ruleset, _RULE_PATH, struct.pack("=Qi", _READ_FILE, descriptor), 0)
    finally:
        os.close(descriptor)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
