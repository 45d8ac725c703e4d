"""Fields of XML that hold a secret or name a user: elements, attributes, SOAP's WS-Security, XML-RPC.

No document is built and no entity but the five of XML and numbers is followed; what was cut still tells.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from typing import TYPE_CHECKING

from ...model.sighting import CERTAIN, HASH, LIKELY
from .form_fields import CLIENT_FIELDS, USER_FIELDS, Kind, own_name, secret_kind, text_of
from .json_fields import may_hold_secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model.span import Span
    from .form import Form

HASHCAT_SHA1_SALTED = 120
_MOST_TAGS = 20_000
# An element's start with what follows it up to the next tag; or a CDATA section there.
_TAG = re.compile(
    rb"<(?P<name>[A-Za-z_][\w.:\-]{0,127})(?P<attributes>(?:\s[^<>]{0,4096})?)(?P<empty>/?)>"
    rb"\s*+(?:<!\[CDATA\[(?P<data>.*?)(?:\]\]>|\Z)|(?P<text>[^<]*))(?P<close></)?",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(rb"(?P<name>[A-Za-z_][\w.:\-]{0,127})\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')")
_ELEMENT = re.compile(rb"<(?!html\b)[A-Za-z_][\w.:\-]{0,127}[\s/>]")
_ENTITY = re.compile(rb"&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(amp|lt|gt|quot|apos));")
_NAMED = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}
_PAIRED_NAMES = frozenset((b"name", b"key"))
_RPC = re.compile(rb"<methodName>\s*(?P<name>[\w.]{1,100})\s*</methodName>")
_RPC_TEXT = re.compile(
    rb"<value>\s*+(?:<string>(?P<typed>[^<]*)|(?P<plain>[^<]+)</value>|<(?:int|i4)>(?P<number>[^<]*))"
)
# WordPress: the user and the password come in this place among the parameters.
_RPC_USERS = re.compile(rb"(?:wp|metaWeblog|blogger|mt)\.")
_RPC_FIRST = frozenset((b"wp.getUsersBlogs", b"wp.getProfile", b"mt.supportedMethods"))


def looks_like_xml(data: bytes) -> bool:
    """Whether it begins as a document, and has a first element or a declaration."""
    text = data.lstrip(b" \t\r\n\xef\xbb\xbf")
    return text[:5] == b"<?xml" or _ELEMENT.match(text) is not None


def read_xml(form: Form, data: bytes, ends_cut: bool, locate: Callable[[int, int], Span]) -> None:
    """Give the form the fields of one stretch of XML."""
    call = _RPC.search(data, 0, 4096)
    if call is not None:
        _read_call(form, data, call, locate)
    if not may_hold_secret(data):
        return
    paired: bytes | None = None
    nonce = created = b""
    digests: list[tuple[bytes, int]] = []
    for number, tag in enumerate(_TAG.finditer(data)):
        if form.full or number >= _MOST_TAGS:
            return
        local = tag["name"].rpartition(b":")[2]
        group = "data" if tag["data"] is not None else "text"
        value, begin = tag[group], tag.start(group)
        if group == "text":
            value = value.rstrip(b" \t\r\n") if tag["close"] is None or b"\n" in value else value
        complete = tag["close"] is not None or tag.end() < len(data) or not ends_cut
        if local == b"Nonce":
            nonce = value
        elif local == b"Created":
            created = value
        elif local == b"Password" and b"PasswordDigest" in tag["attributes"]:
            digests.append((value, begin))
            continue
        if local in _PAIRED_NAMES:
            paired = value[:128]
        elif local in {b"string", b"value"} and paired is not None and value:
            local, paired = paired, None
        if not tag["empty"] and value:
            _take(form, local, value, group == "data", complete, begin, locate)
        if tag["attributes"]:
            _read_attributes(form, tag, locate)
    for value, begin in digests:
        add_digest(form, value, nonce, created, locate(begin, begin + len(value)))


def _read_attributes(form: Form, tag: re.Match[bytes], locate: Callable[[int, int], Span]) -> None:
    """Attributes; of <add key="password" value="x"/> and the like the pair."""
    told = [(found, "double" if found["double"] is not None else "single") for found in
            _ATTRIBUTE.finditer(tag["attributes"])]  # fmt: skip
    named = {found["name"].lower(): found[group] for found, group in told}
    paired = named.get(b"name", named.get(b"key")) if b"value" in named else None
    for found, group in told:
        name = found["name"].rpartition(b":")[2]
        if paired is not None and name.lower() == b"value":
            name = paired
        at = tag.start("attributes") + found.start(group)
        _take(form, name, found[group], False, True, at, locate)


def _read_call(form: Form, data: bytes, call: re.Match[bytes], locate: Callable[[int, int], Span]) -> None:
    """A call of WordPress's XML-RPC, whose users and passwords have places instead of names."""
    if _RPC_USERS.match(call["name"]) is None:
        return
    place = 0 if call["name"] in _RPC_FIRST else 1
    values = []
    for found in _RPC_TEXT.finditer(data, call.end()):
        group = next(name for name in ("typed", "plain", "number") if found[name] is not None)
        values.append((group, found))
        if len(values) > place + 1:
            break
    if len(values) < place + 2:
        return
    (user_group, user), (group, secret) = values[place : place + 2]
    if user_group == "number" or group == "number" or not secret[group]:
        return
    form.name(text_of(undone(user[user_group])))
    begin, end = secret.span(group)
    form.add("password", undone(secret[group]), secret[group], True, locate(begin, end), Kind("cleartext", LIKELY))


def _take(
    form: Form, name: bytes, value: bytes, literal: bool, complete: bool, begin: int, locate: Callable[[int, int], Span]
) -> None:
    field = own_name(name)
    kind = secret_kind(field)
    if kind is None and field not in USER_FIELDS and field not in CLIENT_FIELDS:
        return
    decoded = value if literal else undone(value)
    if kind is None:
        form.name(text_of(decoded), field)
    elif decoded:
        form.add(text_of(name), decoded, value, complete, locate(begin, begin + len(value)), kind)


def undone(text: bytes) -> bytes:
    """Text with its entities undone."""
    if b"&" not in text:
        return text

    def replaced(match: re.Match[bytes]) -> bytes:
        if match[3]:
            return _NAMED[match[3]]
        code = int(match[1]) if match[1] else int(match[2], 16)
        return chr(code).encode() if code < 0x110000 and not 0xD800 <= code < 0xE000 else match[0]

    return _ENTITY.sub(replaced, text)


def add_digest(form: Form, value: bytes, nonce: bytes, created: bytes, span: Span) -> None:
    """WS-Security's PasswordDigest: base64 of SHA-1 over nonce, time and password (UsernameToken Profile 1.0, 3.1)."""
    try:
        digest, salt = b64decode(value, validate=True), b64decode(nonce) + created
    except (Error, ValueError):
        return
    if len(digest) != 20 or form.full:
        return
    form.add("PasswordDigest", value, value, True, span, Kind(HASH, CERTAIN if nonce else LIKELY))
    found = form.found[-1]
    found.secret = digest.hex().encode() + b":" + salt.hex().encode()
    found.parts = (digest,)
    found.details = {
        "mechanism": "WSS PasswordDigest",
        "hashcat": HASHCAT_SHA1_SALTED,
        "hashcat_options": "--hex-salt",
        "john": None,
        "challenge_seen": bool(nonce),
    }
