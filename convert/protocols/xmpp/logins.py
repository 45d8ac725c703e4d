"""Logins of XMPP that are not SASL's: jabber:iq:auth, registrations, and a component's handshake.

The digest of the first and the last is SHA-1 of the stream's id and the password: hashcat's mode 120, John's
dynamic_25.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...model.sighting import CERTAIN, HASH, LIKELY
from ..sasl.hashes import plain as unescaped
from ..sasl.secret import SaslSecret, user_fields, user_name
from .scanner import plain
from .tokens import stripped

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.span import Span
    from .scanner import Element, Stanza

MOST_PENDING = 32
_AUTH, _REGISTER = b"jabber:iq:auth", b"jabber:iq:register"
_DIGEST = re.compile(rb"[0-9A-Fa-f]{40}\Z")


class Login:
    """One that waits for its answer."""

    def __init__(self, span: Span, fields: dict[str, Value], secret: SaslSecret | None) -> None:
        self.span = span
        self.fields = fields
        self.secret = secret
        if secret is not None:
            fields["secret"] = True


def _digest(
    element: Element, user: bytes | None, stream: bytes | None, mechanism: str, where: str
) -> SaslSecret | None:
    found = stripped(element)
    if found is None or not element.complete or _DIGEST.match(found[0]) is None:
        return None
    raw, span = found
    salt = stream or b""
    salt = salt if unescaped(salt) else b"$HEX[" + salt.hex().encode() + b"]"
    details: dict[str, Value] = {
        "mechanism": mechanism,
        "hashcat": 120,
        "john": "dynamic_25",
        "challenge_seen": stream is not None,
    }
    sure = CERTAIN if stream is not None else LIKELY
    parts = (bytes.fromhex(raw.decode()), raw)
    line = raw.lower() + b":" + salt
    return SaslSecret(where, user_name(user), line, raw, span, True, HASH, sure, details, parts)


def legacy(stanza: Stanza, stream: bytes | None) -> Login | None:
    """A query that logs in, registers or sets a password; None: another one. `stream`: the id of the server's."""
    query = stanza.find(b"query")
    space = query.attributes.get(b"xmlns") if query is not None else None
    if space not in (_AUTH, _REGISTER):
        return None
    username, password, digest = (stanza.find(name) for name in (b"username", b"password", b"digest"))
    user = plain(username.raw) or None if username is not None else None
    mechanism = "IQ-AUTH" if space == _AUTH else "IQ-REGISTER"
    secret: SaslSecret | None = None
    if password is not None and password.span is not None:
        raw, span = password.raw, password.span
        where = "login" if space == _AUTH else "register"
        secret = SaslSecret(where, user_name(user), plain(raw), raw, span, password.complete)
    elif digest is not None and space == _AUTH:
        mechanism = "IQ-AUTH-DIGEST"
        secret = _digest(digest, user, stream, mechanism, "iq-auth-digest")
    elif space == _REGISTER:
        return None
    return Login(stanza.span, {"command": "iq", "mechanism": mechanism, **user_fields(user)}, secret)


def handshake(stanza: Stanza, header: dict[bytes, bytes], stream: bytes | None) -> Login | None:
    """A component's: its name is what it wants the stream to be for."""
    secret = _digest(stanza.top, header.get(b"to"), stream, "HANDSHAKE", "handshake")
    if secret is None:
        return None
    fields: dict[str, Value] = {"command": "handshake", "mechanism": "HANDSHAKE", **user_fields(header.get(b"to"))}
    return Login(stanza.span, fields, secret)
