"""Which addresses may be fetched from: those of the whole world, and networks that are named."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def refusal(host: str, *, allow_private: bool = False, networks: Sequence[str] = ()) -> str:
    """Returns why a connection to `host`, an address in digits, is not made; "" where it may be."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return f"{host} is a name, not an address"  # a name could lead elsewhere by the time it is looked up
    inner = _inner(address)
    if allow_private or any(inner in ipaddress.ip_network(network) for network in networks):
        return ""
    if not inner.is_global or inner.is_multicast or inner.is_reserved or (not address.is_global and inner is address):
        return f"{host} is a private address"
    return ""


def _inner(address: Address) -> Address:
    """Returns the IPv4 address that an IPv6 address leads to, or the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
