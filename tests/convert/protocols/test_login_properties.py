"""SIP, RADIUS, VNC, PPP, rlogin, X11 and rsync: however cut, whatever is lost or changed, and however much comes."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.parsing import Found, Talk, talk
from syswire.convert.protocols.api import Parser, Sink
from syswire.convert.protocols.ppp.parser import Ppp
from syswire.convert.protocols.radius.parser import Radius
from syswire.convert.protocols.rlogin.parser import Rlogin
from syswire.convert.protocols.rlogin.remote import Rexec, Rsh
from syswire.convert.protocols.rsync.parser import Rsync
from syswire.convert.protocols.sip.parser import SipDatagrams, SipStream
from syswire.convert.protocols.vnc.parser import Vnc
from syswire.convert.protocols.x11.parser import X11

from . import test_ppp, test_radius, test_rsync, test_sip, test_vnc, test_x11

Make = Callable[[Sink], Parser]
SIP = [
    (True, test_sip.asked(more=test_sip.proof(), body="v=0")), (False, test_sip.answered(401)),
    (True, b"\r\n" + test_sip.asked(number=2, more=test_sip.proof(nonce="n1"))),
    (False, test_sip.answered(200, number=2)),
]  # fmt: skip
RFB = [
    (False, test_vnc.v(b"008")), (True, test_vnc.v(b"008")), (False, b"\1\2"), (True, b"\2"),
    (False, test_vnc.CHALLENGE), (True, test_vnc.RESPONSE), (False, bytes(4)), (True, b"\1"),
    (False, test_vnc.INIT + b"pixels"), (True, b"keys"),
]  # fmt: skip
RSYNC = [
    (False, b"@RSYNCD: 31.0\n"), (True, b"@RSYNCD: 31.0\nstore\n"),
    (False, b"Hi\n@RSYNCD: AUTHREQD " + test_rsync.CHALLENGE + b"\n"), (True, b"ada " + test_rsync.TOKEN + b"\n"),
    (False, b"@RSYNCD: OK\n"), (True, b"more"),
]  # fmt: skip
RLOGIN = [
    (True, b"\0here\0there\0vt100/9600\0"), (False, b"\0Password: "), (True, b"word\r"), (False, b"\r\n$ "),
    (True, b"ls\r"), (False, b"ls\r\n$ "),
]  # fmt: skip
X = [(True, test_x11.asked("<")), (False, test_x11.answered("<", 1, b"The maker")), (True, b"requests")]
REMOTE = [(True, b"1021\0here\0there\0ls -l\0in"), (False, b"\1Permission denied\n")]
STREAMS: dict[str, tuple[Make, list[tuple[bool, bytes]]]] = {
    "sip": (SipStream, SIP),
    "vnc": (Vnc, RFB),
    "rsync": (Rsync, RSYNC),
    "rlogin": (Rlogin, RLOGIN),
    "x11": (X11, X),
    "rsh": (Rsh, REMOTE),
    "rexec": (Rexec, REMOTE),
}
PPP = [
    (True, test_ppp.frame(0xC023, 1, 1, test_ppp.sized(b"ada", b"word"))),
    (False, test_ppp.frame(0xC023, 2, 1, b"\2Hi")),
    (False, test_ppp.frame(0xC223, 1, 7, test_ppp.sized(bytes(16)) + b"isp")),
    (True, test_ppp.frame(0xC223, 2, 7, test_ppp.sized(bytes(49)) + b"ada")),
    (False, test_ppp.frame(0xC223, 3, 7, b"Hi")),
    (False, test_ppp.frame(0xC227, 1, 2, b"\4" + test_ppp.sized(bytes(16)))),
    (True, test_ppp.frame(0xC227, 2, 2, b"\4" + test_ppp.sized(bytes(16)))),
]  # fmt: skip
RADIUS = [(True, test_radius.TELNET), (False, test_radius.TELNET_ACCEPT), (True, test_radius.CHAP)]
DATAGRAMS: dict[str, tuple[Make, list[tuple[bool, bytes]]]] = {
    "sip-udp": (SipDatagrams, SIP),
    "radius": (Radius, RADIUS),
    "ppp": (Ppp, PPP),
}
ALL = STREAMS | DATAGRAMS


def content(found: Found) -> object:
    """What was found, without the places of runs, which depend on where they were cut."""
    sightings = [(s.secret, s.raw, s.username, s.outcome, s.span.offset, s.span.length) for s in found.sightings]
    sides = [(r.kind, r.request and r.request.fields, r.response and r.response.fields) for r in found.records]
    spans = [[(m.span.offset, m.span.length) for m in (r.request, r.response) if m] for r in found.records]
    return sides, spans, sightings, [(name, span.offset) for name, span in found.weirds]


@pytest.mark.parametrize("name", STREAMS)
@given(cuts=st.lists(st.integers(1, 9), min_size=1, max_size=20))
@settings(max_examples=30)
def test_cuts_change_nothing(name: str, cuts: list[int]) -> None:
    make, calls = STREAMS[name]
    whole = content(talk(make, calls))
    assert content(talk(make, calls, cuts=cuts)) == whole
    assert content(talk(make, calls, cuts=[1])) == whole


@pytest.mark.parametrize("name", ALL)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_what_is_changed_or_lost_never_raises(name: str, seed: int) -> None:
    make, calls = ALL[name]
    chance = random.Random(seed)
    said: list[tuple[bool, bytes | int]] = []
    for to_server, data in calls:
        changed = bytearray(data)
        for _ in range(chance.randrange(4)):
            place = chance.randrange(len(changed) + 1)
            changed[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(4))
        turn = chance.randrange(8)
        if turn == 0:
            said.append((to_server, chance.randrange(1, 5000)))
        elif turn > 1:
            said.append((to_server, bytes(changed) or b"x"))
        if turn == 2:
            said.append((not to_server, bytes(changed[: len(changed) // 2]) or b"x"))
    found = talk(make, said)
    for sighting in found.sightings:
        assert sighting.raw


@pytest.mark.parametrize("name", ALL)
@given(data=st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=200)), max_size=20))
@settings(max_examples=40)
def test_random_bytes_never_raise(name: str, data: list[tuple[bool, bytes]]) -> None:
    talk(ALL[name][0], data)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("piece", [b"\0" * 4096, b"A" * 4096, b"a\r\n" * 1000])
def test_endless_input_is_not_held(name: str, piece: bytes) -> None:
    make, calls = ALL[name]
    parser = make(Deaf())
    at = {True: 0, False: 0}
    for to_server, data in calls[:2]:
        parser.data(to_server, data, at[to_server], None, True)
        at[to_server] += len(data)
    tracemalloc.start()
    for turn in range(200):
        to_server = turn % 2 == 0
        parser.data(to_server, piece, at[to_server], None, True)
        at[to_server] += len(piece)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    parser.close()
    assert held < 1 << 20


@pytest.mark.parametrize("name", DATAGRAMS)
def test_what_is_never_answered_is_handed_out(name: str) -> None:
    """The same request with other numbers, without end: what waits is bounded."""
    make, calls = DATAGRAMS[name]
    handed = Deaf()
    parser = make(handed)
    tracemalloc.start()
    for number in range(1000):
        data = calls[0][1]
        if name == "sip-udp":
            data = data.replace(b"Call-ID: c", b"Call-ID: %d" % number).replace(b"n0", b"%d" % number)
        else:
            place = 1 if name == "radius" else 3
            data = data[:place] + bytes((number % 256,)) + data[place + 1 :]
            data = data[:6] + number.to_bytes(2, "big") + data[8:] if name == "radius" else data
        parser.data(True, data, number * 1000, None, True)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 4 << 20
    if name != "ppp":
        assert handed.count >= 700


class Deaf(Found):
    """A sink that keeps nothing but counts."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def record(self, r: object, /) -> None:
        self.count += 1

    def sighting(self, s: object, /) -> None:
        pass

    def weird(self, name: str, span: object, /) -> None:
        pass


def gap_calls(calls: list[tuple[bool, bytes]], lost: int) -> Talk:
    """All of it, where one call is lost."""
    return [(to_server, len(data) if number == lost else data) for number, (to_server, data) in enumerate(calls)]


@pytest.mark.parametrize("name", STREAMS)
def test_each_call_may_be_lost(name: str) -> None:
    make, calls = STREAMS[name]
    for lost in range(len(calls)):
        found = talk(make, gap_calls(calls, lost))
        assert len(found.sightings) <= 2
