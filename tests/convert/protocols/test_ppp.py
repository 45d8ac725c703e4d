"""Logins of PPP: PAP (RFC 1334), CHAP (RFC 1994, RFC 2433, RFC 2759), EAP (RFC 3748), made by hand."""

from __future__ import annotations

import struct

import pytest

from support.parsing import Found, talk
from syswire.convert.model.sighting import ACCEPTED, CERTAIN, CLEARTEXT, HASH, LIKELY, REFUSED, UNKNOWN
from syswire.convert.protocols.ppp.parser import Ppp

PAP, CHAP, EAP = 0xC023, 0xC223, 0xC227
CHALLENGE, ANSWER = bytes(range(16)), bytes(range(100, 116))
SECOND_CHALLENGE = bytes.fromhex("5B5D7C7D7B3F2F3E3C2C602132262628")
"""RFC 2759, 9.2, as the two below; hashed with the user's name they begin D02E4386BCE91226."""
SECOND_PEER = bytes.fromhex("21402324255E262A28295F2B3A337C7E")
SECOND_NT = bytes.fromhex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF")
SECOND_LINE = b"User::::82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df:d02e4386bce91226"


def frame(protocol: int, code: int, identifier: int, data: bytes = b"") -> bytes:
    return struct.pack(">HBBH", protocol, code, identifier, 4 + len(data)) + data


def sized(*values: bytes) -> bytes:
    return b"".join(bytes((len(value),)) + value for value in values)


def told(found: Found) -> list[tuple[str, str, str | None, bytes, str]]:
    return [(s.protocol, s.form, s.username, s.secret, s.outcome) for s in found.sightings]


def test_pap() -> None:
    calls = [
        (True, frame(PAP, 1, 1, sized(b"ada", b"wrong"))), (False, frame(PAP, 3, 1, sized(b"No"))),
        (True, frame(PAP, 1, 2, sized(b"ada", b"Invented-1!"))), (False, frame(PAP, 2, 2, sized(b"Hello"))),
    ]  # fmt: skip
    found = talk(Ppp, calls)
    assert told(found) == [
        ("pap", CLEARTEXT, "ada", b"wrong", REFUSED), ("pap", CLEARTEXT, "ada", b"Invented-1!", ACCEPTED)
    ]  # fmt: skip
    assert found.asked == [{"username": "ada", "secret": True}] * 2
    assert found.answered == [{"result": "nak", "text": "No"}, {"result": "ack", "text": "Hello"}]
    assert [s.span.offset for s in found.sightings] == [11, 16 + 11]


def test_pap_sent_again_is_one() -> None:
    asked = frame(PAP, 1, 1, sized(b"ada", b"word"))
    assert told(talk(Ppp, [(True, asked), (True, asked)])) == [("pap", CLEARTEXT, "ada", b"word", UNKNOWN)]


def test_chap() -> None:
    calls = [
        (False, frame(CHAP, 1, 7, sized(CHALLENGE) + b"isp")), (True, frame(CHAP, 2, 7, sized(ANSWER) + b"ada")),
        (False, frame(CHAP, 3, 7, b"Welcome")),
    ]  # fmt: skip
    found = talk(Ppp, calls)
    line = ANSWER.hex().encode() + b":" + CHALLENGE.hex().encode() + b":07"
    assert told(found) == [("chap", HASH, "ada", line, ACCEPTED)]
    assert found.asked == [{"username": "ada", "mechanism": "CHAP", "secret": True}]
    assert found.answered == [{"server_name": "isp", "result": "success", "text": "Welcome"}]
    assert (found.sightings[0].raw, found.sightings[0].span.offset) == (ANSWER, 7)


def test_chap_without_its_challenge() -> None:
    [sighting] = talk(Ppp, [(True, frame(CHAP, 2, 7, sized(ANSWER) + b"ada"))]).sightings
    assert sighting.secret == ANSWER.hex().encode() + b"::07" and sighting.confidence == LIKELY


def test_chap_with_a_challenge_of_another_length() -> None:
    calls = [(False, frame(CHAP, 1, 7, sized(b"12345678") + b"isp")), (True, frame(CHAP, 2, 7, sized(ANSWER) + b"a"))]
    [sighting] = talk(Ppp, calls).sightings
    assert sighting.details is not None and sighting.details["hashcat"] is None and sighting.confidence == CERTAIN


