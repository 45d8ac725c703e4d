"""RFB's handshake (RFC 6143, 7.1), made by hand, and which openings are RFB."""

from __future__ import annotations

import pytest

from support.parsing import Found, talk
from syswire.convert.model.sighting import ACCEPTED, REFUSED, UNKNOWN
from syswire.convert.protocols.vnc.parser import Vnc

CHALLENGE, RESPONSE = bytes(range(16)), bytes(range(16, 32))
LINE = b"$vnc$*000102030405060708090a0b0c0d0e0f*101112131415161718191a1b1c1d1e1f"
INIT = b"\1\0\0\xc0" + bytes(16) + b"\0\0\0\4made"


def v(minor: bytes) -> bytes:
    return b"RFB 003.%s\n" % minor


def outcome(found: Found) -> str:
    [sighting] = found.sightings
    assert (sighting.secret, sighting.raw, sighting.username) == (LINE, RESPONSE, None)
    assert sighting.parts == (RESPONSE,)
    return sighting.outcome


def test_version_3_8() -> None:
    calls = [
        (False, v(b"008")), (True, v(b"008")), (False, b"\2\1\2"), (True, b"\2"), (False, CHALLENGE),
        (True, RESPONSE), (False, bytes(4)), (True, b"\1"), (False, INIT),
    ]  # fmt: skip
    found = talk(Vnc, calls)
    assert outcome(found) == ACCEPTED
    assert found.asked == [{"version": "3.8", "security": "vnc", "secret": True, "shared": True}]
    assert found.answered == [
        {"version": "3.8", "securities": ["none", "vnc"], "security": "vnc", "result": "ok", "width": 256,
         "height": 192, "desktop": "made"}
    ]  # fmt: skip
    assert found.sightings[0].span.offset == 13


def test_version_3_8_refused_with_a_reason() -> None:
    calls = [
        (False, v(b"008")), (True, v(b"008")), (False, b"\1\2"), (True, b"\2"), (False, CHALLENGE), (True, RESPONSE),
        (False, b"\0\0\0\1\0\0\0\2no"),
    ]  # fmt: skip
    found = talk(Vnc, calls)
    assert outcome(found) == REFUSED
    assert found.answered[0] is not None and found.answered[0]["reason"] == "no"


def test_version_3_3_in_one_segment() -> None:
    calls = [
        (False, v(b"008")),
        (True, v(b"003")),
        (False, b"\0\0\0\2" + CHALLENGE),
        (True, RESPONSE),
        (False, b"\0\0\0\1"),
    ]
    assert outcome(talk(Vnc, calls)) == REFUSED


def test_a_client_that_goes_on_was_let_in() -> None:
    calls = [(False, v(b"003")), (True, v(b"003")), (False, b"\0\0\0\2" + CHALLENGE), (True, RESPONSE)]
    assert outcome(talk(Vnc, calls)) == UNKNOWN
    assert outcome(talk(Vnc, [*calls, (False, bytes(4)), (True, b"\0")])) == ACCEPTED


def test_the_client_alone() -> None:
    found = talk(Vnc, [(True, v(b"008")), (True, b"\2"), (True, RESPONSE), (True, b"\1")])
    [sighting] = found.sightings
    assert sighting.secret == b"$vnc$**" + RESPONSE.hex().encode() and sighting.confidence == "likely"


@pytest.mark.parametrize("kind", [1, 16, 18, 19, 30])
def test_another_security_is_no_credential(kind: int) -> None:
    calls = [
        (False, v(b"008")),
        (True, v(b"008")),
        (False, bytes((1, kind))),
        (True, bytes((kind,))),
        (False, CHALLENGE),
    ]
    found = talk(Vnc, [*calls, (True, RESPONSE)])
    assert not found.sightings and len(found.records) == 1


def test_a_challenge_without_answer_is_no_credential() -> None:
    calls = [(False, v(b"007")), (True, v(b"007")), (False, b"\1\2"), (True, b"\2"), (False, CHALLENGE)]
    found = talk(Vnc, [*calls, (True, RESPONSE[:8])])
    assert not found.sightings and found.asked == [{"version": "3.7", "security": "vnc"}]


def test_a_refusal_before_any_security_is_no_credential() -> None:
    found = talk(Vnc, [(False, v(b"008")), (True, v(b"008")), (False, b"\0\0\0\0\6Banned")])
    assert found.answered[0] is not None and found.answered[0]["reason"] == "Banned" and not found.sightings
