"""What resource records hold, as the text of a zone file (RFC 1035, 3596, 2782, 8659, 9460); other types in hex."""

from __future__ import annotations

from base64 import b64encode
from socket import AF_INET, AF_INET6, inet_ntop
from typing import TYPE_CHECKING

from . import numbers as n
from .names import Broken, read_name

if TYPE_CHECKING:
    from collections.abc import Callable


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def quoted(data: bytes) -> str:
    """A character string between quotes, odd bytes in decimal behind a backslash."""
    inside = "".join(
        f"\\{chr(byte)}" if byte in b'"\\' else chr(byte) if 0x20 <= byte <= 0x7E else f"\\{byte:03d}" for byte in data
    )
    return f'"{inside}"'


def _last_name(message: bytes, at: int, end: int) -> str:
    name, behind = read_name(message, at)
    if behind != end:
        raise Broken
    return name


def _address(message: bytes, at: int, end: int) -> str:
    if end - at != 4:
        raise Broken
    return inet_ntop(AF_INET, message[at:end])


def _address6(message: bytes, at: int, end: int) -> str:
    if end - at != 16:
        raise Broken
    return inet_ntop(AF_INET6, message[at:end])


def _mail(message: bytes, at: int, end: int) -> str:
    return f"{_number(message[at : at + 2])} {_last_name(message, at + 2, end)}"


def _authority(message: bytes, at: int, end: int) -> str:
    primary, at = read_name(message, at)
    mailbox, at = read_name(message, at)
    if end - at != 20:
        raise Broken
    numbers = " ".join(str(_number(message[i : i + 4])) for i in range(at, end, 4))
    return f"{primary} {mailbox} {numbers}"


def _service(message: bytes, at: int, end: int) -> str:
    if end - at < 7:
        raise Broken
    numbers = " ".join(str(_number(message[i : i + 2])) for i in range(at, at + 6, 2))
    return f"{numbers} {_last_name(message, at + 6, end)}"


def _strings(message: bytes, at: int, end: int) -> str:
    parts = []
    while at < end:
        length = message[at]
        at += 1
        if at + length > end:
            raise Broken
        parts.append(quoted(message[at : at + length]))
        at += length
    return " ".join(parts)


def _certification(message: bytes, at: int, end: int) -> str:
    if end - at < 2 or at + 2 + message[at + 1] > end:
        raise Broken
    behind = at + 2 + message[at + 1]
    tag = message[at + 2 : behind]
    if not tag.isalnum():
        raise Broken
    return f"{message[at]} {tag.decode('ascii')} {quoted(message[behind:end])}"


def _listed(value: bytes) -> list[bytes]:
    """Identifiers, each behind its length (alpn)."""
    found, at = [], 0
    while at < len(value):
        length = value[at]
        if not length or at + 1 + length > len(value):
            raise Broken
        found.append(value[at + 1 : at + 1 + length])
        at += 1 + length
    return found


def _split(value: bytes, size: int) -> list[bytes]:
    if not value or len(value) % size:
        raise Broken
    return [value[i : i + size] for i in range(0, len(value), size)]


def _key_name(key: int) -> str:
    return n.SERVICE_KEYS.get(key) or f"key{key}"


def _parameter(key: int, value: bytes) -> str:
    name = _key_name(key)
    if name == "mandatory":
        return f"{name}={','.join(_key_name(_number(part)) for part in _split(value, 2))}"
    if name == "alpn":
        texts = (part.replace(b"\\", b"\\\\").replace(b",", b"\\,") for part in _listed(value))
        return f"{name}={quoted(b','.join(texts))}"
    if name == "port":
        return f"{name}={_number(*_split(value, 2))}" if len(value) == 2 else f"key{key}={quoted(value)}"
    if name == "ipv4hint":
        return f"{name}={','.join(inet_ntop(AF_INET, part) for part in _split(value, 4))}"
    if name == "ipv6hint":
        return f"{name}={','.join(inet_ntop(AF_INET6, part) for part in _split(value, 16))}"
    if name == "ech":
        return f"{name}={b64encode(value).decode()}"
    return f"{name}={quoted(value)}" if value else name


def _binding(message: bytes, at: int, end: int) -> str:
    if end - at < 3:
        raise Broken
    words = [str(_number(message[at : at + 2]))]
    name, at = read_name(message, at + 2)
    words.append(name)
    while at < end:
        key, length = _number(message[at : at + 2]), _number(message[at + 2 : at + 4])
        at += 4
        if at + length > end:
            raise Broken
        words.append(_parameter(key, message[at : at + length]))
        at += length
    if at != end:
        raise Broken
    return " ".join(words)


_READERS: dict[int, Callable[[bytes, int, int], str]] = {
    n.A: _address,
    n.AAAA: _address6,
    n.NS: _last_name,
    n.CNAME: _last_name,
    n.PTR: _last_name,
    n.DNAME: _last_name,
    n.MX: _mail,
    n.SOA: _authority,
    n.SRV: _service,
    n.TXT: _strings,
    n.SPF: _strings,
    n.CAA: _certification,
    n.SVCB: _binding,
    n.HTTPS: _binding,
}


def value_text(kind: int, message: bytes, at: int, end: int) -> str | None:
    """The data of a record of class IN as text; None for a type that is shown in hex.

    Raises Broken where the data is not what its type says. Names in it have no dot at the end.
    """
    read = _READERS.get(kind)
    return read(message, at, end) if read else None
