"""Conversations of brokers and stores with a password in each place where one may stand (secret_talks.py)."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

Calls = list[tuple[bool, bytes]]
Talks = Iterator[tuple[str, Calls]]


def _short(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def _long(data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + data


def _method(number: tuple[int, int], body: bytes) -> bytes:
    payload = struct.pack("!HH", *number) + body
    return struct.pack("!BHI", 1, 0, len(payload)) + payload + b"\xce"


def _sasl(code: int, *fields: bytes) -> bytes:
    body = b"".join(fields)
    body = b"\0\x53" + bytes([code]) + b"\xc0" + bytes([len(body) + 1, len(fields)]) + body
    return struct.pack("!IBBH", len(body) + 8, 2, 1, 0) + body


def amqp(s: bytes) -> Talks:
    """0-9-1 in both mechanisms, and 1.0."""
    start = _method((10, 10), b"\0\x09" + _long(b"") + _long(b"PLAIN AMQPLAIN") + _long(b"en_US"))
    refused = struct.pack("!H", 403) + _short(b"ACCESS_REFUSED - not " + s) + struct.pack("!HH", 0, 0)
    table = _short(b"LOGIN") + b"S" + _long(b"ann") + _short(b"PASSWORD") + b"S" + _long(s)
    for mechanism, response in ((b"PLAIN", b"\0ann\0" + s), (b"AMQPLAIN", table)):
        asked = _method((10, 11), _long(b"") + _short(mechanism) + _long(response) + _short(b"en_US"))
        begin: Calls = [(True, b"AMQP\0\0\x09\1"), (False, start), (True, asked)]
        yield mechanism.decode().lower(), [*begin, (False, _method((10, 50), refused))]
    header = b"AMQP\3\1\0\0"
    init = _sasl(0x41, b"\xa3\x05PLAIN", b"\xa0" + _short(b"\0ann\0" + s), b"\xa1\x04host")
    told = header + _sasl(0x40, b"\xa3\x05PLAIN")
    yield "version-1", [(True, header), (False, told), (True, init), (False, _sasl(0x44, b"\x50\1"))]


def stomp(s: bytes) -> Talks:
    """CONNECT and STOMP."""
    for command in (b"CONNECT", b"STOMP"):
        asked = command + b"\naccept-version:1.2\nhost:shop\nlogin:ann\npasscode:" + s + b"\n\n\0"
        yield command.decode().lower(), [(True, asked), (False, b"ERROR\nmessage:not " + s + b"\n\nno " + s + b"\0")]


def nats(s: bytes) -> Talks:
    """CONNECT with a password and with a token."""
    info = b'INFO {"server_id":"NAB","version":"2.9.10","max_payload":1048576,"auth_required":true}\r\n'
    for options in ({"user": "ann", "pass": s.decode()}, {"auth_token": s.decode()}):
        asked = b"CONNECT " + json.dumps({"verbose": False, **options}).encode() + b"\r\nPING\r\n"
        calls: Calls = [(False, info), (True, asked), (False, b"-ERR 'Authorization Violation'\r\n")]
        yield "-".join(options), calls


def _bson(**fields: str | int | bytes) -> bytes:
    body = b""
    for name, value in fields.items():
        key = name.replace("_db", "$db").encode() + b"\0"
        if isinstance(value, int):
            body += b"\x10" + key + struct.pack("<i", value)
        elif isinstance(value, str):
            text = value.encode() + b"\0"
            body += b"\x02" + key + struct.pack("<i", len(text)) + text
        else:
            body += b"\x05" + key + struct.pack("<iB", len(value), 0) + value
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def _msg(number: int, to: int, **fields: str | int | bytes) -> bytes:
    body = bytes(5) + _bson(**fields)
    return struct.pack("<iiii", len(body) + 16, number, to, 2013) + body


def mongodb(s: bytes) -> Talks:
    """SASL PLAIN, and createUser."""
    no = _msg(1, 7, ok=0, code=18, codeName="AuthenticationFailed", errmsg="not " + s.decode())
    plain = _msg(7, 0, saslStart=1, mechanism="PLAIN", payload=b"\0ann\0" + s, _db="$external")
    yield "plain", [(True, plain), (False, no)]
    yield "create", [(True, _msg(7, 0, createUser="ann", pwd=s.decode(), _db="admin")), (False, no)]


def memcached(s: bytes) -> Talks:
    """SASL in the binary protocol, and the first `set` of the text protocol."""

    def binary(magic: int, number: int, key: bytes, value: bytes, status: int = 0) -> bytes:
        length = len(key) + len(value)
        return struct.pack("!BBHBBHIIQ", magic, number, len(key), 0, 0, status, length, 0, 0) + key + value

    asked = binary(0x80, 0x21, b"PLAIN", b"\0ann\0" + s)
    yield "binary", [(True, asked), (False, binary(0x81, 0x21, b"", b"Auth failure " + s, 0x20))]
    asked = b"set x 0 0 %d\r\nann %s\r\n" % (len(s) + 4, s)
    yield "text", [(True, asked), (False, b"CLIENT_ERROR authentication failure\r\n")]


def mqtt(s: bytes) -> Talks:
    """CONNECT of 3.1.1 and 5."""
    for version, refused in ((4, b"\x20\x02\0\4"), (5, b"\x20\x03\0\x86\0")):
        body = b"\0\4MQTT" + bytes([version, 0xC2]) + b"\0\x3c" + (b"\0" if version == 5 else b"")
        body += b"".join(struct.pack("!H", len(field)) + field for field in (b"cid", b"ann", s))
        yield str(version), [(True, b"\x10" + bytes([len(body)]) + body), (False, refused)]
