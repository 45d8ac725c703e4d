"""RADIUS, by the examples of RFC 2865 (7) and messages made by hand."""

from __future__ import annotations

import hmac
from hashlib import md5

import pytest

from support.parsing import Found, talk
from syswire.convert.model.sighting import ACCEPTED, CLEARTEXT, HASH, REFUSED, UNKNOWN
from syswire.convert.protocols.radius.parser import Radius
from syswire.convert.protocols.radius.passwords import answered_with, reveal, signed_with

TELNET = bytes.fromhex(
    "01000038 0f403f9473978057bd83d5cb98f4227a"
    "01066e656d6f 02120dbe708d93d413ce3196e43f782a0aee 0406c0a80110 050600000003"
)
"""RFC 2865, 7.1: nemo, whose password is arctangent, hidden with xyzzy5461."""
TELNET_ACCEPT = bytes.fromhex("02000026 86fe220e7624ba2a1005f6bf9b55e0b2 060600000001 0f0600000000 0e06c0a80103")
CHAP = bytes.fromhex(
    "01010047 2aee86f08d0d55969ca5978e0d33 67a2 0108666c6f707379 0313 16e97557c3165856 95f293fc6b34 67c2a0"
    "0406c0a80110 050600000014 060600000002 070600000001".replace(" ", "")
)
"""RFC 2865, 7.2: flopsy by CHAP."""
NAS = b"\4\6\xc0\0\2\1"
USER = b"\1\5ada"
CHALLENGE = bytes(range(16))
ANSWER = bytes(range(100, 116))


def packet(code: int, identifier: int, attributes: bytes, authenticator: bytes = b"A" * 16) -> bytes:
    return bytes((code, identifier)) + (20 + len(attributes)).to_bytes(2, "big") + authenticator + attributes


def attribute(number: int, value: bytes) -> bytes:
    return bytes((number, 2 + len(value))) + value


def microsoft(number: int, value: bytes) -> bytes:
    return attribute(26, (311).to_bytes(4, "big") + attribute(number, value))


def one(found: Found) -> tuple[str, str | None, bytes, str]:
    [sighting] = found.sightings
    return sighting.form, sighting.username, sighting.secret, sighting.outcome


def test_the_password_of_rfc_2865_is_revealed() -> None:
    assert reveal(TELNET[28:44], TELNET[4:20], b"xyzzy5461") == b"arctangent"
    assert answered_with(TELNET_ACCEPT, TELNET[4:20], b"xyzzy5461")
    assert not answered_with(TELNET_ACCEPT, TELNET[4:20], b"xyzzy5462")


def test_a_long_password_is_chained() -> None:
    """RFC 2865, 5.2: the second block is hidden with the first one's hidden bytes."""
    password, secret = b"twenty-one characters", b"s"
    padded = password.ljust(32, b"\0")
    first = bytes(a ^ b for a, b in zip(padded[:16], md5(secret + b"A" * 16).digest(), strict=True))
    second = bytes(a ^ b for a, b in zip(padded[16:], md5(secret + first).digest(), strict=True))
    assert reveal(first + second, b"A" * 16, secret) == password
    assert reveal(first + second + b"odd", b"A" * 16, secret) == password
    assert reveal(b"", b"A" * 16, secret) == b""


def test_a_hidden_password_is_told_and_given_with_its_secret_only() -> None:
    calls = [(True, TELNET), (False, TELNET_ACCEPT)]
    found = talk(Radius, calls)
    assert found.asked == [
        {"code": "access-request", "identifier": 0, "username": "nemo", "nas_address": "192.168.1.16", "nas_port": 3,
         "mechanism": ["PAP"], "secret": True}
    ]  # fmt: skip
    assert found.answered == [{"code": "access-accept", "identifier": 0}]
    assert not found.sightings
    known = talk(lambda sink: Radius(sink, [b"other", b"xyzzy5461"]), calls)
    assert one(known) == (CLEARTEXT, "nemo", b"arctangent", ACCEPTED)
    assert known.sightings[0].raw == TELNET[28:44] and known.sightings[0].span.offset == 28


def test_a_signed_request_is_undone_with_its_own_secret_only() -> None:
    hidden = bytes(a ^ b for a, b in zip(b"word".ljust(16, b"\0"), md5(b"right" + b"A" * 16).digest(), strict=True))
    blank = packet(1, 9, USER + attribute(2, hidden) + attribute(80, bytes(16)))
    signature = hmac.new(b"right", blank, "md5").digest()
    signed = blank[:-16] + signature
    assert signed_with(signed, len(signed) - 16, b"right")
    assert not talk(lambda sink: Radius(sink, [b"wrong"]), [(True, signed)]).sightings
    assert one(talk(lambda sink: Radius(sink, [b"wrong", b"right"]), [(True, signed)]))[2] == b"word"


def test_chap_of_rfc_2865() -> None:
    """Its challenge is the authenticator: no attribute brings one."""
    found = talk(Radius, [(True, CHAP), (False, packet(3, 1, b""))])
    line = b"e97557c316585695f293fc6b3467c2a0:2aee86f08d0d55969ca5978e0d3367a2:16"
    assert one(found) == (HASH, "flopsy", line, REFUSED)
    assert found.sightings[0].details == {
        "mechanism": "CHAP", "hashcat": 4800, "john": "chap", "challenge_seen": True
    }  # fmt: skip


