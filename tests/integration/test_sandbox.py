"""What a confined process tries is refused by the kernel; what it needs works."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from voice_transcriber.processes import landlock, seccomp
from voice_transcriber.processes.sandbox import protections

pytestmark = pytest.mark.skipif(
    not seccomp.is_available() or landlock.version() < 6,
    reason="needs seccomp, and Landlock with ports and signals (Linux 6.12)",
)

# What needs one of both parts is tried with each alone: the other must not hide that it lacks.
READER = """
import ctypes, mmap, os, signal, socket, sys, threading
from voice_transcriber.processes import landlock, seccomp
from voice_transcriber.processes.sandbox import read_only_this, refuse_network
from pathlib import Path
allowed, secret, folder = (Path(name) for name in sys.argv[1:4])
libc = ctypes.CDLL(None, use_errno=True)
port = int(sys.argv[4])
out = open(folder / "out", "xb")
"""
CONFINED = "read_only_this(allowed)\n"
FILTERED = "assert seccomp.permit_only_reading()\n"
LANDLOCKED = "assert landlock.leave_only([allowed])\n"
OFFLINE = "refuse_network()\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "allowed").write_text("mine")
    (tmp_path / "secret").write_text("another's")
    (tmp_path / "work").mkdir()
    return tmp_path


def run(folder: Path, code: str, *, port: int = 9) -> subprocess.CompletedProcess[str]:
    files = [str(folder / name) for name in ("allowed", "secret", "work")]
    return subprocess.run(
        [sys.executable, "-c", READER + code, *files, str(port)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_one_file_can_be_read_and_what_was_open_be_written(folder: Path) -> None:
    code = CONFINED + (
        "print(allowed.read_text(), open(f'/dev/fd/{os.open(allowed, os.O_RDONLY)}').read())\n"
        "out.write(b'sound'); out.flush(); os.fsync(out.fileno())\n"
    )
    assert run(folder, code).stdout == "mine mine\n"
    assert (folder / "work" / "out").read_bytes() == b"sound"


@pytest.mark.parametrize("confinement", [CONFINED, LANDLOCKED])
@pytest.mark.parametrize(
    "attempt",
    [
        "secret.read_text()",
        "open('/etc/passwd').read()",
        "open(f'/proc/{os.getppid()}/environ').read()",
        "os.listdir(folder)",
        "(folder / 'new').touch()",
        "(folder / 'new').mkdir()",
        "allowed.write_text('changed')",
        "os.truncate(allowed, 0)",
        "secret.unlink()",
        "os.rename(secret, folder / 'mine')",
        "os.link(secret, folder / 'mine')",
        "os.symlink(secret, folder / 'mine')",
        "os.kill(os.getppid(), 0)",
        "socket.create_connection(('127.0.0.1', port))",
        "socket.create_server(('127.0.0.1', 0))",
    ],
)
def test_files_and_ports_are_out_of_reach(confinement: str, attempt: str, folder: Path) -> None:
    assert_refused(run(folder, confinement + attempt))
    assert (folder / "allowed").read_text() == "mine"
    assert (folder / "secret").read_text() == "another's"
    assert {path.name for path in (folder / "work").iterdir()} == {"out"}


@pytest.mark.parametrize("confinement", [CONFINED, FILTERED])
@pytest.mark.parametrize(
    "attempt",
    [
        "socket.socket()",
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX)",
        "socket.socketpair()",
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "threading.Thread(target=print).start()",
        "os.kill(os.getppid(), signal.SIGTERM)",
        "os.chmod(secret, 0o777)",
        "os.utime(secret)",
        "os.setxattr(secret, 'user.x', b'')",
        "os.memfd_create('x')",
        "os.pipe()",
        "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
        "secret.unlink()",
        "allowed.write_text('changed')",
        "os.open(folder, os.O_RDWR | os.O_TMPFILE)",
    ],
)
def test_processes_connections_and_changes_are_refused(
    confinement: str, attempt: str, folder: Path
) -> None:
    assert_refused(run(folder, confinement + attempt))
    assert (folder / "secret").read_text() == "another's"


@pytest.mark.parametrize(
    "call",
    [
        "101, 0, 0, 0, 0",  # ptrace(TRACEME)
        "425, 1, 0",  # io_uring_setup
        "321, 0, 0, 0",  # bpf
        "310, os.getppid(), 0, 0, 0, 0, 0",  # process_vm_readv
        "0x40000000 + 41, 2, 1, 0",  # socket, by the table of x32
    ],
)
@pytest.mark.parametrize("confinement", [CONFINED, OFFLINE])
@pytest.mark.skipif(platform.machine() != "x86_64", reason="x86 numbers")
def test_side_doors_are_shut(confinement: str, call: str, folder: Path) -> None:
    asked = run(folder, f"{confinement}print(libc.syscall({call}), ctypes.get_errno())")
    assert asked.stdout == "-1 1\n", asked.stderr


def test_a_call_from_the_future_is_called_unknown(folder: Path) -> None:
    asked = run(folder, CONFINED + "print(libc.syscall(462, 0), ctypes.get_errno())")
    assert asked.stdout == "-1 38\n"


def test_a_confined_process_can_still_abort(folder: Path) -> None:
    assert run(folder, CONFINED + "os.abort()").returncode == -6


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('127.0.0.1', port))",
        "socket.socket(socket.AF_INET6)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "__import__('subprocess').run([sys.executable, '-c', "
        "'import socket; socket.socket()'], check=True)",
    ],
)
def test_an_engine_has_no_network_nor_have_its_children(attempt: str, folder: Path) -> None:
    assert_refused(run(folder, OFFLINE + attempt))


def test_an_engine_can_do_what_engines_do(folder: Path) -> None:
    code = OFFLINE + (
        "threading.Thread(target=print, args=('thread',)).start()\n"
        "socket.socketpair(); socket.socket(socket.AF_UNIX)\n"
        "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)\n"
        "(folder / 'new').write_text(secret.read_text())\n"
        "os.system('true')\n"
    )
    done = run(folder, code)
    assert (done.returncode, done.stdout) == (0, "thread\n"), done.stderr


def test_the_parts_are_told(folder: Path) -> None:
    assert {part.name: part.active for part in protections()} == {
        "seccomp": True,
        "landlock": True,
        "landlock network": landlock.version() >= 4,
    }


@pytest.mark.parametrize(
    ("call", "refused"),
    [("_RESTRICT_SELF", "landlock"), ("_PR_SET_SECCOMP", "seccomp")],
)
def test_a_part_that_a_container_s_profile_refuses_is_told(
    call: str, refused: str, folder: Path
) -> None:
    code = (
        "machine = seccomp._MACHINES[__import__('platform').machine()][0]\n"
        "prctl = (157, 167)[machine]\n"
        "rules = {'_RESTRICT_SELF': [(seccomp._JUMP_EQUAL, 0, 1, 446), seccomp._REFUSE],"
        "'_PR_SET_SECCOMP': seccomp._judged(prctl, 0,"
        " [(seccomp._JUMP_EQUAL, 0, 1, 22), seccomp._REFUSE, seccomp._PERMIT])}"
        f"[{call!r}]\n"
        "assert seccomp._install([*rules, seccomp._PERMIT])\n"
        "from voice_transcriber.processes.sandbox import protections\n"
        "print(*(part.name for part in protections() if part.refused))\n"
    )
    done = run(folder, code)
    assert (done.returncode, done.stdout) == (0, f"{refused}\n"), done.stderr


def assert_refused(ended: subprocess.CompletedProcess[str]) -> None:
    refusals = ("PermissionError", "can't start new thread", "CalledProcessError")
    assert ended.returncode == 1, ended
    assert any(refusal in ended.stderr for refusal in refusals), ended.stderr
