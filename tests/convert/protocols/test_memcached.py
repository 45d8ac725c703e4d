"""memcached: messages put together by hand from the descriptions of both protocols."""

from __future__ import annotations

import hmac
import struct
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.mutated import CUTS, alike, mutated, quietly
from support.parsing import talk
from support.sql_talk import Calls, recorded
from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.memcached.parser import Memcached
from syswire.convert.protocols.memcached.probe import probe

SECRET = b"kiesel-77"
RAW = b"\0ann\0" + SECRET


def binary(magic: int, number: int, key: bytes = b"", value: bytes = b"", status: int = 0) -> bytes:
    length = len(key) + len(value)
    return struct.pack("!BBHBBHIIQ", magic, number, len(key), 0, 0, status, length, 0, 0) + key + value


AUTH = binary(0x80, 0x21, b"PLAIN", RAW)


@pytest.mark.parametrize(("status", "outcome"), [(0, "accepted"), (0x20, "refused"), (0x81, "unknown")])
def test_plain(status: int, outcome: str) -> None:
    calls: Calls = [
        (True, binary(0x80, 0x20)), (False, binary(0x81, 0x20, value=b"PLAIN CRAM-MD5")), (True, AUTH),
        (False, binary(0x81, 0x21, value=b"Authenticated", status=status)),
    ]  # fmt: skip
    found = talk(Memcached, calls)
    (sighting,) = found.sightings
    assert (sighting.location, sighting.username, sighting.secret) == ("auth-plain", "ann", SECRET)
    assert (sighting.raw, sighting.outcome, sighting.span.offset) == (RAW, outcome, 24 + AUTH.index(RAW))
    assert found.asked == [{"mechanism": "PLAIN", "user": "ann", "secret": True}]


def test_a_challenge() -> None:
    challenge = b"<17.42@made>"
    digest = hmac.digest(SECRET, challenge, "md5").hex().encode()
    calls: Calls = [
        (True, binary(0x80, 0x21, b"CRAM-MD5")), (False, binary(0x81, 0x21, value=challenge, status=0x21)),
        (True, binary(0x80, 0x22, b"CRAM-MD5", b"ann " + digest)), (False, binary(0x81, 0x22)),
    ]  # fmt: skip
    (sighting,) = talk(Memcached, calls).sightings
    assert (sighting.username, sighting.form, sighting.outcome) == ("ann", "hash", "accepted")
    assert sighting.secret == digest + b":" + challenge


@pytest.mark.parametrize(
    ("answer", "outcome"), [(b"STORED\r\n", "accepted"), (b"CLIENT_ERROR authentication failure\r\n", "refused")]
)
def test_the_text_protocol(answer: bytes, outcome: str) -> None:
    asked = b"set x 0 0 13\r\nann " + SECRET + b"\r\n"
    found = talk(Memcached, [(True, asked), (False, answer), (True, b"get a\r\n"), (False, b"END\r\n")])
    (sighting,) = found.sightings
    assert (sighting.username, sighting.secret, sighting.outcome) == ("ann", SECRET, outcome)
    assert sighting.span.offset == asked.index(SECRET)
    assert found.asked == [{"mechanism": "set", "user": "ann", "secret": True}]


@pytest.mark.parametrize(
    "calls",
    [
        [(True, b"get a\r\n"), (False, b"END\r\n"), (True, b"set x 0 0 8\r\nann pass\r\n"), (False, b"STORED\r\n")],
        [(True, b"set x 0 0 5\r\nhello\r\n"), (False, b"STORED\r\n")],
        [(True, binary(0x80, 0x01, b"PLAIN", RAW)), (False, binary(0x81, 0x01))],
        [(True, binary(0x80, 0x21, b"PLAIN", b"\0ann\0")), (False, binary(0x81, 0x21))],
    ],
)
def test_what_carries_none_is_no_credential(calls: Calls) -> None:
    assert not talk(Memcached, calls).sightings


def opening(client: bytes, server: bytes = b"", over: bool = False, port: int = 0) -> SimpleNamespace:
    return SimpleNamespace(client=client, server=server, over=over, server_port=port)


def test_probe() -> None:
    assert probe(opening(AUTH)) == YES
    assert probe(opening(binary(0x80, 0), binary(0x81, 0))) == YES
    assert probe(opening(AUTH, b"\x82" * 30)) == NO
    assert probe(opening(AUTH[:9])) == MORE
    asked = b"set x 0 0 13\r\nann kiesel-77\r\n"
    assert probe(opening(asked, b"CLIENT_ERROR authentication failure\r\n")) == YES
    assert probe(opening(asked, b"STORED\r\n")) == NO  # two words are stored every day
    assert probe(opening(asked, b"STORED\r\n", port=11211)) == NO
    assert probe(opening(b"set-cookie: a\r\n")) == NO


TALK: Calls = [
    (True, binary(0x80, 0x20)), (False, binary(0x81, 0x20, value=b"PLAIN")), (True, AUTH),
    (False, binary(0x81, 0x21)), (True, binary(0x80, 0x01, b"k", b"v" * 100)), (False, binary(0x81, 0x01)),
]  # fmt: skip
LINES: Calls = [(True, b"set x 0 0 13\r\nann kiesel-77\r\n"), (False, b"STORED\r\n"), (True, b"get a\r\n")]


@quietly
@given(CUTS, st.sampled_from([TALK, LINES]), st.data())
def test_however_it_is_cut_and_whatever_is_changed(cuts: list[int], calls: Calls, data: st.DataObject) -> None:
    alike(Memcached, mutated(calls, data), cuts)


def test_memcached_itself(data: Path) -> None:
    told = [talk(Memcached, calls) for calls in recorded(data / "protocols/memcached.pcap", 12211)]
    assert [(s.username, s.secret, s.outcome) for found in told for s in found.sightings] == [
        ("ann", b"kiesel-71", "accepted"),
        ("ann", b"wrong-72", "refused"),
    ]
