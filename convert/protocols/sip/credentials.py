"""What a message of SIP proves itself with: Digest, Basic, Bearer; and passwords within URIs (RFC 3261, 19.1.1)."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

from ...model.sighting import AUTHORIZATION_BASIC, CERTAIN, CLEARTEXT, HEADER, TOKEN, URL_USERINFO
from ..http.digest import parameters, sighting_fields, sip_line

if TYPE_CHECKING:
    from .messages import Head, Header

_HEADERS = {"authorization": "Authorization", "proxy-authorization": "Proxy-Authorization"}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9\-]{0,31})[ \t]+(\S.*)", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{2,8192}={0,2}")
_USERINFO = re.compile(rb"sips?:([^@:;?<>\s]{1,256}):(?![0-9]{1,5}[;?])([^@<>\s\"]{1,256})@", re.IGNORECASE)
"""More than the RFC lets stand there: what is taken for a password is not shown. Behind a host stands a port."""
_HOST = re.compile(r"[^@:]*:(?:[^@]*@)?(\[[0-9A-Fa-f:.]+\]|[^:;?>\s]{1,256})")
_MOST = 16
"""Credentials of one message."""
_REMEMBERED = 256
"""Challenges that were answered."""


class Proof(NamedTuple):
    """One secret in a message: what a Sighting says of it, and where it stands."""

    scheme: str
    fields: dict[str, Any]
    raw: bytes
    at: int


class Proofs:
    """Of one conversation: what answers a challenge once more is the same secret."""

    def __init__(self) -> None:
        self._first: OrderedDict[tuple[str, str, str], dict[str, Any]] = OrderedDict()

    def find(self, head: Head, first_line: bytes) -> list[Proof]:
        """All of a request, in the order of its headers."""
        found: list[Proof] = []
        for header in head.headers:
            if header.name in _HEADERS and len(found) < _MOST:
                one = self._one(head, header)
                if one is not None:
                    found.append(one)
        return [*found, *_in_uris(head, first_line)][:_MOST]

    def _one(self, head: Head, header: Header) -> Proof | None:
        value = header.value.decode("latin-1")
        given = parameters(value)
        if given is not None:
            return self._digest(head, header, given)
        scheme = _SCHEME.fullmatch(value)
        if scheme is None:
            return None
        word, token = scheme[1].lower(), scheme[2].strip()
        if word == "basic" and _BASE64.fullmatch(token):
            return _basic(header, token)
        if word == "bearer" and not re.search(r"\s", token):
            fields = {"location": HEADER, "username": None, "secret": token.encode("latin-1"), "form": TOKEN}
            return _placed("Bearer", fields | {"confidence": CERTAIN}, header, token.encode("latin-1"))
        return None

    def _digest(self, head: Head, header: Header, given: dict[str, str]) -> Proof | None:
        server = _HOST.match(head.uri)
        hosts = server[1].strip("[]") if server else "", head.sent_by
        answer = sip_line(head.method or "", head.uri, given, *hosts) if given.get("username") else None
        if answer is None:
            return None  # who one is may be told without an answer: username="..", response=""
        fields = sighting_fields(answer) | {"location": "authorization-digest"}
        key = answer.username, given.get("realm", "")[:256], given.get("nonce", "")[:256]
        before = self._first.get(key) if key[2] else None
        if before is None:
            self._first[key] = fields
            if len(self._first) > _REMEMBERED:
                self._first.popitem(last=False)
        elif before["secret"] != fields["secret"]:
            fields = before | {"parts": fields["parts"]}
        return _placed("Digest", fields, header, answer.response.encode("latin-1"))


def without_passwords(uri: str) -> str:
    """Text that holds URIs, where a password behind a user is left out."""
    return _USERINFO.sub(
        lambda found: found[0].partition(b":")[0] + b":" + found[1] + b"@", uri.encode("latin-1")
    ).decode("latin-1")


def _basic(header: Header, token: str) -> Proof | None:
    try:
        decoded = b64decode(token.rstrip("=") + "=" * (-len(token.rstrip("=")) % 4))
    except Base64Error:
        return None
    user, colon, password = decoded.partition(b":")
    if not colon or not password:
        return None
    fields = {"location": AUTHORIZATION_BASIC, "username": _text(user), "secret": password, "form": CLEARTEXT}
    return _placed("Basic", fields, header, token.encode("ascii"))


def _placed(scheme: str, fields: dict[str, Any], header: Header, what: bytes) -> Proof:
    """With the bytes of the header that hold it, or the whole header where it is folded in between."""
    fields["field"] = _HEADERS[header.name]
    at = header.raw.rfind(what) if what else -1
    return Proof(scheme, fields, what, header.at + at) if at >= 0 else Proof(scheme, fields, header.raw, header.at)


def _in_uris(head: Head, first_line: bytes) -> list[Proof]:
    found = []
    places = [(first_line, 0), *((one.raw, one.at) for one in head.headers if one.name in ("from", "to", "contact"))]
    for text, at in places:
        userinfo = _USERINFO.search(text)
        if userinfo is not None:
            fields = {"location": URL_USERINFO, "field": None, "username": _text(userinfo[1]), "secret": userinfo[2]}
            found.append(Proof("", fields, userinfo[2], at + userinfo.start(2)))
    return found


def _text(raw: bytes) -> str:
    """A name as text: UTF-8, else a character a byte."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
