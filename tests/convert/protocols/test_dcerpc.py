"""DCE/RPC: messages put together by hand after C706 and MS-RPCE, and damage."""

from __future__ import annotations

import struct
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import ntlm_made as made
from support.parsing import Found, talk
from syswire.convert.protocols.dcerpc.parser import DceRpc

Calls = list[tuple[bool, bytes | int]]
SAMR = UUID("12345778-1234-abcd-ef00-0123456789ac")
NDR = UUID("8a885d04-1ceb-11c9-9fe8-08002b104860")


def pdu(kind: int, body: bytes, token: bytes = b"", call: int = 1, mechanism: int = 10, context: int = 0) -> bytes:
    """Header, body, and a verifier where there is a token; little-endian."""
    body += b"\0" * (-len(body) % 4)
    trailer = struct.pack("<BBBBI", mechanism, 6, 0, 0, context) + token if token else b""
    head = struct.pack("<BBBB4sHHI", 5, 0, kind, 3, b"\x10\0\0\0", 16 + len(body) + len(trailer), len(token), call)
    return head + body + trailer


BIND = struct.pack("<HHIBBHHBB", 5840, 5840, 0, 1, 0, 0, 0, 1, 0) + SAMR.bytes_le + struct.pack("<HH", 1, 0)
BIND += NDR.bytes_le + struct.pack("<I", 2)
ACK = struct.pack("<HHIH", 5840, 5840, 7, 4) + b"135\0" + b"\0\0" + struct.pack("<BBHHH", 1, 0, 0, 0, 0)
ACK += NDR.bytes_le + struct.pack("<I", 2)
REQUEST, RESPONSE = b"\0" * 8 + b"data", b"\0" * 8 + b"told"


def login(call: int = 1, context: int = 0, challenge: bytes = made.CHALLENGE) -> Calls:
    return [
        (True, pdu(11, BIND, made.NEGOTIATE, call, context=context)),
        (False, pdu(12, ACK, made.challenge(challenge), call, context=context)),
        (True, pdu(16, b"\0" * 4, made.authenticate(), call, context=context)),
    ]


def said(found: Found) -> list[tuple[str | None, bytes, str]]:
    return [(s.username, s.secret, s.outcome) for s in found.sightings]


LINE = made.V1_LINE.encode()


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (pdu(2, RESPONSE, call=2), "accepted"),
        (pdu(3, b"\0" * 8 + struct.pack("<II", 5, 0), call=2), "refused"),
        (pdu(3, b"\0" * 8 + struct.pack("<II", 0x1C010002, 0), call=2), "unknown"),
        (b"", "unknown"),
    ],
)
def test_auth3_is_judged_by_what_follows(answer: bytes, outcome: str) -> None:
    calls = [*login(), (True, pdu(0, REQUEST, call=2)), *([(False, answer)] if answer else [])]
    found = talk(DceRpc, calls)
    assert said(found) == [("Domain\\User", LINE, outcome)]
    assert found.asked == [
        {"operation": "bind", "interfaces": [[str(SAMR), "1.0"]], "mechanism": "NTLM", "auth_level": "privacy"},
        {
            "mechanism": "NTLM", "auth_level": "privacy", "ntlm_version": 1, "user": "Domain\\User",
            "workstation": "COMPUTER", "secret": True,
        },
    ]  # fmt: skip
    assert found.answered[0] == {"result": "ok", "results": ["accepted"]}
    client = b"".join(data for up, data in calls if up and isinstance(data, bytes))
    [sighting] = found.sightings
    at = sighting.span.offset
    assert client[at : at + sighting.span.length] == sighting.raw == made.V1_NT


def test_alter_context_by_spnego() -> None:
    calls: Calls = [
        (True, pdu(14, BIND, made.spnego_init(made.NEGOTIATE), 4, 9)),
        (False, pdu(15, ACK, made.spnego_response(made.challenge()), 4, 9)),
        (True, pdu(14, BIND, made.spnego_response(made.authenticate()), 4, 9)),
        (False, pdu(15, ACK, b"\xa1\x07\x30\x05\xa0\x03\x0a\x01\0", 4, 9)),
    ]
    assert said(talk(DceRpc, calls)) == [("Domain\\User", LINE, "accepted")]
    calls[-1] = (False, pdu(3, b"\0" * 8 + struct.pack("<II", 5, 0), call=4))
    assert said(talk(DceRpc, calls)) == [("Domain\\User", LINE, "refused")]


def test_each_context_has_its_challenge() -> None:
    first, second = login(1, 1), login(2, 2, b"\x44" * 8)
    calls = [*first[:2], *second[:2], first[2], (True, pdu(0, REQUEST)), (False, pdu(2, RESPONSE)), second[2]]
    found = said(talk(DceRpc, calls))
    assert found[0] == ("Domain\\User", LINE, "accepted")
    assert found[1] == ("Domain\\User", LINE.replace(b"0123456789abcdef", b"44" * 8), "unknown")


@pytest.mark.parametrize(
    "calls",
    [
        login()[:2],
        [*login()[:2], (True, pdu(16, b"\0" * 4, made.authenticate(b"", b"\0", b"", b"")))],
        [(True, pdu(0, made.authenticate())), (False, pdu(2, RESPONSE))],  # data, not a verifier
    ],
)
def test_it_is_no_credential(calls: Calls) -> None:
    assert talk(DceRpc, calls).sightings == []


def test_cuts_and_losses() -> None:
    whole = [*login(), (True, pdu(0, REQUEST, call=2)), (False, pdu(2, RESPONSE, call=2))]
    for cuts in ([1], [3], [5, 90]):
        assert talk(DceRpc, whole, cuts=cuts).said() == talk(DceRpc, whole).said()
    [only] = talk(DceRpc, [call for call in whole if call[0]]).sightings
    assert (only.outcome, only.confidence) == ("unknown", "likely")
    assert said(talk(DceRpc, [(True, b"\x07" * 99), *whole])) == said(talk(DceRpc, whole))


@given(st.integers(0, 600), st.binary(min_size=1, max_size=6), st.integers(1, 300))
@settings(max_examples=120)
def test_no_damage_raises_and_cuts_do_not_matter(at: int, put: bytes, cut: int) -> None:
    damaged: Calls = []
    for up, data in [*login(), (True, pdu(0, REQUEST, call=2)), (False, pdu(2, RESPONSE, call=2))]:
        assert isinstance(data, bytes)
        if 0 <= at < len(data):
            data = data[:at] + put + data[at + len(put) :]
        at -= len(data)
        damaged.append((up, data))
    assert talk(DceRpc, damaged).said() == talk(DceRpc, damaged, cuts=[cut]).said()


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=120)), max_size=6))
@settings(max_examples=60)
def test_no_bytes_raise(calls: Calls) -> None:
    talk(DceRpc, calls)
    talk(DceRpc, [(up, b"\5\0\x0b\3\x10\0\0\0" + data) for up, data in calls if isinstance(data, bytes)])
