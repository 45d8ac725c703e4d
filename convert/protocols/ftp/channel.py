"""Where an FTP transfer's bytes pass: PORT and PASV (RFC 959), EPRT and EPSV (RFC 2428)."""

from __future__ import annotations

import re
from ipaddress import ip_address

Channel = tuple[str, int]
"""Address and port of the end that listens; an empty address: that of the control connection's server."""

_SIX = re.compile(r"([0-9]{1,3}),([0-9]{1,3}),([0-9]{1,3}),([0-9]{1,3}),([0-9]{1,3}),([0-9]{1,3})")
_EXTENDED = re.compile(r"([!-~])([12])\1([0-9A-Fa-f:.]{2,45})\1([0-9]{1,5})\1")
_EXTENDED_PASSIVE = re.compile(r"([!-~])\1\1([0-9]{1,5})\1")
_ANYWHERE = frozenset(("0.0.0.0", "::"))


def of_port(argument: str) -> Channel | None:
    """PORT h1,h2,h3,h4,p1,p2."""
    found = _SIX.fullmatch(argument.strip())
    return _of_six(found) if found else None


def of_eprt(argument: str) -> Channel | None:
    """EPRT |1|address|port|."""
    found = _EXTENDED.fullmatch(argument.strip())
    if found is None or not 0 < int(found[4]) < 65536:
        return None
    try:
        address = ip_address(found[3])
    except ValueError:
        return None
    return (str(address), int(found[4])) if address.version == (4 if found[2] == "1" else 6) else None


def of_pasv(text: str) -> Channel | None:
    """The six numbers anywhere in the text of reply 227 (RFC 1123, 4.1.2.6)."""
    found = _SIX.search(text)
    channel = _of_six(found) if found else None
    return ("", channel[1]) if channel is not None and channel[0] in _ANYWHERE else channel


def of_epsv(text: str) -> Channel | None:
    """(|||port|) in the text of reply 229: the address is the control connection's."""
    found = _EXTENDED_PASSIVE.search(text)
    return ("", int(found[2])) if found is not None and 0 < int(found[2]) < 65536 else None


def _of_six(found: re.Match[str]) -> Channel | None:
    numbers = [int(part) for part in found.groups()]
    if max(numbers) > 255:
        return None
    port = numbers[4] * 256 + numbers[5]
    return (".".join(map(str, numbers[:4])), port) if port else None
