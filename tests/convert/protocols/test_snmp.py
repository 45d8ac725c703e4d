"""SNMP by hand: communities, traps, version 3, what only looks like it; and a real snmpd."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import asn1_made as made
from support.asn1_made import SYS_DESCR, number, octets, pdu, scoped, sequence, snmp, snmp3, tlv
from support.parsing import Found, talk
from support.sql_talk import Calls
from syswire.convert.protocols.api import Parser, Sink
from syswire.convert.protocols.snmp.messages import decode
from syswire.convert.protocols.snmp.parser import SnmpDatagrams, SnmpStream

NULL = b"\5\0"
GET = bytes.fromhex("302602010104067075626c6963a019020126020100020100300e300c06082b060102010101000500")
"""RFC 3416's get of sysDescr.0 for `public`, request 38, written out."""
FILE = Path(__file__).parents[2] / "data" / "protocols" / "snmp.pcap"
DIGEST = bytes(range(1, 13))


def test_a_get_written_out() -> None:
    assert snmp(1, b"public", pdu(0xA0, 38, NULL)) == GET
    reply = snmp(1, b"public", pdu(0xA2, 38, octets(b"here")))
    found = talk(SnmpDatagrams, [(True, GET), (False, reply)])
    (record,) = found.records
    assert (record.kind, record.protocol) == ("snmp", "snmp")
    told = {"version": "2c", "request_id": 38, "varbinds": 1, "oids": ["1.3.6.1.2.1.1.1.0"], "secret": True}
    assert found.asked == [{**told, "pdu": "get"}]
    assert found.answered == [{**told, "pdu": "response", "error_status": 0}]
    assert [(one.secret, one.username, one.location, one.outcome, one.exchange) for one in found.sightings] == [
        (b"public", None, "community", "accepted", 1)
    ] * 2
    assert [(one.span.offset, one.span.length) for one in found.sightings] == [(7, 6), (7, 6)]


@pytest.mark.parametrize("form", [1, 2, 4])
@pytest.mark.parametrize("version", [0, 1])
def test_lengths_of_every_form(form: int, version: int) -> None:
    message = snmp(version, b"[R0_C@cti!]", tlv(0xA1, pdu(0xA1, 9, NULL)[2:], form=form), form=form)
    (one,) = talk(SnmpDatagrams, [(True, message)]).sightings
    assert (one.secret, one.outcome, one.confidence) == (b"[R0_C@cti!]", "unknown", "certain")


def test_a_trap_of_version_1() -> None:
    enterprise = bytes.fromhex("06092b06010401bf0803" + "0a")
    told = enterprise + octets(bytes(4), 0x40) + number(6) + number(17) + number(5, 0x43)
    found = talk(SnmpDatagrams, [(True, snmp(0, b"watch", tlv(0xA4, told, sequence())))])
    assert found.asked == [
        {"version": "1", "pdu": "trap", "varbinds": 0, "oids": ["1.3.6.1.4.1.8072.3.10"], "secret": True}
    ]
    assert [one.secret for one in found.sightings] == [b"watch"]


@pytest.mark.parametrize(
    "data",
    [
        GET + b"\0",  # longer than it says
        GET[:-1],
        GET.replace(b"\xa0\x19", b"\xa9\x19"),  # no PDU has this tag
        GET.replace(b"\xa0\x19", b"\xa0\x18"),
        GET.replace(b"\2\1\1\4", b"\2\1\2\4"),  # version 2p
        GET.replace(b"\2\1\1\4", b"\2\1\1\5"),
        snmp(0, b"public", pdu(0xA5, 1, NULL)),  # there is no bulk in version 1
        snmp(1, b"public", tlv(0xA0, number(1), number(0), sequence())),
        snmp(1, b"public", tlv(0xA0, number(1), number(0), number(0), sequence(sequence(SYS_DESCR)))),
        bytes.fromhex("0564") + bytes(8) + GET[2:],  # as DNP3 begins
        b"\x30\x05\x02\x01\x01\x04\x00",
        b"public",
    ],
)
def test_what_does_not_fit_is_no_credential(data: bytes) -> None:
    assert decode(data) is None
    found = talk(SnmpDatagrams, [(True, data)])
    assert not found.sightings
    assert [name for name, _ in found.weirds] == ["snmp-malformed"]


