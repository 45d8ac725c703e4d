"""How grave a finding is. Each rule's judgement is here, with its reasons, and nowhere else.

A readable credential is judged by two things: who could read it (the exposure of the path) and what it is worth (the
outcome at the server):

    exposure        accepted    unknown    refused
    public          critical    high       medium      an address outside the private ranges takes part
    internal        high        high       medium      both ends in private or link-local ranges, or unknown
    local           medium      medium     low         loopback, unix socket, or both ends on one address

A refused password counts because people mistype the right one and try one service's password at another.

HTTP errors: a 404 is `info`, `low` from ten occurrences on (a broken link that people meet, or a scan). A 5xx is
`low`, `medium` from three occurrences on (the service fails again and again).
"""

from __future__ import annotations

import ipaddress

from ..annotations import Endpoint

LEVELS = ("critical", "high", "medium", "low", "info")
OUTCOMES = ("accepted", "refused", "unknown")
PUBLIC, INTERNAL, LOCAL = "public", "internal", "local"

_CREDENTIAL = {
    (PUBLIC, "accepted"): "critical",
    (PUBLIC, "unknown"): "high",
    (PUBLIC, "refused"): "medium",
    (INTERNAL, "accepted"): "high",
    (INTERNAL, "unknown"): "high",
    (INTERNAL, "refused"): "medium",
    (LOCAL, "accepted"): "medium",
    (LOCAL, "unknown"): "medium",
    (LOCAL, "refused"): "low",
}
_PRIVATE = tuple(
    ipaddress.ip_network(net)
    for net in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
)
OFTEN_404 = 10
OFTEN_5XX = 3


def exposure(client: Endpoint | None, server: Endpoint | None) -> str:
    """Who could read the bytes between these ends: `public`, `internal` or `local`."""
    ends = [end for end in (client, server) if end is not None]
    if any(end.ip is None for end in ends):
        return LOCAL
    addresses = [address for end in ends if (address := _address(end.ip or "")) is not None]
    if addresses and (
        any(address.is_loopback for address in addresses) or (len(addresses) == 2 and addresses[0] == addresses[1])
    ):
        return LOCAL
    if any(not _is_private(address) for address in addresses):
        return PUBLIC
    return INTERNAL


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _is_private(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(address.version == net.version and address in net for net in _PRIVATE)


def credential(path: str, outcome: str) -> str:
    """Severity of a readable credential."""
    return _CREDENTIAL[path, outcome]


def not_found(count: int) -> str:
    """Severity of a 404 seen so many times."""
    return "low" if count >= OFTEN_404 else "info"


def server_error(count: int) -> str:
    """Severity of a 5xx seen so many times."""
    return "medium" if count >= OFTEN_5XX else "low"
