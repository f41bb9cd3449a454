"""Which addresses a fetch may speak to: public unicast ones only, whatever they are wrapped in.

`ipaddress.is_global` alone is not enough: it has let through tunnels whose far end is private (6to4, NAT64, Teredo),
and what it says has changed between versions of Python.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_PRIVATE_4 = tuple(
    IPv4Network(n)
    for n in (
        "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 "
        "192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 "
        "203.0.113.0/24 224.0.0.0/4 240.0.0.0/4"
    ).split()
)
_PUBLIC_6 = IPv6Network(
    "2000::/3"
)  # all global unicast addresses; loopback, mapped, NAT64, ULA, link-local lie outside
_PRIVATE_6 = tuple(IPv6Network(n) for n in "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20".split())
_ISATAP = (0x00005EFE, 0x02005EFE)  # bits 64 to 96 of an address that wraps an IPv4 one


def is_public(address: str) -> bool:
    """Return whether a numeric address is one of the public internet."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return ip.is_global and not any(ip in network for network in _PRIVATE_4)
    return ip.is_global and ip in _PUBLIC_6 and not _wraps(ip)


def _wraps(ip: IPv6Address) -> bool:
    """Return whether an address is a tunnel or a document's example."""
    isatap = int(ip) >> 32 & 0xFFFFFFFF in _ISATAP
    return isatap or ip.scope_id is not None or any(ip in network for network in _PRIVATE_6)
