"""What servers really said, begun anywhere and in any mixture: cuts within calls do not change what is recognised."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.parsing import Found, talk
from support.recorded_talk import conversations
from syswire.convert.protocols.api import MORE, NO, YES, Sink
from syswire.convert.protocols.recogniser import Recogniser
from syswire.convert.protocols.table import BY_NAME, probes

RECORDINGS = Path(__file__).resolve().parents[2] / "data" / "protocols"
MOST = 4_000
"""Bytes of a conversation that is made up of others."""
Calls = list[tuple[bool, bytes | int]]


@cache
def talks() -> list[Calls]:
    """All TCP conversations that were recorded."""
    return [calls for file in sorted(RECORDINGS.glob("*.pcap")) for calls in conversations(file)]


@st.composite
def mixed(draw: st.DrawFn) -> Calls:
    """Calls of some conversations from any one on, in turn, with losses between them."""
    random = draw(st.randoms(use_true_random=False))
    parts = []
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        calls = random.choice(talks())
        begin = random.choice((0, random.randrange(len(calls))))
        parts.append(calls[begin : begin + 12])
    made: Calls = []
    room = MOST
    while any(parts) and room > 0:
        part = random.choice([one for one in parts if one])
        to_server, data = part[0]
        del part[0]
        assert isinstance(data, bytes)
        if random.random() < 0.05:
            made.append((to_server, random.randrange(1, 100)))
        if random.random() < 0.1:
            data = data[: random.randrange(1, len(data) + 1)]
        made.append((to_server, data[:room]))
        room -= len(data)
    return made


def recogniser(sink: Sink) -> Recogniser:
    return Recogniser(sink, "tcp", 40000, 9999)


def handed(found: Found) -> list[tuple[object, ...]]:
    return [(one.name, one.client, one.server, one.gaps, one.closed) for one in found.switched]


@settings(max_examples=150, deadline=None)
@given(mixed(), st.lists(st.sampled_from((1, 2, 3, 5, 17, 100)), min_size=1, max_size=5), st.booleans())
def test_cuts_change_nothing(calls: Calls, cuts: list[int], ended: bool) -> None:
    whole = handed(talk(recogniser, calls, ended=ended))
    assert handed(talk(recogniser, calls, cuts=[1], ended=ended)) == whole
    assert handed(talk(recogniser, calls, cuts=cuts, ended=ended)) == whole


@dataclass
class Begun:
    """An Opening (api.py)."""

    client: bytes
    server: bytes
    server_port: int
    over: bool
    first_to_server: bool
    client_port: int = 40000
    path: str = ""
    transport: str = "tcp"


@settings(max_examples=150, deadline=None)
@given(mixed(), st.integers(0, 60), st.integers(0, 60), st.sampled_from((0, 53, 1080, 3306, 5432)), st.booleans())
def test_probes_take_any_beginning(calls: Calls, sent: int, answered: int, port: int, over: bool) -> None:
    """Of both directions any number of bytes may be here."""
    client, server = (
        b"".join(content for up, content in calls if up is side and isinstance(content, bytes))
        for side in (True, False)
    )
    opening = Begun(client[:sent], server[:answered], port, over, calls[0][0])
    for transport in ("tcp", "udp"):
        for _, probe in probes(transport):
            assert probe(opening) in (NO, YES, MORE)


@pytest.mark.parametrize("file", sorted(RECORDINGS.glob("*.pcap")), ids=lambda file: file.stem)
def test_every_conversation_is_known_for_what_it_is(file: Path) -> None:
    """FTP's data connections have no protocol, and one client asks for TLS before it logs in; memcached's text protocol
    is known by a refused login alone."""
    name = file.stem.partition("-")[0]
    known: dict[str, set[str | None]] = {
        "mail": {"imap", "pop3", "smtp"},
        "smb1": {"smb"},
        "smb2": {"smb"},
        "smb3": {"smb"},
        "ftp": {"ftp", "tls", None},
        "http2": {"http2", "http"},
        "websocket": {"http"},
        "memcached": {"memcached", None},
    }
    found = set()
    for calls in conversations(file):
        names = [one.name for one in talk(recogniser, calls).switched]
        assert len(names) < 2
        found.add(BY_NAME[names[0]].shown or names[0] if names and names[0] else None)
    if not found:
        pytest.skip("there is no TCP in it")
    assert found <= known.get(name, {name})
