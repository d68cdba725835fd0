"""Whose connection it is: the address that is bounded."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

_HOME_BITS = 64
"""Of an IPv6 address: what one household or machine has all of."""


class Addresses:
    """Tells clients apart, also behind proxies.

    Parameters
    ----------
    trusted
        Addresses or networks of proxies. What they say of whom they speak for (``X-Forwarded-For``) is believed,
        and they are no client themselves: this machine's own programs and tunnels are among them.
    """

    def __init__(self, trusted: Sequence[str]) -> None:
        self.trust(trusted)

    def trust(self, trusted: Sequence[str]) -> None:
        """Believe these from now on; whose the connections are that are open was told when they came."""
        self._trusted = [ip_network(one, strict=False) for one in trusted]

    def of_peer(self, host: str) -> str | None:
        """Return whose connection from ``host`` it is; None: a trusted one's, or none of the network."""
        address = _parsed(host)
        return None if address is None or self._is_trusted(address) else _home(address)

    def of_request(self, environ: dict[str, Any]) -> str | None:
        """Return who asks; None: somebody at this machine, or behind a proxy that doesn't say who."""
        hops = [environ.get("REMOTE_ADDR", ""), *reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(","))]
        for hop in hops:
            address = _parsed(hop.strip())
            if address is None:
                return None
            if not self._is_trusted(address):
                return _home(address)
        return None

    def _is_trusted(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address, as proxies write it: also in brackets, and with a port."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _home(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(ip_network((int(address) >> _HOME_BITS << _HOME_BITS, _HOME_BITS)))