def test_ms_chap() -> None:
    """RFC 2433, B.2's shape: LM and NT response and the flag that the second counts."""
    value = bytes(24) + bytes(range(24)) + b"\1"
    calls = [(False, frame(CHAP, 1, 1, sized(b"12345678"))), (True, frame(CHAP, 2, 1, sized(value) + b"D\\ada"))]
    line = b"ada::::" + bytes(range(24)).hex().encode() + b":3132333435363738"
    assert told(talk(Ppp, calls)) == [("chap", HASH, "D\\ada", line, UNKNOWN)]


def test_ms_chap_2_of_rfc_2759() -> None:
    value = SECOND_PEER + bytes(8) + SECOND_NT + b"\0"
    calls = [
        (False, frame(CHAP, 1, 1, sized(SECOND_CHALLENGE) + b"isp")), (True, frame(CHAP, 2, 1, sized(value) + b"User")),
        (False, frame(CHAP, 4, 1, b"E=691 R=1")),
    ]  # fmt: skip
    assert told(talk(Ppp, calls)) == [("chap", HASH, "User", SECOND_LINE, REFUSED)]


def test_eap_md5() -> None:
    calls = [
        (False, frame(EAP, 1, 1, b"\1")), (True, frame(EAP, 2, 1, b"\1ada")),
        (False, frame(EAP, 1, 2, b"\4" + sized(CHALLENGE))), (True, frame(EAP, 2, 2, b"\4" + sized(ANSWER))),
        (False, frame(EAP, 3, 2)),
    ]  # fmt: skip
    found = talk(Ppp, calls)
    line = ANSWER.hex().encode() + b":" + CHALLENGE.hex().encode() + b":02"
    assert told(found) == [("ppp", HASH, "ada", line, ACCEPTED)]
    assert found.asked == [
        {"eap": "identity", "username": "ada"},
        {"eap": "md5-challenge", "username": "ada", "mechanism": "EAP-MD5", "secret": True},
    ]


def test_eap_ms_chap_2() -> None:
    """draft-kamath-pppext-eap-mschapv2: operation, identifier, length, and what CHAP has."""
    value = SECOND_PEER + bytes(8) + SECOND_NT + b"\0"
    calls = [
        (False, frame(EAP, 1, 2, b"\x1a\1\2\0\x1d" + sized(SECOND_CHALLENGE) + b"isp")),
        (True, frame(EAP, 2, 2, b"\x1a\2\2\0\x3a" + sized(value) + b"User")),
        (False, frame(EAP, 1, 3, b"\x1a\3\2\0\x10S=0123")), (True, frame(EAP, 2, 3, b"\x1a\3")),
    ]  # fmt: skip
    assert told(talk(Ppp, calls)) == [("ppp", HASH, "User", SECOND_LINE, ACCEPTED)]


def test_eap_gtc_is_clear() -> None:
    calls = [(False, frame(EAP, 1, 4, b"\6Password: ")), (True, frame(EAP, 2, 4, b"\6word")), (False, frame(EAP, 4, 4))]
    assert told(talk(Ppp, calls)) == [("ppp", CLEARTEXT, None, b"word", REFUSED)]


@pytest.mark.parametrize(
    "calls",
    [
        [(True, frame(PAP, 1, 1, sized(b"ada", b"")))],
        [(False, frame(CHAP, 1, 7, sized(CHALLENGE) + b"isp"))],
        [(False, frame(EAP, 1, 1, b"\1")), (True, frame(EAP, 2, 1, b"\1ada"))],
        [(False, frame(EAP, 1, 1, b"\4" + sized(CHALLENGE))), (True, frame(EAP, 2, 1, b"\3\x19"))],
        [(True, frame(CHAP, 2, 7, sized(b"short") + b"ada"))],
        [(True, frame(EAP, 2, 1, b"\x15\x80\0\0\0\x20" + bytes(32)))],
    ],
)
def test_what_proves_nothing_is_no_credential(calls: list[tuple[bool, bytes]]) -> None:
    found = talk(Ppp, calls)
    assert not found.sightings and found.records


@pytest.mark.parametrize(
    "raw", [b"", b"\xc0\x23", frame(PAP, 1, 1, b"\x40ada"), frame(PAP, 9, 1), frame(CHAP, 2, 1, b"\x40x")]
)
def test_what_is_malformed_is_told(raw: bytes) -> None:
    found = talk(Ppp, [(True, raw)]) if raw else talk(Ppp, [])
    assert [name for name, _ in found.weirds] == (["ppp-malformed"] if raw else [])
    assert not found.sightings
