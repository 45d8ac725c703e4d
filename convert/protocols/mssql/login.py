"""How a TDS client begins: PRELOGIN, LOGIN7 (MS-TDS 2.2.6.4, 2.2.6.5) and the older login record of TDS 4.2 and 5.

LOGIN7's password is hidden by a fixed rule: each byte's halves are swapped and then XORed with A5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ...model.record import Value

OFF, ON, NOT_SUPPORTED, REQUIRED = 0, 1, 2, 3
ENCRYPTION = {OFF: "login", ON: "on", NOT_SUPPORTED: "none", REQUIRED: "required"}
"""What a side offers: for the login alone, for all, not at all, for all by its own demand."""
_MOST_OPTIONS = 16
_LONGEST = 512
_LEAST_LOGIN7 = 86
_OLD_LOGIN = 512
_REVEAL = bytes(((byte ^ 0xA5) << 4 | (byte ^ 0xA5) >> 4) & 0xFF for byte in range(256))
_VERSIONS = {0x70: "7.0", 0x71: "7.1", 0x72: "7.2", 0x73: "7.3", 0x74: "7.4", 0x08: "8.0"}


class Part(NamedTuple):
    """A text in a login, and where it stands in the message."""

    raw: bytes
    begin: int
    complete: bool


class Login(NamedTuple):
    """What a login says."""

    fields: dict[str, Value]
    username: str | None
    password: Part | None
    secret: bytes
    """The password, UTF-8; for the older record as it stands."""
    new_password: Part | None
    new_secret: bytes
    sspi: bytes
    sspi_at: int
    old: bool
    """Of TDS 4 or 5."""


def encryption(body: bytes) -> int | None:
    """What PRELOGIN says of it; None: nothing."""
    for at in range(0, 5 * _MOST_OPTIONS, 5):
        head = body[at : at + 5]
        if len(head) < 5 or head[0] == 0xFF:
            break
        offset, size = int.from_bytes(head[1:3], "big"), int.from_bytes(head[3:5], "big")
        if head[0] == 1 and size and offset < len(body):
            return body[offset] & 0x0F
    return None


def is_prelogin(body: bytes) -> bool:
    """Whether this is PRELOGIN's list of options, the version first."""
    if len(body) < 12 or body[0] != 0:
        return False
    ends = body.find(b"\xff", 5, 5 * _MOST_OPTIONS + 1)
    while ends >= 0 and ends % 5:
        ends = body.find(b"\xff", ends + 1, 5 * _MOST_OPTIONS + 1)
    if ends < 0:
        return False
    offsets = [int.from_bytes(body[at + 1 : at + 3], "big") for at in range(0, ends, 5)]
    return body[3:5] == b"\0\6" and all(ends < offset <= len(body) for offset in offsets) and body[5] in {1, 0xFF}


def is_login7(body: bytes) -> bool:
    """Whether this is LOGIN7: its length, a version, and texts within it."""
    if len(body) < _LEAST_LOGIN7:
        return False
    length = int.from_bytes(body[:4], "little")
    if not _LEAST_LOGIN7 <= length <= 128 * 1024:
        return False
    return body[7] in _VERSIONS and _within(body, length)


def _within(body: bytes, length: int) -> bool:
    for at in (36, 40, 44, 48, 52, 60, 64, 68):
        offset, size = int.from_bytes(body[at : at + 2], "little"), int.from_bytes(body[at + 2 : at + 4], "little")
        if size and not _LEAST_LOGIN7 <= offset <= offset + 2 * size <= length:
            return False
    return True


def login7(body: bytes, complete: bool) -> Login:
    """LOGIN7; what lies beyond the message is left out."""
    version = body[7] if len(body) > 7 else 0
    host, user, application, server = (_wide(body, at) for at in (36, 40, 48, 52))
    library, language, database = (_wide(body, at) for at in (60, 64, 68))
    fields: dict[str, Value] = {"user": _wire(user) or None, "tds_version": _VERSIONS.get(version, f"{version:#04x}")}
    told = {
        "client_host": host, "application": application, "server_name": server, "client_library": library,
        "language": language, "database": database,
    }  # fmt: skip
    fields |= {name: _wire(value) for name, value in told.items() if value}
    password, secret = _hidden(body, 44)
    changed: Part | None = None
    new_secret = b""
    if 0x72 <= version <= 0x74 and body[27] & 1:  # fChangePassword
        changed, new_secret = _hidden(body, 86)
    sspi_at, sspi_size = int.from_bytes(body[78:80], "little"), int.from_bytes(body[80:82], "little")
    sspi = body[sspi_at : sspi_at + sspi_size] if sspi_size else b""
    return Login(fields, user or None, password, secret, changed, new_secret, sspi, sspi_at, False)


def _wide(body: bytes, at: int) -> str:
    offset, size = int.from_bytes(body[at : at + 2], "little"), int.from_bytes(body[at + 2 : at + 4], "little")
    data = body[offset : offset + 2 * min(size, _LONGEST)] if offset >= 36 else b""
    return data[: len(data) & ~1].decode("utf-16-le", "replace")


def _hidden(body: bytes, at: int) -> tuple[Part | None, bytes]:
    """A password: (where it stands, what it is)."""
    offset, size = int.from_bytes(body[at : at + 2], "little"), int.from_bytes(body[at + 2 : at + 4], "little")
    raw = body[offset : offset + 2 * min(size, _LONGEST)]
    raw = raw[: len(raw) & ~1]
    if not size or not raw or offset < 36:
        return None, b""
    text = raw.translate(_REVEAL).decode("utf-16-le", "replace")
    return Part(raw, offset, len(raw) == 2 * size), text.encode("utf-8", "replace")


def is_old_login(body: bytes) -> bool:
    """Whether this is the login record of TDS 4.2 or 5: fields of 30 bytes, each with its length behind it."""
    if len(body) < _OLD_LOGIN - 8:
        return False
    for at in (0, 31, 62, 93):
        size = body[at + 30]
        if size > 30 or (at != 62 and any(byte < 0x20 for byte in body[at : at + size])):
            return False
    version = body[458:462]
    return body[124] in {2, 3} and body[125] in {0, 1} and version[:1] in {b"\4", b"\5"} and bool(body[31 + 30])


def old_login(body: bytes) -> Login:
    """The login record of TDS 4.2 or 5 (Sybase)."""
    host, user, process, application, server = (_fixed(body, at) for at in (0, 31, 93, 140, 171))
    fields: dict[str, Value] = {"user": user.decode("latin-1") or None}
    version = body[458:462]
    if version:
        fields["tds_version"] = ".".join(str(byte) for byte in version[:2])
    told = {"client_host": host, "application": application, "server_name": server, "client_process_id": process}
    fields |= {name: value.decode("latin-1") for name, value in told.items() if value}
    secret = _fixed(body, 62)
    part = Part(secret, 62, len(body) > 92) if secret else None
    return Login(fields, _text(user) or None, part, secret, None, b"", b"", 0, True)


def _fixed(body: bytes, at: int) -> bytes:
    size = body[at + 30] if at + 30 < len(body) else 30
    return body[at : at + min(size, 30)]


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _wire(text: str) -> str:
    """As a record holds it: UTF-8, one character a byte."""
    return text.encode("utf-8", "replace").decode("latin-1")
