"""How grave a finding is: who could read along, and the tables of rules/severity.toml, which docs/rules.md explains.

A readable credential is judged by two things: who could read it (the exposure of the path) and what it is worth (the
outcome at the server). A refused password counts because people mistype the right one and try one service's password at
another.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..annotations import Endpoint

LEVELS = ("critical", "high", "medium", "low", "info")
OUTCOMES = ("accepted", "refused", "unknown")
PUBLIC, INTERNAL, LOCAL = "public", "internal", "local"
EXPOSURES = (PUBLIC, INTERNAL, LOCAL)


def table(told: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """A table of severities, whole: a level for each exposure, or one for each of its outcomes.

    Raises:
        ValueError: something is missing, or no level.
    """
    whole: dict[str, dict[str, str]] = {}
    for exposure in EXPOSURES:
        entry = told.get(exposure)
        levels = dict.fromkeys(OUTCOMES, entry) if isinstance(entry, str) else entry
        if not isinstance(levels, dict) or set(levels) != set(OUTCOMES) or not set(levels.values()) <= set(LEVELS):
            raise ValueError(f"severity: {exposure} needs a level, or one each for {', '.join(OUTCOMES)}")
        whole[exposure] = levels
    return whole


def _read() -> dict[str, dict[str, dict[str, str]]]:
    with (Path(__file__).parent / "rules" / "severity.toml").open("rb") as file:
        return {name: table(told) for name, told in tomllib.load(file)["tables"].items()}


TABLES = _read()
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


@lru_cache(1 << 13)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(1 << 13)
def _is_private(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(address.version == net.version and address in net for net in _PRIVATE)
