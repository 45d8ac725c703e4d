"""The hellos of TLS (RFC 5246, 6066, 7301, 8446) and SSL 2 as fields, with fingerprints. They may be cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .ciphers import cipher_name
from .fingerprints import ja3_text, ja3s_text, ja4, md5_hex, meant

if TYPE_CHECKING:
    from ...model.record import Value

_SHOWN = 512
"""Ciphers, extensions or protocols that are read of one hello."""
_VERSIONS = {
    0x0002: "SSL 2.0",
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
}
_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_SNI, _GROUPS, _FORMATS, _SIGNATURES, _ALPN, _TICKET = 0, 10, 11, 13, 16, 35
_PSK, _EARLY, _SUPPORTED, _ECH = 41, 42, 43, 0xFE0D


class ServerHello(NamedTuple):
    """What a server chose."""

    fields: dict[str, Value]
    version: int
    retry: bool
    """It asks for another hello."""
    session: bytes
    psk: bool
    """It goes on from a key that is known already."""


class ClientHello(NamedTuple):
    """What a client offers."""

    fields: dict[str, Value]
    session: bytes
    versions: list[int]
    """Empty where the offer is the version of the hello alone."""


def version_name(version: int) -> str:
    """The name of a version, a draft's too; else its number in hex."""
    if version >> 8 == 0x7F:
        return f"TLS 1.3 draft {version & 0xFF}"
    return _VERSIONS.get(version) or f"{version:04x}"


class _Cursor:
    """Reads as far as there is something."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.short = False

    def take(self, size: int) -> bytes:
        found = self.data[self.at : self.at + size]
        self.at += size
        if len(found) < size:
            self.short = True
        return found

    def number(self, size: int) -> int:
        found = self.take(size)
        return 0 if self.short else int.from_bytes(found, "big")

    def block(self, size: int) -> bytes:
        """Bytes behind their length."""
        return self.take(self.number(size))

    @property
    def left(self) -> int:
        return max(len(self.data) - self.at, 0)


def _numbers(data: bytes) -> list[int]:
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, min(len(data) - 1, 2 * _SHOWN), 2)]


def _extensions(cursor: _Cursor) -> list[tuple[int, bytes]]:
    """All extensions that are there whole."""
    found: list[tuple[int, bytes]] = []
    if not cursor.left:
        return found  # a hello of before TLS 1.2 may have none
    inner = _Cursor(cursor.block(2))
    while inner.left and len(found) < _SHOWN:
        kind, body = inner.number(2), inner.block(2)
        if inner.short:
            cursor.short = True
            break
        found.append((kind, body))
    return found


def _protocols(body: bytes) -> list[bytes]:
    cursor = _Cursor(_Cursor(body).block(2))
    found: list[bytes] = []
    while cursor.left and len(found) < _SHOWN:
        name = cursor.block(1)
        if cursor.short:
            break
        found.append(name)
    return found


def _server_name(body: bytes) -> str | None:
    """The first host name of the list."""
    cursor = _Cursor(_Cursor(body).block(2))
    while cursor.left:
        kind, name = cursor.number(1), cursor.block(2)
        if cursor.short:
            break
        if kind == 0:
            return name.decode("latin-1")
    return None


def _hexes(numbers: list[int], digits: int = 4) -> list[Value]:
    return [f"{number:0{digits}x}" for number in numbers]


def client_hello(body: bytes, complete: bool) -> ClientHello:
    """The fields of a ClientHello's body; without `complete` its end is not known, and neither is any fingerprint."""
    cursor = _Cursor(body)
    version = cursor.number(2)
    cursor.take(32)
    session = cursor.block(1)
    listed = cursor.block(2)
    listed_whole = not cursor.short
    cursor.block(1)  # compression
    extensions = [] if cursor.short else _extensions(cursor)
    whole = complete and not cursor.short
    known = dict(reversed(extensions))  # the first of each kind
    ciphers = _numbers(listed)
    versions = _numbers(_Cursor(known[_SUPPORTED]).block(1)) if _SUPPORTED in known else []
    highest = max(meant(versions), key=_rank, default=version)
    offered: list[Value] = []
    if session and _rank(highest) <= _rank(0x0303):  # above, it is there for the looks (RFC 8446, appendix D.4)
        offered.append("session-id")
    if known.get(_TICKET):
        offered.append("ticket")
    if _PSK in known:
        offered.append("psk")
    fields: dict[str, Value] = {"version": version_name(highest), "legacy_version": version_name(version)}
    if whole or _SNI in known:
        fields["sni"] = _server_name(known[_SNI]) if _SNI in known else None
    protocols = _protocols(known[_ALPN]) if _ALPN in known else []
    if whole or _ALPN in known:
        fields["alpn"] = [name.decode("latin-1") for name in protocols]
    fields["cipher_count"] = len(listed) // 2 if listed_whole else None
    fields["ciphers"] = _hexes(ciphers)
    if whole:
        kinds = [kind for kind, _ in extensions]
        groups = _numbers(_Cursor(known.get(_GROUPS, b"")).block(2))
        formats = list(_Cursor(known.get(_FORMATS, b"")).block(1))
        signatures = _numbers(_Cursor(known.get(_SIGNATURES, b"")).block(2))
        text = ja3_text(version, ciphers, kinds, groups, formats)
        fields["ja3"], fields["ja3_text"] = md5_hex(text), text
        fields["ja4"], fields["ja4_text"] = ja4(highest, ciphers, kinds, protocols, signatures)
        fields["session_offered"] = offered
        fields["early_data"] = _EARLY in known
        fields["encrypted_hello"] = _ECH in known
    else:
        fields["hello_complete"] = False
    return ClientHello(fields, session, versions)


