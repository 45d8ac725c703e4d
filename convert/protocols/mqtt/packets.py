"""What stands in MQTT's control packets: 3.1, 3.1.1 and 5.

https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html,
https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html, https://public.dhe.ibm.com/software/dw/webservices/
ws-mqtt/mqtt-v3r1.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..handing import shown
from ..octets import Octets, Short

if TYPE_CHECKING:
    from ...model.record import Value

CONNECT, CONNACK, PUBLISH, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 1, 2, 3, 8, 9, 10, 11
LONGEST = 64 * 1024
"""Of a text in a record."""
MOST_TOPICS = 64
VERSIONS = {3: "3.1", 4: "3.1.1", 5: "5.0"}
_REASONS = {
    1: "unacceptable-version", 2: "identifier-rejected", 3: "unavailable", 4: "bad-user-or-password",
    5: "not-authorized", 0x80: "unspecified", 0x81: "malformed", 0x82: "protocol-error", 0x83: "implementation",
    0x84: "unacceptable-version", 0x85: "identifier-rejected", 0x86: "bad-user-or-password", 0x87: "not-authorized",
    0x88: "unavailable", 0x89: "busy", 0x8A: "banned", 0x8C: "bad-authentication-method", 0x90: "topic-invalid",
    0x95: "packet-too-large", 0x97: "quota-exceeded", 0x99: "payload-format", 0x9A: "retain-unsupported",
    0x9B: "qos-unsupported", 0x9C: "use-another-server", 0x9D: "server-moved", 0x9F: "connection-rate",
}  # fmt: skip
REFUSING = frozenset({4, 5, 0x86, 0x87, 0x8A, 0x8C})
"""Codes that tell of the credentials."""

# How a property is read: as a number of so many bytes, a text (s), two texts (p), or a number that says its length (v).
_PROPERTIES = {
    0x01: "1", 0x02: "4", 0x03: "s", 0x08: "s", 0x09: "s", 0x0B: "v", 0x11: "4", 0x12: "s", 0x13: "2", 0x15: "s",
    0x16: "s", 0x17: "1", 0x18: "4", 0x19: "1", 0x1A: "s", 0x1C: "s", 0x1F: "s", 0x21: "2", 0x22: "2", 0x23: "2",
    0x24: "1", 0x25: "1", 0x26: "p", 0x27: "4", 0x28: "1", 0x29: "1", 0x2A: "1",
}  # fmt: skip
_METHOD, _METHOD_DATA, _REASON = 0x15, 0x16, 0x1F

NAMES = re.compile(rb"\x10[\x00-\xff]{1,4}?(?:\x00\x04MQTT[\x04\x05]|\x00\x06MQIsdp[\x03\x83])", re.DOTALL)
"""How CONNECT begins."""
LONGEST_BEGIN = 1 + 4 + 9


def header(data: bytes) -> tuple[int, int] | None:
    """(bytes of the header, bytes behind it); (0, 0) where the end of the header is missing, None where it is none."""
    length = 0
    for at in range(1, min(len(data), 5)):
        length |= (data[at] & 0x7F) << 7 * (at - 1)
        if not data[at] & 0x80:
            return at + 1, length
    return None if len(data) >= 5 else (0, 0)


def begins(data: bytes, at: int) -> bool:
    """CONNECT begins there: its header is one, and the flags are such as the protocol allows."""
    if NAMES.match(data, at) is None:
        return False
    told = header(data[at : at + 5])
    if told is None or not told[0]:
        return False
    begin = at + told[0]
    body = data[begin : begin + 12]
    name = int.from_bytes(body[:2], "big")
    if name not in {4, 6} or told[1] < name + 8 or body[2 : 2 + name] not in {b"MQTT", b"MQIsdp"}:
        return False
    flags = body[name + 3 : name + 4]
    return not flags or not flags[0] & 1 and flags[0] >> 3 & 3 != 3


def _varint(body: Octets) -> int:
    value = 0
    for shift in range(0, 28, 7):
        byte = body.number(1)
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value
    raise Short


def properties(body: Octets) -> dict[int, bytes]:
    """MQTT 5: those that are texts, by number, the first of each; what follows one that is not known is passed over."""
    found: dict[int, bytes] = {}
    size = _varint(body)
    inner = Octets(body.data, body.at, body.at + min(size, body.left))
    body.take(size)
    while inner.left:
        number = inner.number(1)
        kind = _PROPERTIES.get(number)
        if kind is None:
            break
        if kind == "v":
            _varint(inner)
        elif kind == "p":
            inner.sized(2)
            inner.sized(2)
        elif kind == "s":
            found.setdefault(number, inner.sized(2))
        else:
            inner.take(int(kind))
    return found


class Password(NamedTuple):
    """Where it stands within the body of CONNECT."""

    data: bytes
    begin: int
    complete: bool


class Connect:
    """CONNECT, as far as it goes."""

    def __init__(self, data: bytes) -> None:
        self.fields: dict[str, Value] = {}
        self.user: bytes | None = None
        self.password: Password | None = None
        self.version = 0
        self.complete = True
        try:
            self._read(Octets(data))
        except Short:
            self.complete = False
            self.fields["request_complete"] = False

    def _read(self, body: Octets) -> None:
        fields = self.fields
        body.sized(2)
        self.version = body.number(1) & 0x7F
        fields["version"] = VERSIONS.get(self.version)
        flags = body.number(1)
        fields["clean"] = bool(flags & 2)
        fields["keep_alive"] = body.number(2)
        if self.version == 5:
            self._properties(body)
        name, _, _ = self._part(body)
        shown(fields, "client_id", name, LONGEST)
        if flags & 4:
            if self.version == 5:
                properties(body)
            topic, _, _ = self._part(body)
            shown(fields, "will_topic", topic, LONGEST)
            will, _, _ = self._part(body)
            fields["will_length"] = len(will)
            fields["will_qos"], fields["will_retain"] = flags >> 3 & 3, bool(flags & 0x20)
        if flags & 0x80:
            self.user, _, _ = self._part(body)
            shown(fields, "user", self.user, LONGEST)
        if flags & 0x40:
            data, begin, whole = body.part(2)
            self.complete = whole
            if data:
                self.password = Password(data, begin, whole)
                fields["secret"] = True

    def _part(self, body: Octets) -> tuple[bytes, int, bool]:
        """A field that has to be whole, since others follow it."""
        told = body.part(2)
        if not told[2]:
            raise Short
        return told

    def _properties(self, body: Octets) -> None:
        found = properties(body)
        if _METHOD in found:
            shown(self.fields, "authentication", found[_METHOD], LONGEST)
        if _METHOD_DATA in found:
            self.fields["authentication_data_length"] = len(found[_METHOD_DATA])


def connack(data: bytes, version: int) -> tuple[dict[str, Value], int] | None:
    """CONNACK: its fields and its code; None where it is cut."""
    if len(data) < 2:
        return None
    code = data[1]
    fields: dict[str, Value] = {"result": "error" if code else "ok", "code": code}
    if code:
        fields["reason"] = _REASONS.get(code)
    else:
        fields["session_present"] = bool(data[0] & 1)
    if version == 5:
        try:
            found = properties(Octets(data, 2))
        except Short:
            found = {}
        if _REASON in found:
            shown(fields, "message", found[_REASON], LONGEST)
    return fields, code


def publish(flags: int, data: bytes, length: int, version: int) -> dict[str, Value]:
    """PUBLISH: what stands before its payload, and the payload's length."""
    qos = flags >> 1 & 3
    fields: dict[str, Value] = {"qos": qos, "retain": bool(flags & 1), "duplicate": bool(flags & 8)}
    body = Octets(data)
    try:
        shown(fields, "topic", body.sized(2), LONGEST)
        if qos:
            fields["packet_id"] = body.number(2)
        if version == 5:
            properties(body)
        fields["payload_length"] = length - body.at
    except Short:
        fields["request_complete"] = False
    return fields


def topics(kind: int, data: bytes, version: int) -> tuple[int, dict[str, Value]]:
    """SUBSCRIBE and UNSUBSCRIBE: the packet's number, and the topics that they name."""
    body = Octets(data)
    found: list[Value] = []
    whole = True
    number = 0
    try:
        number = body.number(2)
        if version == 5:
            properties(body)
        while body.left:
            name = body.sized(2)
            asked = body.number(1) & 3 if kind == SUBSCRIBE else None
            if len(found) >= MOST_TOPICS:
                whole = False
                break
            topic = name[: LONGEST // MOST_TOPICS].decode("latin-1")
            whole = whole and len(topic) == len(name)
            found.append([topic, asked] if kind == SUBSCRIBE else topic)
    except Short:
        whole = False
    return number, {"topics": found, "topics_complete": whole}


def codes(data: bytes, version: int) -> dict[str, Value]:
    """SUBACK and UNSUBACK: what became of each topic."""
    body = Octets(data, 2)
    try:
        if version == 5:
            properties(body)
    except Short:
        return {"result": None}
    told: list[Value] = list(body.data[body.at :][:MOST_TOPICS])
    refused = any(code >= 0x80 for code in body.data[body.at :])
    return {"result": "error" if refused else "ok", "codes": told}