def test_chap_with_its_challenge() -> None:
    asked = packet(1, 5, USER + attribute(3, b"\7" + ANSWER) + attribute(60, CHALLENGE))
    found = talk(Radius, [(True, asked)])
    assert one(found) == (HASH, "ada", b"%s:%s:07" % (ANSWER.hex().encode(), CHALLENGE.hex().encode()), UNKNOWN)


def test_eap_md5_in_fragments_and_by_state() -> None:
    identity = b"\2\1\0\x08\1ada"
    challenge = b"\1\2\0\x16\4\x10" + CHALLENGE
    answer = b"\2\2\0\x16\4\x10" + ANSWER
    other = b"\1\2\0\x16\4\x10" + bytes(16)
    calls = [
        (True, packet(1, 1, USER + attribute(79, identity))),
        (False, packet(11, 1, attribute(79, challenge) + attribute(24, b"s1"))),
        (False, packet(11, 9, attribute(79, other) + attribute(24, b"s2"))),
        (True, packet(1, 2, USER + attribute(79, answer[:10]) + attribute(79, answer[10:]) + attribute(24, b"s1"))),
        (False, packet(2, 2, attribute(79, b"\3\2\0\4"))),
    ]
    found = talk(Radius, calls)
    assert one(found) == (HASH, "ada", b"%s:%s:02" % (ANSWER.hex().encode(), CHALLENGE.hex().encode()), ACCEPTED)
    begin = len(calls[0][1]) + 20 + 5 + 2 + 6
    assert found.sightings[0].span.offset == begin
    assert found.sightings[0].raw == ANSWER[:4] + b"\x4f\x0e" + ANSWER[4:]
    assert found.sightings[0].parts == (ANSWER,)
    assert [fields["eap"] for fields in found.asked if fields] == ["identity", "md5-challenge"]


def test_ms_chap_of_rfc_2759() -> None:
    """RFC 2759, 9.2: user User, both challenges, and the 8 bytes that come of them."""
    authenticator = bytes.fromhex("5B5D7C7D7B3F2F3E3C2C602132262628")
    peer = bytes.fromhex("21402324255E262A28295F2B3A337C7E")
    nt = bytes.fromhex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF")
    value = b"\0\0" + peer + bytes(8) + nt
    asked = packet(1, 1, attribute(1, b"DOM\\User") + microsoft(11, authenticator) + microsoft(25, value))
    form, user, line, _ = one(talk(Radius, [(True, asked)]))
    assert (form, user) == (HASH, "DOM\\User")
    assert line == b"User::::" + nt.hex().encode() + b":d02e4386bce91226"


def test_ms_chap_1_without_lm() -> None:
    value = b"\1\1" + bytes(24) + bytes(range(24))
    asked = packet(1, 1, USER + microsoft(11, b"12345678") + microsoft(1, value))
    assert one(talk(Radius, [(True, asked)]))[2] == b"ada::::" + bytes(range(24)).hex().encode() + b":3132333435363738"


def test_a_request_sent_again_is_one() -> None:
    asked = packet(1, 5, USER + attribute(3, b"\7" + ANSWER))
    found = talk(
        Radius, [(True, asked), (True, asked), (False, packet(2, 5, b"")), (True, asked), (False, packet(2, 5, b""))]
    )
    assert len(found.records) == len(found.sightings) == 1
    assert found.asked[0] is not None and found.asked[0]["repeats"] == 1


def test_answers_are_told_apart_by_identifier() -> None:
    first = packet(1, 1, USER + attribute(3, b"\1" + ANSWER))
    second = packet(1, 2, b"\1\5bob" + attribute(3, b"\2" + ANSWER))
    found = talk(Radius, [(True, first), (True, second), (False, packet(3, 2, b"")), (False, packet(2, 1, b""))])
    assert [(s.username, s.outcome) for s in found.sightings] == [("bob", REFUSED), ("ada", ACCEPTED)]


@pytest.mark.parametrize("broken", [b"\0\0", b"\1\1", b"\1\xff", b"\1"])
def test_attributes_that_are_broken_stop(broken: bytes) -> None:
    found = talk(Radius, [(True, packet(1, 1, USER + broken))])
    assert found.asked[0] is not None
    assert found.asked[0]["packet_complete"] is False and found.asked[0]["username"] == "ada"
    assert [name for name, _ in found.weirds] == ["radius-cut-attributes"]


def test_accounting_is_no_credential() -> None:
    found = talk(Radius, [(True, packet(4, 1, USER + attribute(44, b"session"))), (False, packet(5, 1, b""))])
    assert found.asked[0] is not None and found.asked[0]["code"] == "accounting-request" and not found.sightings


def test_an_identity_is_no_credential() -> None:
    assert not talk(Radius, [(True, packet(1, 1, USER + attribute(79, b"\2\1\0\x08\1ada")))]).sightings


def test_a_nak_is_no_credential() -> None:
    assert not talk(Radius, [(True, packet(1, 1, USER + attribute(79, b"\2\1\0\6\3\x19")))]).sightings


def test_a_server_that_speaks_first() -> None:
    found = talk(Radius, [(False, packet(40, 1, USER)), (True, packet(41, 1, b""))])
    assert found.answered[0] is not None and found.answered[0]["code"] == "disconnect-request"
    assert found.asked[0] is not None and found.asked[0]["code"] == "disconnect-ack"