def _rank(version: int) -> int:
    """Drafts of TLS 1.3 stand below it and above TLS 1.2."""
    if version >> 8 == 0x7F:
        return 0x0303 << 8 | version & 0xFF
    return version << 8 if version <= 0x0400 else 0


def server_hello(body: bytes, complete: bool) -> ServerHello:
    """The fields of a ServerHello's body, also of one that is cut off."""
    cursor = _Cursor(body)
    version = cursor.number(2)
    old_draft = version >> 8 == 0x7F  # before draft 22 it had no session, and showed its version here
    random = cursor.take(32)
    session = b"" if old_draft else cursor.block(1)
    cipher = cursor.number(2)
    known_cipher = not cursor.short
    if not old_draft:
        cursor.take(1)
    extensions = [] if cursor.short else _extensions(cursor)
    known = dict(reversed(extensions))
    chosen = int.from_bytes(known[_SUPPORTED][:2], "big") if len(known.get(_SUPPORTED, b"")) == 2 else version
    fields: dict[str, Value] = {"version": version_name(chosen), "legacy_version": version_name(version)}
    if known_cipher:
        fields["cipher"], fields["cipher_name"] = f"{cipher:04x}", cipher_name(cipher)
    whole = complete and not cursor.short
    protocols = _protocols(known[_ALPN]) if _ALPN in known else []
    if protocols:
        fields["alpn"] = protocols[0].decode("latin-1")
    if whole:
        text = ja3s_text(version, cipher, [kind for kind, _ in extensions])
        fields["ja3s"], fields["ja3s_text"] = md5_hex(text), text
    else:
        fields["hello_complete"] = False
    return ServerHello(fields, chosen, random == _RETRY, session, _PSK in known)


def old_client_hello(message: bytes) -> ClientHello:
    """A hello in the format of SSL 2 (RFC 5246, appendix E.2), from the byte of its type on."""
    cursor = _Cursor(message)
    cursor.take(1)
    version = cursor.number(2)
    sizes = [cursor.number(2) for _ in range(3)]
    listed, session = cursor.take(sizes[0]), cursor.take(sizes[1])
    ciphers = [int.from_bytes(listed[i : i + 3], "big") for i in range(0, min(len(listed) - 2, 3 * _SHOWN), 3)]
    fields: dict[str, Value] = {
        "version": version_name(version),
        "legacy_version": "SSL 2.0",
        "cipher_count": len(listed) // 3,
        "ciphers": [f"{number:04x}" if number < 0x10000 else f"{number:06x}" for number in ciphers],
    }
    offered: list[Value] = ["session-id"] if session else []
    fields["session_offered"] = offered
    return ClientHello(fields, session, [])


def old_server_hello(message: bytes) -> tuple[dict[str, Value], bytes]:
    """(Fields, certificate) of SSL 2's server hello, from the byte of its type on."""
    cursor = _Cursor(message)
    cursor.take(1)
    resumed = cursor.number(1)
    cursor.take(1)
    version = cursor.number(2)
    sizes = [cursor.number(2) for _ in range(3)]
    certificate, listed = cursor.take(sizes[0]), cursor.take(sizes[1])
    ciphers = [int.from_bytes(listed[i : i + 3], "big") for i in range(0, min(len(listed) - 2, 3 * _SHOWN), 3)]
    fields: dict[str, Value] = {
        "version": version_name(version),
        "ciphers": _hexes(ciphers, 6),
        "resumed": bool(resumed),
    }
    return fields, certificate
