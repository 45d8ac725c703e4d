"""MQTT: packets put together by the specification, and what Mosquitto and its clients said."""

from __future__ import annotations

import struct
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.mutated import CUTS, alike, mutated, quietly
from support.parsing import Found, talk
from support.sql_talk import Calls, recorded
from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.mqtt.parser import Mqtt
from syswire.convert.protocols.mqtt.probe import probe

SECRET = b"kiesel-77"
PORT = 11883


def text(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


def control(first: int, body: bytes) -> bytes:
    """A control packet of less than 2 MiB."""
    length, head = len(body), b""
    while True:
        length, low = length >> 7, length & 0x7F
        head += bytes([low | (0x80 if length else 0)])
        if not length:
            return bytes([first]) + head + body


def connect(version: int = 4, flags: int = 0xC2, *fields: bytes, properties: bytes = b"") -> bytes:
    name = text(b"MQIsdp") if version == 3 else text(b"MQTT")
    body = name + bytes([version, flags]) + struct.pack("!H", 60)
    if version == 5:
        body += bytes([len(properties)]) + properties
    return control(0x10, body + b"".join(text(field) for field in fields or (b"cid", b"ann", SECRET)))


ACCEPT = control(0x20, b"\0\0")


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize(("code", "outcome"), [(0, "accepted"), (4, "refused"), (5, "refused"), (3, "unknown")])
def test_a_login(version: int, code: int, outcome: str) -> None:
    asked = connect(version)
    found = talk(Mqtt, [(True, asked), (False, control(0x20, bytes([0, code])))])
    (sighting,) = found.sightings
    assert (sighting.location, sighting.username, sighting.secret) == ("login", "ann", SECRET)
    assert (sighting.outcome, sighting.secret_complete, sighting.raw) == (outcome, True, SECRET)
    assert (sighting.span.offset, sighting.span.length) == (len(asked) - len(SECRET), len(SECRET))
    assert found.asked == [
        {
            "version": "3.1" if version == 3 else "3.1.1", "clean": True, "keep_alive": 60, "client_id": "cid",
            "user": "ann", "secret": True,
        }
    ]  # fmt: skip
    answer = found.answered[0]
    assert answer is not None
    assert (answer["result"], answer["code"]) == ("error" if code else "ok", code)


def test_version_5_with_a_will_and_properties() -> None:
    """Session expiry, a method with data, a pair; of the will: a delay and a content type."""
    properties = b"\x11\0\0\0\x0a" + b"\x15" + text(b"SCRAM-SHA-1") + b"\x16" + text(b"n,,n=u") + b"\x26" + text(b"a")
    properties += text(b"b")
    will = b"\x18\0\0\0\x05\x03" + text(b"text/plain")
    body = text(b"MQTT") + bytes([5, 0xEE]) + struct.pack("!H", 5) + bytes([len(properties)]) + properties
    body += text(b"") + bytes([len(will)]) + will + text(b"last/words") + text(b"gone") + text(b"ann") + text(SECRET)
    refusal = control(0x20, b"\0\x86" + bytes([9]) + b"\x1f" + text(b"no way"))
    found = talk(Mqtt, [(True, control(0x10, body)), (False, refusal)])
    assert found.asked == [
        {
            "version": "5.0", "clean": True, "keep_alive": 5, "authentication": "SCRAM-SHA-1",
            "authentication_data_length": 6, "client_id": "", "will_topic": "last/words", "will_length": 4,
            "will_qos": 1, "will_retain": True, "user": "ann", "secret": True,
        }
    ]  # fmt: skip
    assert found.answered == [{"result": "error", "code": 0x86, "reason": "bad-user-or-password", "message": "no way"}]
    assert [(s.secret, s.outcome) for s in found.sightings] == [(SECRET, "refused")]


def test_topics_and_payloads() -> None:
    publish = control(0x3B, text(b"a/b") + b"\0\7" + b"payload!")
    calls: Calls = [
        (True, connect()), (False, ACCEPT),
        (True, control(0x82, b"\0\x09" + text(b"a/#") + b"\1" + text(b"$SYS/x") + b"\0")),
        (False, control(0x90, b"\0\x09\1\x80")), (True, publish), (False, control(0x30, text(b"a/b") + b"hi")),
        (True, control(0xA2, b"\0\x0a" + text(b"a/#"))), (False, control(0xB0, b"\0\x0a")), (True, b"\xe0\0"),
    ]  # fmt: skip
    found = talk(Mqtt, calls)
    assert [r.kind for r in found.records] == ["login", "subscribe", "publish", "publish", "subscribe"]
    assert found.asked[1] == {
        "command": "subscribe", "packet_id": 9, "topics": [["a/#", 1], ["$SYS/x", 0]], "topics_complete": True
    }  # fmt: skip
    assert found.answered[1] == {"result": "error", "codes": [1, 0x80]}
    assert found.asked[2] == {
        "qos": 1, "retain": True, "duplicate": True, "topic": "a/b", "packet_id": 7, "payload_length": 8
    }  # fmt: skip
    assert found.answered[3] == {"qos": 0, "retain": False, "duplicate": False, "topic": "a/b", "payload_length": 2}
    assert found.asked[4] == {"command": "unsubscribe", "packet_id": 10, "topics": ["a/#"], "topics_complete": True}
    assert found.records[2].request is not None
    assert found.records[2].request.span.length == len(publish)
    assert not found.weirds


@pytest.mark.parametrize(
    "calls",
    [
        [(True, connect(4, 0x82, b"cid", b"ann")), (False, ACCEPT)],
        [(True, connect(4, 0xC2, b"cid", b"ann", b"")), (False, ACCEPT)],
        [(True, connect(4, 0x02, b"cid")), (False, ACCEPT), (True, control(0x30, text(b"password") + SECRET))],
        [(True, connect(4, 0x06, b"cid", b"password", SECRET)), (False, ACCEPT)],
        [(False, connect())],
    ],
)
def test_what_carries_none_is_no_credential(calls: Calls) -> None:
    assert not talk(Mqtt, calls).sightings


def test_a_password_without_a_user_and_one_that_is_cut() -> None:
    found = talk(Mqtt, [(True, connect(5, 0x42, b"cid", SECRET)), (False, ACCEPT)])
    assert [(s.username, s.secret) for s in found.sightings] == [(None, SECRET)]
    found = talk(Mqtt, [(True, connect()[:-3])])
    assert [(s.username, s.secret, s.secret_complete) for s in found.sightings] == [("ann", SECRET[:-3], False)]


def test_behind_other_bytes_and_behind_a_loss() -> None:
    junk: Calls = [(True, b"\x30\x7fPROXY TCP4 1.2.3.4\r\n"), (False, b"x")]
    calls: Calls = [*junk, (True, connect()), (False, ACCEPT), (True, 40), (True, b"lost"), (True, connect(4, 0xC2))]
    found = talk(Mqtt, [*calls, (False, control(0x20, b"\0\5"))])
    assert [(s.secret, s.outcome) for s in found.sightings] == [(SECRET, "accepted"), (SECRET, "refused")]
    assert [name for name, _ in found.weirds] == ["mqtt-gap"]


def test_a_payload_is_not_kept() -> None:
    found = Found()
    parser = Mqtt(found)
    parser.data(True, connect(), 0, None, True)
    offset = len(connect())
    head = b"\x30\xff\xff\xff\x7f" + text(b"big")
    parser.data(True, head, offset, None, True)
    offset += len(head)
    for _ in range(100):
        parser.data(True, bytes(65536), offset, None, False)
        offset += 65536
    assert len(parser._client.buffer._data) <= 2 * 65536 + 100
    parser.close()
    assert found.asked[0] == {
        "qos": 0, "retain": False, "duplicate": False, "topic": "big", "payload_length": (1 << 28) - 1 - 5
    }  # fmt: skip
    assert found.records[0].request is not None
    assert found.records[0].request.span.length == len(head) + 100 * 65536


def opening(client: bytes, server: bytes = b"", over: bool = False) -> SimpleNamespace:
    return SimpleNamespace(client=client, server=server, over=over, server_port=0)


def test_probe() -> None:
    assert probe(opening(connect())) == YES
    assert probe(opening(connect(3), ACCEPT)) == YES
    assert probe(opening(connect(5), b"HTTP/1.1 400")) == NO
    assert probe(opening(b"\x10\x20\0\4MQ")) == MORE
    assert probe(opening(b"\x10\x20\0\4MQ", over=True)) == NO
    assert probe(opening(b"\xc0\0" + connect())) == YES
    assert probe(opening(b"GET / HTTP/1.1\r\n\r\nMQTT")) == NO
    assert probe(opening(control(0x10, text(b"MQTT") + b"\4\1" + bytes(9)))) == NO  # a reserved flag


TALK: Calls = [
    (True, connect(5, 0xC2, b"cid", b"ann", SECRET, properties=b"\x21\0\5")), (False, control(0x20, b"\0\0\0")),
    (True, control(0x82, b"\0\1\0" + text(b"a/#") + b"\1")), (False, control(0x90, b"\0\1\0\1")),
    (True, control(0x32, text(b"a/b") + b"\0\2\2\x01\1" + b"x" * 200)), (False, control(0x40, b"\0\2")),
    (True, connect()), (False, control(0x20, b"\0\5")), (True, b"\xe0\0"),
]  # fmt: skip


@quietly
@given(CUTS, st.data())
def test_however_it_is_cut_and_whatever_is_changed(cuts: list[int], data: st.DataObject) -> None:
    alike(Mqtt, mutated(TALK, data), cuts)


def test_mosquitto(data: Path) -> None:
    path = data / "protocols/mqtt.pcap"
    told = [talk(Mqtt, calls) for calls in recorded(path, PORT)]
    secrets = [(s.username, s.secret, s.outcome) for found in told for s in found.sightings]
    assert secrets == [
        ("ann", b"kiesel-31", "accepted"),
        ("ann", b"kiesel-31", "accepted"),
        ("ann", b"wrong-32", "refused"),
        ("bob", b"wrong-33", "refused"),
    ]
    assert "kiesel" not in repr([found.records for found in told])
    assert not any(found.weirds for found in told)
