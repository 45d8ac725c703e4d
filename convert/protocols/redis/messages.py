"""A Redis command and a reply as what a record shows of them, and the secrets that are taken out of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...model.record import Message
from ...model.sighting import HASH, Sighting
from ...model.span import Span
from .commands import SECRET_SETTINGS, left_out, name_of, secrets_of, words
from .values import Part, text

if TYPE_CHECKING:
    from ...model.record import Value
    from .values import Read

_NAMES = frozenset(name.decode() for name in SECRET_SETTINGS)
_LISTED = frozenset(("ACL", "AUTH", "CONFIG", "HELLO", "MIGRATE", "SENTINEL"))
_HASH = re.compile(r"#?\b[0-9a-f]{64}\b")
_ACL_HASH = re.compile(rb"#[0-9a-f]{64}")


def split(line: Part) -> list[Part]:
    """The words of a command that is a line, each with the span of what stands between its quotes."""
    parts = []
    for word in words(line.data):
        span = Span(line.span.place, line.span.offset + word.begin, word.end - word.begin)
        parts.append(Part("word", word.data, len(word.data), span))
    return parts


def request(read: Read, parts: list[Part], said: list[bytes]) -> tuple[Message, list[Sighting]]:
    """A command without its secrets, and these."""
    arguments: list[Value] = [text(part) for part in parts]
    sightings = []
    for secret in secrets_of(said):
        part = parts[secret.word]
        arguments[secret.word] = None
        value = part.data[secret.skip :]
        if value:
            span = Span(part.span.place, part.span.offset + secret.skip, part.span.length - secret.skip)
            raw = value
            if part.kind == "word":
                line, begin = read.parts[0], part.span.offset - read.parts[0].span.offset + secret.skip
                raw = line.data[begin : begin + span.length]
            found = (secret.location, secret.field, secret.username, value, raw)
            sightings.append(Sighting(*found, part.complete, span, protocol="redis"))
    hidden = left_out(said)
    for at in hidden:
        arguments[at] = None
        if name_of(said) == "ACL SETUSER" and _ACL_HASH.fullmatch(parts[at].data):
            sightings.append(_acl_hash(parts[at], parts[2].data))
    command = parts[0].data[:64].decode("latin-1")
    fields: dict[str, Value] = {"command": command, "arguments": arguments[1:]}
    if sightings or hidden:
        fields["secret"] = True
    if read.kind == "array" and read.total > len(parts):
        fields["arguments_total"] = read.total - 1
    if not read.complete or any(isinstance(value, dict) for value in arguments):
        fields["arguments_complete"] = False
    return Message(read.span, fields), sightings


def _acl_hash(part: Part, user: bytes) -> Sighting:
    """The rule "#..." gives a user the password whose SHA-256 this is."""
    value, span = part.data[1:], Span(part.span.place, part.span.offset + 1, part.span.length - 1)
    who = user.decode("utf-8", "replace")
    one = Sighting("query-text", "acl", who, value, value, part.complete, span, protocol="redis", form=HASH)
    one.details = {"mechanism": "sha256", "hashcat": 1400, "john": "raw-sha256"}
    return one


def reply(read: Read) -> dict[str, Value]:
    """What a reply says, and whether that is all of it."""
    hidden = _hide_settings(read.value)
    fields: dict[str, Value] = {"reply": read.value}
    if not read.complete:
        fields["reply_complete"] = False
    if hidden:
        fields["secret"] = True
    return fields


def _hide_settings(value: Value) -> bool:
    """Take out what follows a password's name, wherever it is told: in a transaction's replies, without its command."""
    if isinstance(value, dict):
        return any([_hide_settings(inner) for inner in value.values()])
    if not isinstance(value, list):
        return False
    hidden = any([_hide_settings(inner) for inner in value]) or _hide_command(value)
    for at in range(len(value) - 1):
        name = value[at]
        if isinstance(name, str) and name.lower() in _NAMES and value[at + 1]:
            value[at + 1] = None
            hidden = True
    return hidden


def _hide_command(value: list[Value]) -> bool:
    """Take out the secrets of a command that a reply lists, as SLOWLOG does."""
    if not value or not isinstance(value[0], str) or value[0].upper() not in _LISTED:
        return False
    command = [one.encode("latin-1") if isinstance(one, str) else b"" for one in value]
    secret = [found.word for found in secrets_of(command)] + left_out(command)
    for at in secret:
        value[at] = None
    return bool(secret)


def response(read: Read) -> Message:
    """A reply with how it ended and of what type it is."""
    value, result = read.value, "ok"
    fields = reply(read)
    if read.kind in {"error", "bulk-error"}:
        result = "error"
        if isinstance(value, dict):
            fields["reply"] = value["error"]
    return Message(read.span, {"result": result, "reply_type": read.kind, **fields})


def settings_told(read: Read, fields: dict[str, Value]) -> list[Sighting]:
    """Passwords that CONFIG GET gave away are taken out of its reply."""
    told, parts = [], read.parts
    for at in range(0, len(parts) - 1, 2):
        name, part = parts[at].data.lower(), parts[at + 1]
        if name in SECRET_SETTINGS and part.data:
            found = ("query-text", name.decode(), None, part.data, part.data)
            told.append(Sighting(*found, part.complete, part.span, protocol="redis"))
            _blank(read.value, at + 1)
            fields["secret"] = True
    return told


def _blank(value: Value, at: int) -> None:
    if isinstance(value, list) and at < len(value):
        value[at] = None
    elif isinstance(value, dict):
        pairs = value.get("map")
        if isinstance(pairs, list) and at // 2 < len(pairs):
            pair = pairs[at // 2]
            if isinstance(pair, list) and len(pair) == 2:
                pair[1] = None


def without_hashes(value: Value) -> Value:
    """Users' password hashes are left out."""
    if isinstance(value, str):
        return _HASH.sub("#" if value.startswith("user ") else "", value)
    if isinstance(value, list):
        return [without_hashes(inner) for inner in value]
    if isinstance(value, dict):
        return {name: without_hashes(inner) for name, inner in value.items()}
    return value
