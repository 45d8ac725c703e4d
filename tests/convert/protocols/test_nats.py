"""NATS: lines put together by the protocol's page, and what nats-server and nats-py said."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.mutated import CUTS, alike, mutated, quietly
from support.parsing import Found, talk
from support.sql_talk import Calls, recorded
from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.nats.parser import Nats
from syswire.convert.protocols.nats.probe import probe

INFO = b'INFO {"server_id":"NAB","version":"2.9.10","max_payload":1048576,"auth_required":true,"nonce":"aXk"} \r\n'


def connect(**options: object) -> bytes:
    return b"CONNECT " + json.dumps({"verbose": False, "lang": "made", **options}).encode() + b"\r\nPING\r\n"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"PONG\r\n", "accepted"),
        (b"+OK\r\n", "accepted"),
        (b"-ERR 'Authorization Violation'\r\n", "refused"),
        (b"-ERR 'Maximum Connections Exceeded'\r\n", "unknown"),
        (b"", "unknown"),
    ],
)
def test_a_login(answer: bytes, outcome: str) -> None:
    asked = connect(user="ann", **{"pass": 'a"b\\c'})
    calls: Calls = [(False, INFO), (True, asked), (False, answer)]
    found = talk(Nats, [call for call in calls if call[1]])
    (sighting,) = found.sightings
    raw = b'a\\"b\\\\c'
    assert (sighting.username, sighting.secret, sighting.raw, sighting.form) == ("ann", b'a"b\\c', raw, "cleartext")
    assert (sighting.outcome, sighting.field, sighting.span.offset) == (outcome, "pass", asked.index(raw))
    assert found.asked == [{"user": "ann", "language": "made", "secret": True}]
    answered = found.answered[0]
    assert answered is not None
    assert (answered["server_version"], answered["auth_required"]) == ("2.9.10", True)


def test_tokens() -> None:
    def jwt(**nats: object) -> str:
        return "e30." + urlsafe_b64encode(json.dumps({"nats": nats}).encode()).decode().rstrip("=") + ".c2ln"

    found = talk(Nats, [(True, connect(auth_token="s3cr3t")), (False, b"PONG\r\n")])
    assert [(s.secret, s.form, s.username) for s in found.sightings] == [(b"s3cr3t", "token", None)]
    bearer = jwt(bearer_token=True)
    found = talk(Nats, [(True, connect(jwt=bearer)), (False, b"PONG\r\n")])
    assert [(s.secret, s.form) for s in found.sightings] == [(bearer.encode(), "token")]
    assert not talk(Nats, [(True, connect(jwt=jwt(), nkey="UAB", sig="abc"))]).sightings


def test_subjects() -> None:
    calls: Calls = [
        (False, INFO), (True, connect()), (False, b"PONG\r\n"), (True, b"SUB house.* 1\r\n"),
        (True, b"PUB house.door reply 5\r\nop\r\nn\r\n"), (False, b"MSG house.door 1 5\r\nop\r\nn\r\n"),
    ]  # fmt: skip
    found = talk(Nats, calls)
    assert [r.kind for r in found.records] == ["login", "subscribe", "publish", "publish"]
    assert found.asked[1:3] == [
        {"command": "sub", "subject": "house.*"},
        {"command": "pub", "subject": "house.door", "payload_length": 5},
    ]
    assert not found.weirds


@pytest.mark.parametrize(
    "calls",
    [
        [(False, INFO), (True, connect(user="ann")), (False, b"PONG\r\n")],
        [(False, INFO), (True, connect(user="ann", **{"pass": ""})), (False, b"PONG\r\n")],
        [(False, INFO), (True, connect(echo="pass")), (True, b'PUB a 16\r\n{"pass":"geheim"}\r\n')],
        [(False, INFO), (True, b'CONNECT {"pass": "geheim"\r\n')],
    ],
)
def test_what_carries_none_is_no_credential(calls: Calls) -> None:
    assert not talk(Nats, calls).sightings


def test_deep_nesting_and_numbers_without_end() -> None:
    for told in (b"[" * 60_000, b'{"a":' * 10_000, b'{"a":' + b"9" * 50_000 + b"}"):
        assert not talk(Nats, [(True, b"CONNECT " + told + b"\r\n")]).sightings
    found = Found()
    parser = Nats(found)
    for number in range(40):
        parser.data(True, b"x" * 65536, number * 65536, None, False)
    assert len(parser._sides[True].buffer._data) <= 2 * 65536


def opening(client: bytes, server: bytes = b"", over: bool = False) -> SimpleNamespace:
    return SimpleNamespace(client=client, server=server, over=over)


def test_probe() -> None:
    assert probe(opening(b"", INFO)) == YES
    assert probe(opening(connect())) == YES
    assert probe(opening(b"\x16\x03\x01", INFO)) == NO
    assert probe(opening(b'CONNECT {"a', b"+ERR")) == NO
    assert probe(opening(b"CONN")) == MORE
    assert probe(opening(b"INFO\r\n", b"$5\r\nhello\r\n")) == NO
    assert probe(opening(b"CONNECT\nlogin:a\n\n\0")) == NO


TALK: Calls = [
    (False, INFO), (True, connect(user="ann", **{"pass": "kiesel"})), (False, b"PONG\r\n"),
    (True, b"SUB a 1\r\nPUB a 3\r\nabc\r\n"), (False, b"MSG a 1 3\r\nabc\r\n"), (False, b"-ERR 'Stale'\r\n"),
]  # fmt: skip


@quietly
@given(CUTS, st.data())
def test_however_it_is_cut_and_whatever_is_changed(cuts: list[int], data: st.DataObject) -> None:
    alike(Nats, mutated(TALK, data), cuts)


def test_nats_server(data: Path) -> None:
    told = [talk(Nats, calls) for calls in recorded(data / "protocols/nats.pcap", 14222)]
    assert [(s.username, s.secret, s.outcome) for found in told for s in found.sightings] == [
        ("ann", b"kiesel-51", "accepted"),
        ("ann", b"wrong-52", "refused"),
    ]
    assert "kiesel" not in repr([found.records for found in told])
    assert not any(found.weirds for found in told)
