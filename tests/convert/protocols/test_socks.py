"""SOCKS 4, 4a and 5 as RFC 1928, RFC 1929 and the memo of SOCKS4 write them; bytes and values worked out by hand."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.parsing import Found, Talk, talk
from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.recogniser import Recogniser
from syswire.convert.protocols.socks.parser import Socks
from syswire.convert.protocols.socks.probe import probe

C, S = True, False
NAMED = b"\x05\x01\x00\x03\x09host.test\x01\xbb"
GRANTED = b"\x05\x00\x00\x01\x0a\x00\x00\x01\x04\x38"
LOGIN = b"\x01\x04alix\x06hunter"
FIVE: Talk = [(C, b"\x05\x02\x00\x02"), (S, b"\x05\x02"), (C, LOGIN), (S, b"\x01\x00"), (C, NAMED), (S, GRANTED)]
FOUR_A: Talk = [(C, b"\x04\x01\x00\x50\x00\x00\x00\x07me\x00host.test\x00"), (S, b"\x00\x5a\x00\x50\x0a\x00\x00\x01")]


@pytest.fixture(params=["whole", "bytewise", "threes"])
def cuts(request: pytest.FixtureRequest) -> list[int] | None:
    return {"whole": None, "bytewise": [1], "threes": [3]}[request.param]


def test_connect_with_user_and_password(cuts: list[int] | None) -> None:
    found = talk(Socks, [*FIVE, (C, b"GET / "), (S, b"HTTP")], cuts=cuts)
    [record] = found.records
    assert (record.kind, record.protocol, record.ordinal) == ("proxy", "socks", 1)
    assert record.request is not None and record.response is not None
    assert record.request.fields == {
        "version": "5", "methods": ["none", "password"], "command": "connect", "address": "host.test", "port": 443,
        "username": "alix", "secret": True,
    }  # fmt: skip
    assert record.response.fields == {
        "method": "password", "authenticated": True, "reply": 0, "granted": True, "address": "10.0.0.1", "port": 1080,
    }  # fmt: skip
    assert (record.request.span.place, record.request.span.offset, record.request.span.length) == ("call 0", 0, 33)
    assert (record.response.span.place, record.response.span.offset, record.response.span.length) == ("call 1", 0, 14)
    [secret] = found.sightings
    assert (secret.location, secret.username, secret.secret, secret.raw) == ("login", "alix", b"hunter", b"hunter")
    assert (secret.protocol, secret.outcome, secret.exchange) == ("socks", "accepted", 1)
    assert (secret.span.place, secret.span.offset, secret.span.length) == ("call 2", 11, 6)
    [inner] = found.switched
    assert (inner.name, inner.client, inner.server, inner.closed) == (None, b"GET / ", b"HTTP", True)
    assert not found.weirds


def test_a_wrong_password(cuts: list[int] | None) -> None:
    found = talk(Socks, [(C, b"\x05\x01\x02"), (S, b"\x05\x02"), (C, LOGIN), (S, b"\x01\x01")], cuts=cuts)
    assert found.asked == [{"version": "5", "methods": ["password"], "username": "alix", "secret": True}]
    assert found.answered == [{"method": "password", "authenticated": False}]
    assert [s.outcome for s in found.sightings] == ["refused"] and not found.switched
    unanswered = talk(Socks, [(C, b"\x05\x01\x02"), (S, b"\x05\x02"), (C, LOGIN)], cuts=cuts)
    assert [s.outcome for s in unanswered.sightings] == ["unknown"]


def test_no_method_suits(cuts: list[int] | None) -> None:
    found = talk(Socks, [(C, b"\x05\x01\x00"), (S, b"\x05\xff")], cuts=cuts)
    assert found.answered == [{"method": "refused"}] and not found.weirds


def test_sealed_by_gssapi(cuts: list[int] | None) -> None:
    found = talk(
        Socks, [(C, b"\x05\x01\x01"), (S, b"\x05\x01"), (C, b"\x01\x01\x00\x02ab"), (S, b"\x01\x01")], cuts=cuts
    )
    assert found.asked == [{"version": "5", "methods": ["gssapi"]}] and not found.switched and not found.weirds


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        (b"\x01\xc0\x00\x02\x09", "192.0.2.9"),
        (b"\x03\x02\xff.", "\xff."),
        (b"\x04" + b"\x20\x01\x0d\xb8" + bytes(11) + b"\x01", "2001:db8::1"),
    ],
)
def test_addresses(address: bytes, wanted: str, cuts: list[int] | None) -> None:
    opening: Talk = [(C, b"\x05\x01\x00"), (S, b"\x05\x00"), (C, b"\x05\x01\x00" + address + b"\x00\x50")]
    [asked] = talk(Socks, [*opening, (S, b"\x05\x05\x00\x01" + bytes(6))], cuts=cuts).asked
    assert asked is not None and (asked["address"], asked["port"]) == (wanted, 80)


def test_refused_by_the_proxy(cuts: list[int] | None) -> None:
    refusal = b"\x05\x05\x00\x01" + bytes(6)
    found = talk(Socks, [(C, b"\x05\x01\x00"), (S, b"\x05\x00"), (C, NAMED), (S, refusal), (S, b"rest")], cuts=cuts)
    assert found.answered == [{"method": "none", "reply": 5, "granted": False, "address": "0.0.0.0", "port": 0}]
    assert not found.switched


def test_bind_has_two_answers(cuts: list[int] | None) -> None:
    bind = b"\x05\x02\x00\x01\x0a\x00\x00\x02\x00\x14"
    peer = b"\x05\x00\x00\x01\x0a\x00\x00\x03\x13\x88"
    found = talk(
        Socks, [(C, b"\x05\x01\x00"), (S, b"\x05\x00"), (C, bind), (S, GRANTED), (S, peer + b"220 hi")], cuts=cuts
    )
    assert found.answered == [
        {
            "method": "none", "reply": 0, "granted": True, "address": "10.0.0.1", "port": 1080,
            "peer_address": "10.0.0.3", "peer_port": 5000,
        }
    ]  # fmt: skip
    assert [inner.server for inner in found.switched] == [b"220 hi"]


def test_udp_associate_is_no_tunnel(cuts: list[int] | None) -> None:
    ask = b"\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00"
    found = talk(Socks, [(C, b"\x05\x01\x00"), (S, b"\x05\x00"), (C, ask), (S, GRANTED), (C, b"x")], cuts=cuts)
    assert found.asked[0] is not None and found.asked[0]["command"] == "udp-associate" and not found.switched


def test_socks_4a(cuts: list[int] | None) -> None:
    found = talk(Socks, [*FOUR_A, (C, b"tunnelled")], cuts=cuts)
    assert found.asked == [
        {"version": "4a", "command": "connect", "address": "host.test", "port": 80, "username": "me"}
    ]
    assert found.answered == [{"reply": 90, "granted": True, "address": "10.0.0.1", "port": 80}]
    assert [inner.client for inner in found.switched] == [b"tunnelled"]


def test_socks_4(cuts: list[int] | None) -> None:
    ask, no = b"\x04\x01\x00\x50\xc0\x00\x02\x09\x00", b"\x00\x5b\x00\x00\x00\x00\x00\x00"
    found = talk(Socks, [(C, ask), (S, no)], cuts=cuts)
    assert found.asked == [{"version": "4", "command": "connect", "address": "192.0.2.9", "port": 80}]
    assert found.answered == [{"reply": 91, "granted": False, "address": "0.0.0.0", "port": 0}]


def test_a_client_that_does_not_wait(cuts: list[int] | None) -> None:
    found = talk(Socks, [(C, b"\x05\x01\x00" + NAMED + b"early"), (S, b"\x05\x00" + GRANTED + b"late")], cuts=cuts)
    assert [(inner.client, inner.server) for inner in found.switched] == [(b"early", b"late")]


def test_only_the_client_is_seen(cuts: list[int] | None) -> None:
    found = talk(Socks, [(C, b"\x05\x01\x02"), (C, LOGIN), (C, NAMED)], cuts=cuts)
    [asked] = found.asked
    assert asked is not None and (asked["address"], asked["username"]) == ("host.test", "alix")
    assert [s.secret for s in found.sightings] == [b"hunter"] and found.answered == [None]


def test_losses(cuts: list[int] | None) -> None:
    begun: Talk = [(C, b"\x05\x01\x00"), (S, b"\x05\x00"), (C, NAMED)]
    found = talk(Socks, [*begun, (S, 10), (C, b"on"), (S, b"and on")], cuts=cuts)
    assert [(inner.client, inner.server, inner.gaps) for inner in found.switched] == [(b"on", b"and on", [(S, 10)])]
    found = talk(Socks, [(C, b"\x05\x01\x00"), (S, b"\x05\x00"), (C, 20), (S, GRANTED), (C, b"on")], cuts=cuts)
    assert found.asked == [{"version": "5", "methods": ["none"]}] and not found.switched


@pytest.mark.parametrize(
    "calls",
    [
        [(C, b"\x05\x01\x00"), (S, b"\x05\x00"), (C, b"\x05\x09\x00\x01")],
        [(C, b"\x05\x01\x00"), (S, b"\x05\x00"), (C, b"\x05\x01\x00\x09aaaa")],
        [(C, b"\x05\x01\x00"), (S, b"\x07\x00")],
        [(C, b"\x05\x01\x02"), (S, b"\x05\x02"), (C, b"\x02")],
        [(C, b"\x04\x01\x00\x50\xc0\x00\x02\x09" + b"u" * 300)],
    ],
)
def test_what_is_none_of_its_messages(calls: Talk, cuts: list[int] | None) -> None:
    found = talk(Socks, calls, cuts=cuts)
    assert [name for name, _ in found.weirds] == ["socks-malformed"] and not found.switched


def test_what_waits_is_bounded() -> None:
    found = talk(Socks, [(C, b"\x05\x01\x00" + b"x" * 20_000), (S, b"\x05\x00")])
    assert [name for name, _ in found.weirds] == ["socks-too-much-held"]


# However it is cut, and whatever comes

PARTS = st.sampled_from(
    [b"\x05\x01\x00", b"\x05\x02\x00\x02", LOGIN, NAMED, GRANTED, b"\x05\x00", b"\x05\x02", b"\x01\x00", b"\x05",
     b"\x04", b"\x04\x01\x00\x50\x00\x00\x00\x07me\x00host.test\x00", b"\x00\x5a\x00\x50\x0a\x00\x00\x01", b"\x00",
     b"GET / "]
)  # fmt: skip
CALLS = st.lists(st.tuples(st.booleans(), st.one_of(PARTS, st.binary(max_size=20), st.integers(1, 9))), max_size=12)


@settings(max_examples=500, deadline=None)
@given(calls=CALLS, seed=st.integers(0, 1000))
def test_cuts_change_nothing(calls: list[tuple[bool, bytes | int]], seed: int) -> None:
    whole = talk(Socks, calls).said()
    random = Random(seed)
    for cuts in ([1], [random.randrange(1, 6) for _ in range(5)]):
        assert talk(Socks, calls, cuts=cuts).said() == whole


# Recognition


class Beginning:
    """An opening as a probe sees it."""

    def __init__(self, client: bytes, server: bytes, over: bool = False, server_port: int = 4000) -> None:
        self.client, self.server, self.over, self.server_port = client, server, over, server_port
        self.client_port, self.path, self.transport, self.first_to_server = 50_000, "", "tcp", True


@pytest.mark.parametrize(
    ("client", "server", "verdict"),
    [
        (b"\x05", b"", MORE),
        (b"\x05\x01\x00", b"", MORE),
        (b"\x05\x01\x00", b"\x05\x00", YES),
        (b"\x05\x02\x00\x02", b"\x05\xff", YES),
        (b"\x05\x01\x00", b"\x05\x02", NO),
        (b"\x05\x00\x0b\x03", b"\x05\x00\x0c\x03", NO),  # DCE/RPC
        (b"\x05\x02\x00\x00", b"", NO),
        (b"\x04\x01\x00\x50\xc0\x00\x02\x09\x00", b"", MORE),
        (b"\x04\x01\x00\x50\xc0\x00\x02\x09\x00", b"\x00\x5a" + bytes(6), YES),
        (b"\x04\x01\x00\x50\xc0\x00\x02\x09\x00", b"\x00\x00" + bytes(6), NO),
        (b"\x04\x01\x00\x50\x00\x00\x00\x09\x00bad host\x00", b"", NO),
        (b"", b"\x05\x00", NO),
        (b"GET / HTTP/1.1", b"", NO),
    ],
)
def test_probe(client: bytes, server: bytes, verdict: int) -> None:
    assert probe(Beginning(client, server)) == verdict


def test_probe_of_a_client_alone() -> None:
    assert probe(Beginning(b"\x05\x01\x00" + NAMED, b"", over=True)) == YES
    assert probe(Beginning(b"\x05\x01\x02" + LOGIN + NAMED, b"", over=True)) == YES
    assert probe(Beginning(b"\x05\x01\x00" + NAMED[:-1], b"", over=True)) == NO
    assert probe(Beginning(b"\x05\x01\x00", b"", over=True)) == NO
    assert probe(Beginning(b"\x05", b"", over=True)) == NO


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40), st.binary(max_size=12), st.booleans())
def test_probe_never_raises(client: bytes, server: bytes, over: bool) -> None:
    assert probe(Beginning(client, server, over)) in (NO, YES, MORE)


def test_recognised_among_all_protocols(cuts: list[int] | None) -> None:
    for calls in (FIVE, FOUR_A):
        found: Found = talk(lambda sink: Recogniser(sink, "tcp"), calls, cuts=cuts)
        [inner] = found.switched
        assert inner.name == "socks"
        assert inner.client == b"".join(data for to_server, data in calls if to_server and isinstance(data, bytes))