def test_an_empty_community_is_no_credential() -> None:
    assert not talk(SnmpDatagrams, [(True, snmp(1, b"", pdu(0xA0, 1, NULL)))]).sightings


def test_a_datagram_that_the_capture_cut() -> None:
    (one,) = talk(SnmpDatagrams, [(True, GET[:-9]), (True, 9)]).sightings
    assert (one.secret, one.confidence) == (b"public", "likely")


def test_a_repeat_is_told_once() -> None:
    found = talk(SnmpDatagrams, [(True, GET), (True, GET), (False, snmp(1, b"public", pdu(0xA2, 38, NULL)))])
    assert found.asked[0] is not None
    assert found.asked[0]["repeats"] == 1
    assert len(found.sightings) == 2


def test_five_hundred_datagrams() -> None:
    calls = []
    for turn in range(250):
        calls += [(True, snmp(1, b"public", pdu(0xA1, turn, NULL)))]
        calls += [(False, snmp(1, b"public", pdu(0xA2, turn, number(turn))))]
    found = talk(SnmpDatagrams, calls)
    assert len(found.records) == 250
    assert {(one.secret, one.outcome) for one in found.sightings} == {(b"public", "accepted")}


def v3(identifier: int, digest: bytes, inner: bytes, user: bytes = b"ida") -> bytes:
    return snmp3(identifier, 5, user, digest, scoped(inner))


def test_a_digest_of_version_3() -> None:
    asked = v3(7, DIGEST, pdu(0xA0, 1, NULL))
    (one,) = talk(SnmpDatagrams, [(True, asked), (False, v3(7, DIGEST[::-1], pdu(0xA2, 1, NULL)))]).sightings
    blank = asked.replace(DIGEST, bytes(12)).hex()
    assert one.secret == f"$SNMPv3$0$7${blank}$8000000001$0102030405060708090a0b0c".encode()
    assert (one.username, one.raw, one.form, one.confidence, one.outcome) == (
        "ida",
        DIGEST,
        "hash",
        "likely",
        "accepted",
    )
    assert asked[one.span.offset :][:12] == DIGEST


@pytest.mark.parametrize(
    ("counter", "outcome", "told"),
    [
        (2, "accepted", "not-in-time-window"),
        (3, "refused", "unknown-user"),
        (5, "refused", "wrong-digest"),
        (4, "unknown", "unknown-engine"),
    ],
)
def test_a_report_tells_why(counter: int, outcome: str, told: str) -> None:
    """usmStats (RFC 3414, 5)."""
    name = bytes.fromhex("060a2b060106030f0101") + bytes([counter, 0])
    report = tlv(0xA8, number(1), number(0), number(0), sequence(sequence(name, number(3, 0x41))))
    found = talk(
        SnmpDatagrams, [(True, v3(7, DIGEST, pdu(0xA0, 1, NULL))), (False, snmp3(7, 0, b"", b"", scoped(report)))]
    )
    assert [one.outcome for one in found.sightings] == [outcome]
    assert found.answered[0] is not None
    assert found.answered[0]["report"] == told


@pytest.mark.parametrize(
    "message",
    [
        snmp3(7, 4, b"ida", b"", scoped(pdu(0xA0, 1, NULL))),  # without authentication
        v3(7, bytes(12), pdu(0xA0, 1, NULL)),  # a stand-in
        v3(7, DIGEST, pdu(0xA0, 1, NULL), b""),
        v3(7, DIGEST[:5], pdu(0xA0, 1, NULL)),
    ],
)
def test_a_name_alone_is_no_credential(message: bytes) -> None:
    found = talk(SnmpDatagrams, [(True, message)])
    assert len(found.records) == 1
    assert not found.sightings


