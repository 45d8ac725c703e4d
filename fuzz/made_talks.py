"""Conversations put together by hand, for the protocols of which there is no recording of TCP or UDP."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING
from uuid import UUID

from .mutate.http1 import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

Talks = list[tuple[bool, bytes]]


def _element(kind: int, name: bytes, value: bytes) -> bytes:
    return bytes([kind]) + name + b"\0" + value


def _text(name: bytes, value: bytes) -> bytes:
    return _element(2, name, struct.pack("<i", len(value) + 1) + value + b"\0")


def _octets(name: bytes, value: bytes) -> bytes:
    return _element(5, name, struct.pack("<iB", len(value), 0) + value)


def _number(name: bytes, value: int) -> bytes:
    return _element(16, name, struct.pack("<i", value))


def _document(*elements: bytes) -> bytes:
    body = b"".join(elements)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def _mongodb() -> Talks:
    """A login and a search by OP_MSG, the older OP_QUERY in front."""

    def message(number: int, to: int, kind: int, body: bytes) -> bytes:
        return struct.pack("<iiii", len(body) + 16, number, to, kind) + body

    asked = bytes(4) + b"admin.$cmd\0" + struct.pack("<ii", 0, -1) + _document(_number(b"isMaster", 1))
    told = bytes(16) + struct.pack("<i", 1) + _document(_element(1, b"ok", struct.pack("<d", 1.0)))
    start = _document(
        _number(b"saslStart", 1), _text(b"mechanism", b"PLAIN"), _octets(b"payload", b"\0ann\0kiesel-77"),
        _text(b"$db", b"$external"),
    )  # fmt: skip
    done = _document(_element(8, b"done", b"\1"), _octets(b"payload", b""), _element(1, b"ok", struct.pack("<d", 1.0)))
    nested = _document(_element(3, b"a", _document(_element(4, b"b", _document(_text(b"0", b"c"))))))
    search = _document(_text(b"find", b"users"), _element(3, b"filter", nested), _text(b"$db", b"app"))
    part = _document(_text(b"x", b"y"))
    section = b"\1" + struct.pack("<i", 4 + 10 + len(part)) + b"documents\0" + part
    insert = _document(_text(b"insert", b"users"), _text(b"$db", b"app"))
    return [
        (True, message(1, 0, 2004, asked)), (False, message(9, 1, 1, told)),
        (True, message(2, 0, 2013, bytes(5) + start)), (False, message(10, 2, 2013, bytes(5) + done)),
        (True, message(3, 0, 2013, bytes(5) + search)), (False, message(11, 3, 2013, bytes(5) + done)),
        (True, message(4, 0, 2013, bytes(5) + insert + section)), (False, message(12, 4, 2013, bytes(5) + done)),
    ]  # fmt: skip


def _dcerpc() -> Talks:
    """A bind with NTLM, and a request."""
    from support import ntlm_made as made

    def pdu(kind: int, body: bytes, token: bytes = b"", call: int = 1) -> bytes:
        body += b"\0" * (-len(body) % 4)
        trailer = struct.pack("<BBBBI", 10, 6, 0, 0, 0) + token if token else b""
        size = 16 + len(body) + len(trailer)
        return struct.pack("<BBBB4sHHI", 5, 0, kind, 3, b"\x10\0\0\0", size, len(token), call) + body + trailer

    syntax = UUID("8a885d04-1ceb-11c9-9fe8-08002b104860").bytes_le + struct.pack("<I", 2)
    samr = UUID("12345778-1234-abcd-ef00-0123456789ac").bytes_le + struct.pack("<HH", 1, 0)
    bind = struct.pack("<HHIBBHHBB", 5840, 5840, 0, 1, 0, 0, 0, 1, 0) + samr + syntax
    ack = struct.pack("<HHIH", 5840, 5840, 7, 4) + b"135\0\0\0" + struct.pack("<BBHHH", 1, 0, 0, 0, 0) + syntax
    return [
        (True, pdu(11, bind, made.NEGOTIATE)), (False, pdu(12, ack, made.challenge())),
        (True, pdu(16, bytes(4), made.authenticate())), (True, pdu(0, bytes(8) + b"data", call=2)),
        (False, pdu(2, bytes(8) + b"told", call=2)), (False, pdu(3, bytes(8) + struct.pack("<II", 5, 0), call=3)),
    ]  # fmt: skip


def _memcached() -> Talks:
    """The binary protocol's login."""

    def binary(magic: int, number: int, key: bytes = b"", value: bytes = b"", status: int = 0) -> bytes:
        head = struct.pack("!BBHBBHIIQ", magic, number, len(key), 0, 0, status, len(key) + len(value), 0, 0)
        return head + key + value

    return [
        (True, binary(0x80, 0x20)), (False, binary(0x81, 0x20, value=b"PLAIN CRAM-MD5")),
        (True, binary(0x80, 0x21, b"CRAM-MD5")), (False, binary(0x81, 0x21, value=b"<17.42@made>", status=0x21)),
        (True, binary(0x80, 0x22, b"CRAM-MD5", b"ann " + b"0a" * 16)), (False, binary(0x81, 0x22, status=0x20)),
        (True, binary(0x80, 0x21, b"PLAIN", b"\0ann\0kiesel-77")), (False, binary(0x81, 0x21, value=b"Authenticated")),
        (True, binary(0x80, 0, b"key")), (False, binary(0x81, 0, value=b"\0\0\0\0value")),
    ]  # fmt: skip


