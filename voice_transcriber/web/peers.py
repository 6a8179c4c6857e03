"""The address that a request comes from, as far as limits are concerned."""

from __future__ import annotations

import ipaddress

IPV6_NETWORK_BITS = 64  # what one customer gets


def peer_of(address: str) -> str:
    """An IPv4 address, or the network of an IPv6 one: whoever has that has all addresses in it.

    What is no address, such as the name of a local socket, stands for itself.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    if ip.is_loopback:
        return str(ip)
    return str(ipaddress.ip_network((ip, IPV6_NETWORK_BITS), strict=False))


def is_on_this_machine(address: str) -> bool:
    try:
        return ipaddress.ip_address(peer_of(address)).is_loopback
    except ValueError:
        return False
