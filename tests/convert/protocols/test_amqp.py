"""AMQP 0-9-1 and 1.0: frames put together by the specifications, and what RabbitMQ and its clients said."""

from __future__ import annotations

import struct
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.mutated import CUTS, alike, mutated, quietly
from support.parsing import talk
from support.sql_talk import Calls, recorded
from syswire.convert.protocols.amqp.parser import Amqp
from syswire.convert.protocols.amqp.probe import probe
from syswire.convert.protocols.api import MORE, NO, YES

SECRET = b"kiesel-77"
HEADER = b"AMQP\0\0\x09\1"


def short(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def long(data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + data


def method(number: tuple[int, int], body: bytes, channel: int = 0) -> bytes:
    payload = struct.pack("!HH", *number) + body
    return struct.pack("!BHI", 1, channel, len(payload)) + payload + b"\xce"


START = method(
    (10, 10), b"\0\x09" + long(short(b"product") + b"S" + long(b"made")) + long(b"PLAIN AMQPLAIN") + long(b"")
)
TUNE = method((10, 30), struct.pack("!HIH", 2047, 131072, 60))
REFUSED = method((10, 50), struct.pack("!H", 403) + short(b"ACCESS_REFUSED") + struct.pack("!HH", 0, 0))


def start_ok(mechanism: bytes, response: bytes) -> bytes:
    properties = short(b"product") + b"S" + long(b"x") + short(b"ok") + b"t\1"
    return method((10, 11), long(properties) + short(mechanism) + long(response) + short(b"en_US"))


PLAIN = start_ok(b"PLAIN", b"\0ann\0" + SECRET)


@pytest.mark.parametrize(("answer", "outcome"), [(TUNE, "accepted"), (REFUSED, "refused"), (b"", "unknown")])
def test_plain(answer: bytes, outcome: str) -> None:
    calls: Calls = [(True, HEADER), (False, START), (True, PLAIN), (False, answer)]
    found = talk(Amqp, [call for call in calls if call[1]])
    (sighting,) = found.sightings
    assert (sighting.location, sighting.username, sighting.secret) == ("auth-plain", "ann", SECRET)
    raw = b"\0ann\0" + SECRET
    assert (sighting.raw, sighting.outcome, sighting.span.offset) == (raw, outcome, 8 + PLAIN.index(raw))
    assert found.asked == [{"mechanism": "PLAIN", "user": "ann", "secret": True}]
    if answer == REFUSED:
        assert found.answered == [
            {"result": "error", "code": 403, "message": "ACCESS_REFUSED", "mechanisms": "PLAIN AMQPLAIN"}
        ]
    assert SECRET.decode() not in repr(found.records)


def test_amqplain() -> None:
    response = short(b"LOGIN") + b"S" + long(b"ann") + short(b"PASSWORD") + b"S" + long(SECRET)
    asked = start_ok(b"AMQPLAIN", response)
    found = talk(Amqp, [(True, HEADER), (False, START), (True, asked), (False, TUNE)])
    (sighting,) = found.sightings
    assert (sighting.username, sighting.secret, sighting.outcome) == ("ann", SECRET, "accepted")
    assert sighting.span.offset == 8 + asked.index(SECRET)


def test_messages() -> None:
    publish = method((60, 40), b"\0\0" + short(b"ex") + short(b"key") + b"\0", 1)
    deliver = method((60, 60), short(b"tag") + bytes(9) + short(b"ex") + short(b"key"), 1)
    content = struct.pack("!BHI", 3, 1, 5) + b"hello\xce"
    found = talk(Amqp, [(True, HEADER + PLAIN), (False, START + TUNE), (True, publish + content), (False, deliver)])
    assert found.asked[1] == {"command": "publish", "exchange": "ex", "routing_key": "key"}
    assert found.answered[2] == {"command": "deliver", "exchange": "ex", "routing_key": "key"}
    assert not found.weirds


def sasl(code: int, *fields: bytes) -> bytes:
    body = b"".join(fields)
    body = b"\0\x53" + bytes([code]) + b"\xc0" + bytes([len(body) + 1, len(fields)]) + body
    return struct.pack("!IBBH", len(body) + 8, 2, 1, 0) + body


@pytest.mark.parametrize(("code", "outcome"), [(0, "accepted"), (1, "refused"), (2, "unknown")])
def test_version_1(code: int, outcome: str) -> None:
    header, raw = b"AMQP\3\1\0\0", b"\0ann\0" + SECRET
    init = sasl(0x41, b"\xa3\x05PLAIN", b"\xa0" + short(raw), b"\xa1\x04host")
    calls: Calls = [
        (True, header), (False, header + sasl(0x40, b"\xa3\x05PLAIN")), (True, init),
        (False, sasl(0x44, b"\x50" + bytes([code]))), (True, b"AMQP\0\1\0\0"), (False, b"AMQP\0\1\0\0"),
    ]  # fmt: skip
    found = talk(Amqp, calls)
    (sighting,) = found.sightings
    assert (sighting.username, sighting.secret, sighting.outcome) == ("ann", SECRET, outcome)
    assert sighting.span.offset == 8 + init.index(raw)
    assert not found.weirds


@pytest.mark.parametrize(
    "asked",
    [start_ok(b"EXTERNAL", b""), start_ok(b"PLAIN", b"\0ann\0"), start_ok(b"ANONYMOUS", b"a\0b\0c"), TUNE],
)
def test_what_carries_none_is_no_credential(asked: bytes) -> None:
    assert not talk(Amqp, [(True, HEADER), (False, START), (True, asked), (False, TUNE)]).sightings


def opening(client: bytes, server: bytes = b"", over: bool = False) -> SimpleNamespace:
    return SimpleNamespace(client=client, server=server, over=over)


def test_probe() -> None:
    assert probe(opening(HEADER, START)) == YES
    assert probe(opening(b"AMQP\3\1\0\0")) == YES
    assert probe(opening(b"AMQ")) == MORE
    assert probe(opening(b"AMQPLAIN")) == NO
    assert probe(opening(HEADER, b"HTTP/1.1")) == NO


TALK: Calls = [
    (True, HEADER), (False, START), (True, PLAIN), (False, TUNE),
    (True, method((60, 40), b"\0\0" + short(b"ex") + short(b"key") + b"\0", 1)), (False, REFUSED),
]  # fmt: skip


@quietly
@given(CUTS, st.data())
def test_however_it_is_cut_and_whatever_is_changed(cuts: list[int], data: st.DataObject) -> None:
    alike(Amqp, mutated(TALK, data), cuts)


def test_rabbitmq(data: Path) -> None:
    told = [talk(Amqp, calls) for calls in recorded(data / "protocols/amqp.pcap", 15672)]
    assert [(s.username, s.secret, s.outcome) for found in told for s in found.sightings] == [
        ("ann", b"kiesel-61", "accepted"),
        ("ann", b"wrong-62", "refused"),
        ("ann", b"kiesel-61", "accepted"),
    ]
    assert "kiesel" not in repr([found.records for found in told])
