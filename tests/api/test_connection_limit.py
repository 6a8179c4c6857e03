"""How many connections there may be, and how soon they are accepted."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from voice_transcriber.services import Services
from voice_transcriber.web.connection import GuardedChannel
from voice_transcriber.web.peers import is_on_this_machine, peer_of
from voice_transcriber.web.server import serve

MOST = 2


@pytest.fixture
def environment() -> dict[str, str]:
    return {"MAX_CONNECTIONS_PER_ADDRESS": str(MOST)}


Connect = Callable[[str], GuardedChannel]


@pytest.fixture
def connect(app: Flask, services: Services, tmp_path: Path) -> Iterator[Connect]:
    """The server's own channels over pairs of sockets: no test sends to another machine."""
    server = serve(app, services, spool_dir=tmp_path)
    (listener,) = server._listeners
    channels: list[GuardedChannel] = []
    pairs = []

    def from_address(address: str) -> GuardedChannel:
        pair = socket.socketpair()
        pairs.append(pair)
        channels.append(GuardedChannel(listener, pair[0], (address, 1), listener.adj, map={}))
        return channels[-1]

    yield from_address
    for channel in channels:
        channel.handle_close()
    for near, far in pairs:
        near.close()
        far.close()
    server.close()
    server.run()


def test_one_more_is_closed_at_once_and_a_place_that_is_given_back_is_taken(
    connect: Connect,
) -> None:
    first = [connect("203.0.113.9") for _ in range(MOST)]
    assert all(channel.connected for channel in first)
    assert not connect("203.0.113.9").connected
    first[0].handle_close()
    assert connect("203.0.113.9").connected
    assert not connect("203.0.113.9").connected


def test_another_address_has_its_own_places(connect: Connect) -> None:
    addresses = ["203.0.113.9", "203.0.113.10", "2001:db8:1:2::1", "2001:db8:1:3::1"]
    assert all(connect(address).connected for address in addresses * MOST)
    assert not any(connect(address).connected for address in addresses)
    assert not connect("2001:db8:1:2:ffff::7").connected


def test_this_machine_has_as_many_as_it_likes(connect: Connect) -> None:
    assert all(connect("127.0.0.1").connected for _ in range(5 * MOST))


@pytest.mark.parametrize(
    ("address", "peer"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
        ("localhost", "localhost"),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(address: str, peer: str) -> None:
    assert peer_of(address) == peer


def test_this_machine_is_told_from_others() -> None:
    here = ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1")
    assert all(map(is_on_this_machine, here))
    assert not any(map(is_on_this_machine, ("192.0.2.2", "2001:db8::1", "localhost", "")))


def test_all_that_wait_are_accepted_in_one_turn(
    app: Flask, services: Services, tmp_path: Path
) -> None:
    server = serve(app, services, spool_dir=tmp_path)
    waiting = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    server._turn()
    assert len(server._channels()) == len(waiting)
    for one in waiting:
        one.close()
    server.close()
    server.run()
