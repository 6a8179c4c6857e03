"""Tells of every connection that a Python process asks for; refuses what leaves the machine.

A process whose PYTHONPATH names this folder loads it before anything else, and so do its children.
The lines go to network.log in the folder that PYTHONPATH names after this one.
"""

import ipaddress
import os
import sys

LOG = os.path.join(os.environ["PYTHONPATH"].split(os.pathsep)[1], "network.log")
HOST_OF = {
    "socket.connect": lambda _socket, address: address,
    "socket.sendto": lambda _socket, address: address,
    "socket.sendmsg": lambda _socket, address: address,
    "socket.getaddrinfo": lambda host, *_: host,
    "socket.gethostbyname": lambda host: host,
    "socket.gethostbyaddr": lambda host: host,
}


def tell(line: str) -> None:
    with open(LOG, "a", encoding="utf-8") as log:
        log.write(f"{os.getpid()} {line}\n")


def is_local(address: object) -> bool:
    """A name or number of this machine, or a socket that has a path in place of an address."""
    host = address[0] if isinstance(address, tuple) else address
    if host in {None, "", b"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return not isinstance(address, tuple) and str(host).startswith(("/", "\0"))


def watch(event: str, arguments: tuple[object, ...]) -> None:
    if event not in HOST_OF:
        return
    address = HOST_OF[event](*arguments)
    if not is_local(address):
        tell(f"{event} {address}")
        raise OSError("this test lets nothing out")


tell(f"watching {' '.join(sys.orig_argv[1:3])}")
sys.addaudithook(watch)
