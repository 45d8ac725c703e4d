"""BER for tests, put together by hand: LDAP, SNMP and Kerberos as their RFCs lay them out."""

from __future__ import annotations

from pathlib import Path

import dpkt

from .sql_talk import Calls


def tlv(tag: int, *parts: bytes, form: int = 0) -> bytes:
    """An element; `form`: how many bytes its length has at least (Windows takes 4)."""
    body = b"".join(parts)
    if len(body) < 128 and not form:
        return bytes((tag, len(body))) + body
    size = max(form, (len(body).bit_length() + 7) // 8)
    return bytes((tag, 0x80 | size)) + len(body).to_bytes(size, "big") + body


def number(value: int, tag: int = 2) -> bytes:
    """An INTEGER, or what is encoded like one."""
    size = value.bit_length() // 8 + 1
    return tlv(tag, value.to_bytes(size, "big", signed=True))


def octets(value: bytes, tag: int = 4) -> bytes:
    return tlv(tag, value)


def sequence(*parts: bytes) -> bytes:
    return tlv(0x30, *parts)


# LDAP


def ldap(identifier: int, *parts: bytes, form: int = 0) -> bytes:
    """An LDAPMessage."""
    return tlv(0x30, number(identifier), *parts, form=form)


def simple_bind(identifier: int, name: bytes, password: bytes, form: int = 0) -> bytes:
    return ldap(identifier, tlv(0x60, number(3), octets(name), octets(password, 0x80), form=form), form=form)


def sasl_bind(identifier: int, mechanism: bytes, blob: bytes | None, name: bytes = b"") -> bytes:
    given = b"" if blob is None else octets(blob)
    return ldap(identifier, tlv(0x60, number(3), octets(name), tlv(0xA3, octets(mechanism), given)))


def done(identifier: int, tag: int, code: int, matched: bytes = b"", said: bytes = b"", more: bytes = b"") -> bytes:
    """A final answer."""
    return ldap(identifier, tlv(tag, number(code, 10), octets(matched), octets(said), more))


def search(identifier: int, base: bytes, wanted: bytes, *attributes: bytes) -> bytes:
    names = sequence(*(octets(name) for name in attributes))
    head = octets(base) + number(2, 10) + number(0, 10) + number(0) + number(0) + b"\x01\x01\x00"
    return ldap(identifier, tlv(0x63, head, wanted, names))


def entry(identifier: int, name: bytes, **attributes: bytes) -> bytes:
    listed = (sequence(octets(key.encode()), tlv(0x31, octets(value))) for key, value in attributes.items())
    return ldap(identifier, tlv(0x64, octets(name), sequence(*listed)))


# SNMP

SYS_DESCR = bytes.fromhex("06082b06010201010100")
"""1.3.6.1.2.1.1.1.0"""


def pdu(tag: int, identifier: int, *values: bytes, status: int = 0) -> bytes:
    """A PDU about sysDescr.0, once for each value."""
    pairs = (sequence(SYS_DESCR, value) for value in values)
    return tlv(tag, number(identifier), number(status), number(0), sequence(*pairs))


def snmp(version: int, community: bytes, *parts: bytes, form: int = 0) -> bytes:
    return tlv(0x30, number(version), octets(community), *parts, form=form)


def snmp3(
    identifier: int, flags: int, user: bytes, digest: bytes, inner: bytes, engine: bytes = b"\x80\0\0\0\x01"
) -> bytes:
    """Version 3 with the user-based security model."""
    head = sequence(number(identifier), number(65507), octets(bytes([flags])), number(3))
    usm = sequence(octets(engine), number(1), number(2), octets(user), octets(digest), octets(b""))
    return sequence(number(3), head, octets(usm), inner)


def scoped(*parts: bytes) -> bytes:
    return sequence(octets(b""), octets(b""), *parts)


# Kerberos


def wrapped(tag: int, *parts: bytes) -> bytes:
    """An explicit tag of the context."""
    return tlv(0xA0 | tag, *parts)


def general(text: bytes) -> bytes:
    return tlv(0x1B, text)


def principal(*names: bytes) -> bytes:
    return sequence(wrapped(0, number(1)), wrapped(1, sequence(*(general(name) for name in names))))


def encrypted(etype: int, cipher: bytes) -> bytes:
    return sequence(wrapped(0, number(etype)), wrapped(1, number(2)), wrapped(2, octets(cipher)))


def padata(kind: int, value: bytes) -> bytes:
    return sequence(wrapped(1, number(kind)), wrapped(2, octets(value)))


def ticket(realm: bytes, service: tuple[bytes, ...], etype: int, cipher: bytes) -> bytes:
    inner = wrapped(0, number(5)) + wrapped(1, general(realm)) + wrapped(2, principal(*service))
    return tlv(0x61, sequence(inner, wrapped(3, encrypted(etype, cipher))))


def request(kind: int, realm: bytes, user: tuple[bytes, ...], service: tuple[bytes, ...], *given: bytes) -> bytes:
    """AS-REQ (10) or TGS-REQ (12)."""
    body = [wrapped(0, tlv(3, b"\0\x40\x81\0\x10"))]
    if user:
        body.append(wrapped(1, principal(*user)))
    body += [wrapped(2, general(realm)), wrapped(3, principal(*service)), wrapped(5, tlv(0x18, b"20370913024805Z"))]
    body += [wrapped(7, number(77)), wrapped(8, sequence(number(18), number(23)))]
    data = [wrapped(3, sequence(*given))] if given else []
    return tlv(
        0x60 | kind, sequence(wrapped(1, number(5)), wrapped(2, number(kind)), *data, wrapped(4, sequence(*body)))
    )


def answer(
    kind: int, realm: bytes, user: tuple[bytes, ...], bought: bytes, etype: int, cipher: bytes, *given: bytes
) -> bytes:
    """AS-REP (11) or TGS-REP (13)."""
    data = [wrapped(2, sequence(*given))] if given else []
    parts = (wrapped(3, general(realm)), wrapped(4, principal(*user)), wrapped(5, bought))
    head = wrapped(0, number(5)) + wrapped(1, number(kind))
    return tlv(0x60 | kind, sequence(head, *data, *parts, wrapped(6, encrypted(etype, cipher))))


def error(code: int, realm: bytes, service: tuple[bytes, ...], held: bytes = b"") -> bytes:
    """KRB-ERROR."""
    head = wrapped(0, number(5)) + wrapped(1, number(30)) + wrapped(4, tlv(0x18, b"20260913024805Z"))
    parts = [head, wrapped(5, number(1)), wrapped(6, number(code)), wrapped(9, general(realm))]
    parts.append(wrapped(10, principal(*service)))
    if held:
        parts.append(wrapped(12, octets(held)))
    return tlv(0x7E, sequence(*parts))


def ap_req(bought: bytes, options: bytes = b"\0\0\0\0") -> bytes:
    head = wrapped(0, number(5)) + wrapped(1, number(14)) + wrapped(2, tlv(3, b"\0" + options))
    return tlv(0x6E, sequence(head, wrapped(3, bought), wrapped(4, encrypted(18, bytes(40)))))


def streamed(message: bytes) -> bytes:
    """Over TCP."""
    return len(message).to_bytes(4, "big") + message


def recorded(path: Path, port: int) -> list[tuple[str, Calls]]:
    """(tcp or udp, conversation) of a recording on loopback in which nothing is lost or out of order."""
    talks: dict[tuple[str, int], Calls] = {}
    with path.open("rb") as file:
        for _, frame in dpkt.pcap.Reader(file):
            part = dpkt.ethernet.Ethernet(frame).data.data
            if port in (part.sport, part.dport) and part.data:
                to_server = part.dport == port
                key = type(part).__name__.lower(), part.sport if to_server else part.dport
                talks.setdefault(key, []).append((to_server, bytes(part.data)))
    return [(transport, calls) for (transport, _), calls in talks.items()]
