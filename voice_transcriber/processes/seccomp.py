"""Filters of system calls (Linux seccomp): small programs that the kernel runs before each call.

A refused call fails with EPERM, which libraries take for an ordinary error. One that is newer
than these tables fails with ENOSYS, so the C library takes an older one. Everything here is on the
process's own side: it needs no rights, and nothing can take a filter away again.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform
import struct
import sys
from collections.abc import Sequence

from voice_transcriber.processes.limits import renounce_privileges

# The columns of the tables: the numbers of the calls, and the kernel's name of the machine.
_MACHINES = {"x86_64": (0, 0xC000_003E), "aarch64": (1, 0xC000_00B7)}
_NEWEST_KNOWN = 450
_OTHER_TABLES = 0x3FFF_FFFF  # numbers above are those of x32, a second table of the same machine

# What reading an open file, computing and reporting need; no call here names a file to change.
_HARMLESS = {
    "brk": (12, 214),
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "close": (3, 57),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "fadvise64": (221, 223),
    "fcntl": (72, 25),
    "fdatasync": (75, 83),
    "fstat": (5, 80),
    "fstatfs": (138, 44),
    "fsync": (74, 82),
    "futex": (202, 98),
    "getegid": (108, 177),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getrandom": (318, 278),
    "getrusage": (98, 165),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "getuid": (102, 174),
    "lseek": (8, 62),
    "lstat": (6, None),
    "madvise": (28, 233),
    "membarrier": (324, 283),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "nanosleep": (35, 101),
    "newfstatat": (262, 79),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "read": (0, 63),
    "readv": (19, 65),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_getaffinity": (204, 123),
    "sched_yield": (24, 124),
    "set_robust_list": (273, 99),
    "sigaltstack": (131, 132),
    "stat": (4, None),
    "statx": (332, 291),
    "sysinfo": (99, 179),
    "uname": (63, 160),
    "write": (1, 64),
    "writev": (20, 66),
}
_OPEN = (2, None)
_OPENAT = (257, 56)
_MMAP = (9, 222)
_MPROTECT = (10, 226)
_TGKILL = (234, 131)
_SOCKET = (41, 198)
# Ways around a filter, or into another process.
_SIDE_DOORS = {
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "pidfd_getfd": (438, 438),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
}
_AF_UNIX = 1

# Classic BPF, and the answers of a filter.
_LOAD, _JUMP_EQUAL, _JUMP_ABOVE, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF_0000, 0x0005_0000
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16

_PR_GET_SECCOMP, _PR_SET_SECCOMP, _MODE_FILTER = 21, 22, 2

_Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, value
_Numbers = tuple[int | None, int | None]
_REFUSE: _Instruction = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
_PERMIT: _Instruction = (_RETURN, 0, 0, _ALLOW)


def is_available() -> bool:
    """Whether this kernel takes filters, and the tables know this machine."""
    if not sys.platform.startswith("linux") or platform.machine() not in _MACHINES:
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) >= 0)


def permit_only_reading() -> bool:
    """Leave this process what a reader of open files needs; False where that cannot be had.

    It can open files for reading, write to what is open, and compute in one thread. It can make no
    process, thread or connection, change no file by name, and run no memory that it wrote.
    """
    if not is_available():
        return False
    machine = _MACHINES[platform.machine()][0]
    rules = [rule for numbers in _HARMLESS.values() for rule in _permitted(numbers[machine])]
    changing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    rules += _without_bits(_OPEN[machine], argument=1, bits=changing)
    rules += _without_bits(_OPENAT[machine], argument=2, bits=changing)
    rules += _without_bits(_MMAP[machine], argument=2, bits=mmap.PROT_EXEC)
    rules += _without_bits(_MPROTECT[machine], argument=2, bits=mmap.PROT_EXEC)
    rules += _only_with(_TGKILL[machine], argument=0, value=os.getpid())  # abort() uses it
    newer = (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)
    rules += [(_JUMP_ABOVE, 0, 1, _NEWEST_KNOWN), newer, _REFUSE]
    return _install(rules)


def refuse_network() -> bool:
    """No socket of this process or its children leaves the machine; False where it cannot be had.

    Sockets with a path (AF_UNIX) remain: drivers of GPUs use them.
    """
    if not is_available():
        return False
    machine = _MACHINES[platform.machine()][0]
    rules = _only_with(_SOCKET[machine], argument=0, value=_AF_UNIX)
    for numbers in _SIDE_DOORS.values():
        rules += [(_JUMP_EQUAL, 0, 1, numbers[machine]), _REFUSE]
    return _install([*rules, _PERMIT])


def _permitted(number: int | None) -> list[_Instruction]:
    return [] if number is None else [(_JUMP_EQUAL, 0, 1, number), _PERMIT]


def _without_bits(number: int | None, *, argument: int, bits: int) -> list[_Instruction]:
    """Permit a call none of whose `bits` is set in an argument; refuse it otherwise."""
    return _judged(number, argument, [(_JUMP_ANY_BIT, 0, 1, bits), _REFUSE, _PERMIT])


def _only_with(number: int | None, *, argument: int, value: int) -> list[_Instruction]:
    """Permit a call with this value of an argument; refuse it otherwise."""
    return _judged(number, argument, [(_JUMP_EQUAL, 1, 0, value), _REFUSE, _PERMIT])


def _judged(
    number: int | None, argument: int, verdict: Sequence[_Instruction]
) -> list[_Instruction]:
    if number is None:
        return []
    load = (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument)  # the low half; all of these are ints
    return [(_JUMP_EQUAL, 0, 1 + len(verdict), number), load, *verdict]


def _install(rules: Sequence[_Instruction]) -> bool:
    """`rules` judge the call whose number is loaded; calls by a foreign table are refused."""
    program = [
        (_LOAD, 0, 0, _MACHINE_AT),
        (_JUMP_EQUAL, 1, 0, _MACHINES[platform.machine()][1]),
        _REFUSE,
        (_LOAD, 0, 0, _NUMBER_AT),
        (_JUMP_ABOVE, 0, 1, _OTHER_TABLES),
        _REFUSE,
        *rules,
    ]
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(buffer)))
    renounce_privileges()  # the kernel's condition
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, header, 0, 0) == 0)