def test_a_stream_and_its_losses() -> None:
    reply = snmp(1, b"public", pdu(0xA2, 38, NULL))
    other = snmp(1, b"other", pdu(0xA0, 39, NULL))
    for cuts in (None, [1], [7]):
        found = talk(SnmpStream, [(True, GET + other), (False, reply)], cuts=cuts)
        assert [one.secret for one in found.sightings] == [b"public", b"public", b"other"]
    found = talk(SnmpStream, [(True, GET[:10]), (True, 5), (True, b"xyz"), (True, other)])
    assert [one.secret for one in found.sightings] == [b"other"]
    assert talk(SnmpStream, [(True, b"nothing of it")]).weirds[0][0] == "snmp-lost"


def found_in(port: int) -> list[Found]:
    kinds: dict[str, Callable[[Sink], Parser]] = {"udp": SnmpDatagrams, "tcp": SnmpStream}
    return [talk(kinds[transport], calls) for transport, calls in made.recorded(FILE, port)]


def test_a_recording_of_snmpd() -> None:
    """What the clients were told to use, and what they printed."""
    asked = [one for found in found_in(1610) for one in found.sightings]
    assert {(one.secret, one.outcome) for one in asked if one.form == "cleartext"} == {
        (b"paddle-Buck3t", "accepted"),
        (b"lantern-W4rp", "accepted"),
        (b"wrong-C0mm", "unknown"),
    }
    assert [(one.username, one.outcome) for one in asked if one.form == "hash"] == [
        ("ida", "accepted"),
        ("ida", "refused"),
        ("otto", "accepted"),
        ("una", "accepted"),
        ("nobody", "refused"),
    ]
    trapped = [one for found in found_in(1620) for one in found.sightings]
    assert {(one.secret, one.outcome) for one in trapped} == {(b"tr4p-Hopper", "unknown")}
    assert not [weird for found in found_in(1610) for weird in found.weirds]


def test_the_lines_give_the_passwords() -> None:
    """RFC 3414, A.2 and 6.3.1 (RFC 7860, 4.1 for SHA-256) over what stands in the lines."""
    passwords = [b"wheel+Race77", b"wheel+Race78", b"grist;Stone31", b"lade9Paddle77", b"not-there-1"]
    cracked = []
    for found in found_in(1610):
        for one in found.sightings:
            if one.form != "hash":
                continue
            _, _, kind, _, message, engine, digest = one.secret.decode("ascii").split("$")
            for name in {"0": ("md5", "sha1"), "4": ("sha256",)}[kind]:
                for word in passwords:
                    key = hashlib.new(name, (word * (1 << 17))[: 1 << 20]).digest()
                    local = hashlib.new(name, key + bytes.fromhex(engine) + key).digest()
                    if hmac.new(local, bytes.fromhex(message), name).hexdigest().startswith(digest):
                        cracked.append((one.username, word, name))
    assert cracked == [
        ("ida", b"wheel+Race77", "md5"),
        ("ida", b"wheel+Race78", "md5"),
        ("otto", b"grist;Stone31", "sha1"),
        ("una", b"lade9Paddle77", "sha256"),
        ("nobody", b"not-there-1", "md5"),
    ]


@given(st.data())
def test_no_bytes_raise_and_cuts_do_not_matter(data_of: st.DataObject) -> None:
    _, calls = data_of.draw(st.sampled_from(made.recorded(FILE, 1610)))
    changed: Calls = []
    for to_server, said in calls:
        assert isinstance(said, bytes)
        if data_of.draw(st.booleans()):
            place = data_of.draw(st.integers(0, len(said) - 1))
            said = said[:place] + data_of.draw(st.binary(max_size=2)) + said[place + 1 :] or b"\0"
        changed.append((to_server, said))
    talk(SnmpDatagrams, changed)
    cuts = data_of.draw(st.lists(st.integers(1, 30), min_size=1, max_size=4))
    assert talk(SnmpStream, changed, cuts=cuts).said() == talk(SnmpStream, changed).said()
    talk(SnmpDatagrams, [(True, data_of.draw(st.binary(min_size=1, max_size=80)))])