def _ppp() -> Talks:
    """PAP, CHAP, MS-CHAP version 2 and EAP, a frame a call."""

    def frame(protocol: int, code: int, identifier: int, data: bytes = b"") -> bytes:
        return struct.pack(">HBBH", protocol, code, identifier, 4 + len(data)) + data

    pap, chap, eap = 0xC023, 0xC223, 0xC227
    return [
        (True, frame(pap, 1, 1, b"\3ada\5wrong")), (False, frame(pap, 3, 1, b"\2No")),
        (False, frame(chap, 1, 7, b"\x10" + bytes(range(16)) + b"isp")),
        (True, frame(chap, 2, 7, b"\x10" + bytes(range(16)) + b"ada")), (False, frame(chap, 3, 7, b"Welcome")),
        (False, frame(chap, 1, 8, b"\x10" + bytes(range(16)) + b"isp")),
        (True, frame(chap, 2, 8, b"\x31" + bytes(range(49)) + b"ada")), (False, frame(chap, 4, 8, b"E=691 R=1")),
        (False, frame(eap, 1, 1, b"\1who")), (True, frame(eap, 2, 1, b"\1ada")),
        (False, frame(eap, 1, 2, b"\4\x10" + bytes(range(16)))), (True, frame(eap, 2, 2, b"\4\x10" + bytes(range(16)))),
        (False, frame(eap, 1, 3, b"\x1a\1\3\0\x19\x10" + bytes(range(16)) + b"isp")),
        (True, frame(eap, 2, 3, b"\x1a\2\3\0\x39\x31" + bytes(range(49)) + b"ada")), (False, frame(eap, 3, 3)),
    ]  # fmt: skip


def _cldap() -> Talks:
    """A domain controller that is looked for."""
    from support import asn1_made as made

    wanted = made.tlv(0xA3, made.octets(b"DnsDomain"), made.octets(b"x.org"))
    return [
        (True, made.search(9, b"", wanted, b"NetLogon")),
        (False, made.entry(9, b"", netlogon=b"\x17\0") + made.done(9, 0x65, 0)),
    ]


def talks() -> Iterator[tuple[str, list[Call]]]:
    """(protocol, calls)."""
    made = {
        "mongodb": _mongodb(),
        "dcerpc": _dcerpc(),
        "memcached": _memcached(),
        "ppp": _ppp(),
        "cldap": _cldap(),
        "rlogin": [
            (True, b"\0here\0there\0vt100/9600\0"), (False, b"\0Password: "), (True, b"wrnog\x7f\x7f\x7fong\r"),
            (False, b"\r\nLogin incorrect\r\nlogin: "), (True, b"\xff\xffss\0\x18\0\x50\2\x80\1\xe0other\r"),
            (False, b"other\r\nPassword: "), (True, b"Invented-1!\r"), (False, b"\r\nLast login: today\r\n$ "),
        ],
        "rsh": [(True, b"1021\0here\0there\0uptime now\0"), (False, b"\1Permission denied.\nmore")],
        "rexec": [(True, b"0\0there\0Invented-1!\0uptime\0"), (False, b"\1Login incorrect.\n")],
    }  # fmt: skip
    for name, steps in made.items():
        yield name, [Call(to_server, 0, data) for to_server, data in steps]
