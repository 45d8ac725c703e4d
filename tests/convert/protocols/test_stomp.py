"""STOMP: frames put together by the specification, and what CoilMQ and stomp.py said."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.mutated import CUTS, alike, mutated, quietly
from support.parsing import Found, talk
from support.sql_talk import Calls, recorded
from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.stomp.parser import Stomp
from syswire.convert.protocols.stomp.probe import probe

SECRET = b"kiesel:77"
CONNECT = b"CONNECT\naccept-version:1.2\nhost:shop\nlogin:ann\npasscode:" + SECRET + b"\nheart-beat:0,0\n\n\0"
CONNECTED = b"CONNECTED\nversion:1.2\nserver:made/1\n\n\0\n"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (CONNECTED, "accepted"),
        (b"ERROR\nmessage:Bad CONNECT\ncontent-length:4\n\nno\0!\0", "unknown"),
        (b"ERROR\nmessage:Access refused for user 'ann'\n\nAccess\0", "refused"),
        (b"", "unknown"),
    ],
)
@pytest.mark.parametrize("crlf", [False, True])
def test_a_login(answer: bytes, outcome: str, crlf: bool) -> None:
    asked = CONNECT.replace(b"\n", b"\r\n") if crlf else CONNECT
    calls: Calls = [(True, asked), (False, answer)]
    found = talk(Stomp, [call for call in calls if call[1]])
    (sighting,) = found.sightings
    assert (sighting.username, sighting.secret, sighting.outcome) == ("ann", SECRET, outcome)
    assert (sighting.span.offset, sighting.span.length) == (asked.index(SECRET), len(SECRET))
    assert found.asked == [{"accept_version": "1.2", "virtual_host": "shop", "user": "ann", "secret": True}]
    assert found.records[0].request is not None
    assert found.records[0].request.span.length == len(asked)


def test_messages_and_subscriptions() -> None:
    calls: Calls = [
        (True, b"\n" + CONNECT), (False, CONNECTED), (True, b"SUBSCRIBE\nid:0\ndestination:/queue/a\n\n\0"),
        (True, b"SEND\ndestination:/queue/a\ncontent-type:text/plain\ncontent-length:5\n\na\0b\0c\0"),
        (False, b"MESSAGE\ndestination:/queue/a\nmessage-id:1\n\nhello\0"), (True, b"DISCONNECT\n\n\0"),
    ]  # fmt: skip
    found = talk(Stomp, calls)
    assert [r.kind for r in found.records] == ["login", "subscribe", "publish", "publish"]
    assert found.answered[0] == {"result": "ok", "version": "1.2", "server_version": "made/1"}
    assert found.asked[2] == {
        "command": "send", "destination": "/queue/a", "content_type": "text/plain", "body_length": 5
    }  # fmt: skip
    assert found.answered[3] == {"command": "message", "destination": "/queue/a", "body_length": 5}
    assert not found.weirds


@pytest.mark.parametrize(
    "calls",
    [
        [(True, b"CONNECT\nlogin:ann\n\n\0"), (False, CONNECTED)],
        [(True, b"CONNECT\nlogin:ann\npasscode:\n\n\0"), (False, CONNECTED)],
        [(True, b"CONNECT\n\n\0"), (False, CONNECTED), (True, b"SEND\npasscode:x\ndestination:a\n\nlogin:a\0")],
        [(False, CONNECT)],
    ],
)
def test_what_carries_none_is_no_credential(calls: Calls) -> None:
    assert not talk(Stomp, calls).sightings


def test_a_message_without_end_is_not_kept() -> None:
    found = Found()
    parser = Stomp(found)
    parser.data(True, CONNECT + b"SEND\ndestination:a\n\n", 0, None, True)
    for number in range(100):
        parser.data(True, b"x" * 65536, 1000 + number * 65536, None, False)
    assert len(parser._sides[True].buffer._data) <= 2 * 65536
    parser.close()
    assert found.asked[0] == {
        "command": "send", "destination": "a", "body_length": 100 * 65536, "body_complete": False
    }  # fmt: skip


def opening(client: bytes, server: bytes = b"", over: bool = False) -> SimpleNamespace:
    return SimpleNamespace(client=client, server=server, over=over)


def test_probe() -> None:
    assert probe(opening(CONNECT)) == YES
    assert probe(opening(b"\nSTOMP\r\naccept-version:1.1\r\n", b"CONN")) == YES
    assert probe(opening(CONNECT, b"HTTP/1.1 400")) == NO
    assert probe(opening(b"CONNECT\nlog")) == MORE
    assert probe(opening(b"CONNECT example.org:443 HTTP/1.1\r\n\r\n")) == NO
    assert probe(opening(b"CONNECT {}\r\n")) == NO
    assert probe(opening(b"CONN", over=True)) == NO


TALK: Calls = [
    (True, CONNECT), (False, CONNECTED), (True, b"SEND\r\ndestination:/q\r\ncontent-length:3\r\n\r\nabc\0\n"),
    (False, b"MESSAGE\ndestination:/q\n\nabc\0"), (True, b"STOMP\nlogin:bob\npasscode:x\n\n\0"),
    (False, b"ERROR\nmessage:login failed\n\n\0"),
]  # fmt: skip


@quietly
@given(CUTS, st.data())
def test_however_it_is_cut_and_whatever_is_changed(cuts: list[int], data: st.DataObject) -> None:
    alike(Stomp, mutated(TALK, data), cuts)


def test_coilmq(data: Path) -> None:
    told = [talk(Stomp, calls) for calls in recorded(data / "protocols/stomp.pcap", 16613)]
    assert [(s.username, s.secret, s.outcome) for found in told for s in found.sightings] == [
        ("ann", b"kiesel-41", "accepted"),
        ("ann", b"wrong-42", "refused"),
    ]
    assert "kiesel" not in repr([found.records for found in told])
    assert not any(found.weirds for found in told)
