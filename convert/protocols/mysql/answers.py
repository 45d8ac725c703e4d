"""What a client answers when it logs in: a password as it is, or what one can be guessed from offline.

mysql_native_password sends SHA1(password) xor SHA1(challenge + SHA1(SHA1(password))), 20 bytes: hashcat's mode 11200,
John's mysqlna. caching_sha2_password sends SHA256(password) xor SHA256(SHA256(SHA256(password)) + challenge), 32 bytes;
no such tool reads that, so its line is one of our own: `$mysqlsha2$CHALLENGE*ANSWER`, both in hex. What sha256_password
and the second step of caching_sha2_password encrypt with the server's key tells nothing.
https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...model.sighting import CERTAIN, HASH, LIKELY, Sighting
from .fields import NATIVE, SHORT

if TYPE_CHECKING:
    from ...model.record import Value
    from ..sql.packets import Packet
    from .command import Command

SHA2 = "caching_sha2_password"
_CHALLENGE = 20
_CLEAR = frozenset({"mysql_clear_password", "dialog"})


class _Scheme(NamedTuple):
    name: str
    line: str
    hashcat: int | None
    john: str | None


_SCHEMES = {
    20: _Scheme(NATIVE, "$mysqlna$", 11200, "mysqlna"),
    32: _Scheme(SHA2, "$mysqlsha2$", None, None),
}
"""By the length of the answer."""


def respond(command: Command, packet: Packet, answer: bytes, begin: int) -> None:
    """The client's answer to a challenge, which begins at `begin` in the packet: a sighting where it tells anything."""
    plugin = command.plugin
    secret = answer[:-1] if answer.endswith(b"\0") else answer
    if not secret:
        return
    clear = plugin in _CLEAR
    if plugin in {SHA2, "sha256_password"}:
        # On a unix socket the password follows as it is; else a request for a key, or what is encrypted with it.
        clear = command.full and answer.endswith(b"\0") and len(answer) > 1 and min(secret) >= 0x20
    if clear:
        whole = packet.complete and answer.endswith(b"\0")
        command.sight(secret, secret, packet.part(begin, begin + len(secret)), whole, command.user)
    elif plugin in {NATIVE, SHA2} and not command.full and len(answer) in _SCHEMES:
        _hashed(command, packet, answer, begin)


def _hashed(command: Command, packet: Packet, answer: bytes, begin: int) -> None:
    scheme = _SCHEMES[len(answer)]
    seen = len(command.challenge) == _CHALLENGE
    challenge = command.challenge if seen else b""
    line = f"{scheme.line}{challenge.hex()}*{answer.hex()}"
    parts: tuple[bytes, ...] = (answer,)
    details: dict[str, Value] = {
        "mechanism": scheme.name,
        "hashcat": scheme.hashcat,
        "john": scheme.john,
        "challenge_seen": seen,
    }
    before = next((number for number, each in enumerate(command.sightings) if each.form == HASH), None)
    if before is not None:
        # The server asked again, by another plugin: one login, and what can be guessed from it are two lines.
        first = command.sightings.pop(before)
        command.passed_over -= command.passed_over > before
        line = f"{first.secret.decode('ascii')}\n{line}"
        parts = (*first.parts, answer)
        details["before"] = first.details
    command.sightings.append(
        Sighting(
            "login",
            None,
            command.user,
            line.encode("ascii"),
            answer,
            True,
            packet.part(begin, begin + len(answer)),
            protocol="mysql",
            form=HASH,
            confidence=CERTAIN if seen else LIKELY,
            details=details,
            parts=parts,
        )
    )


def goes_on(command: Command | None, body: bytes) -> bool:
    """Whether the server, with this packet, asks for more before it judges a login."""
    if command is None:
        return body[:1] in {b"\xfe", b"\x01"}
    if body[:1] == b"\xfe":
        name, _, challenge = body[1:].partition(b"\0")
        command.plugin = name[:SHORT].decode("latin-1") or "mysql_old_password"
        command.fields["authentication"] = command.plugin
        command.full = command.proven = False
        command.challenge = challenge[:_CHALLENGE]
        command.passed_over = len(command.sightings)
        return True
    if body[:1] == b"\x01":
        command.full = body == b"\x01\x04"
        command.proven = body == b"\x01\x03" and command.plugin == SHA2
        return True
    return body[:1] not in {b"\0", b"\xff"}
