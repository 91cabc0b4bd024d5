"""Addresses of whoever asks: written in one form, counted by the network that one household has. Pure.

Whether a proxy may be believed about them is a setting (``[desk] trusted_proxies``); nothing is believed here.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

_HOUSEHOLD: Final = 64
"""So many bits of an IPv6 address are somebody's network; the rest they may change with every request."""


def plain(address: str) -> str:
    """An address in its one form, an IPv4 one without its IPv6 dress; empty for what is no address."""
    found = _parsed(address)
    return "" if found is None else str(found)


def neighbourhood(address: str) -> str:
    """By what somebody is counted: the IPv4 address, or the network of an IPv6 one."""
    found = _parsed(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, _HOUSEHOLD), strict=False))
    return "" if found is None else str(found)


def lies_in(networks: Iterable[IPv4Network | IPv6Network], address: str) -> bool:
    """Whether one of the networks has the address."""
    found = _parsed(address)
    return found is not None and any(found in network for network in networks)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
