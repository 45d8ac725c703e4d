"""Frames of PPP that authenticate, over each link and tunnel: handed on as datagrams without addresses."""

from __future__ import annotations

import struct

import pytest

from support.packet_made import A4, B4, UDP, ethernet, ipv4
from syswire.convert.packets.layers import Decoded, Layers

ETHERNET, PPP, PPP_DIRECTED = 1, 9, 204
GRE, PPPOE = 47, 0x8864
ASKED = struct.pack(">HBBH", 0xC023, 1, 7, 13) + b"\3ada\4word"
SAID = struct.pack(">HBBH", 0xC023, 2, 7, 7) + b"\2Hi"
CHALLENGED = struct.pack(">HBBH", 0xC223, 1, 7, 8) + b"\3abc"
ANSWERED = struct.pack(">HBBH", 0xC223, 2, 7, 8) + b"\3abc"


def pppoe(frame: bytes, session: int = 1) -> bytes:
    return ethernet(struct.pack(">BBHH", 0x11, 0, session, len(frame)) + frame, PPPOE)


def udp(payload: bytes) -> bytes:
    return struct.pack(">4H", 1701, 1701, 8 + len(payload), 0) + payload


def l2tp(frame: bytes, *, back: bool = False) -> bytes:
    ends = (B4, A4) if back else (A4, B4)
    return ethernet(ipv4(udp(struct.pack(">3H", 2, 5 if back else 9, 3) + b"\xff\3" + frame), UDP, *ends))


def pptp(frame: bytes) -> bytes:
    header = struct.pack(">HHHHI", 0x3001, 0x880B, 2 + len(frame), 77, 1)
    return ethernet(ipv4(header + b"\xff\3" + frame, GRE))


def decoded(linktype: int, frame: bytes) -> Decoded:
    found = Layers().decode_frame(linktype, frame)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("linktype", "around"),
    [
        (PPP, lambda frame: frame),
        (PPP, lambda frame: b"\xff\3" + frame),
        (PPP_DIRECTED, lambda frame: b"\1\xff\3" + frame),
        (ETHERNET, pppoe),
        (ETHERNET, l2tp),
        (ETHERNET, pptp),
    ],
)
@pytest.mark.parametrize("login", [ASKED, SAID, CHALLENGED, ANSWERED])
def test_a_login_is_handed_on(linktype: int, around: object, login: bytes) -> None:
    assert callable(around)
    found = decoded(linktype, around(login))
    assert (found.payload, found.protocol, found.length) == (login, UDP, len(login))
    from_client = login in (ASKED, ANSWERED)
    assert (found.source_port > found.target_port) == from_client
    assert found.source == found.target


def test_links_are_told_apart() -> None:
    """By session, and by the ends of a tunnel, whichever way a frame goes."""
    links = [decoded(ETHERNET, frame).source for frame in (pppoe(ASKED), pppoe(SAID), pppoe(ASKED, 2), l2tp(ASKED))]
    assert links[0] == links[1] and len(set(links)) == 3
    assert links[3] == decoded(ETHERNET, l2tp(SAID, back=True)).source


def test_padding_is_none_of_it() -> None:
    assert decoded(ETHERNET, pppoe(ASKED) + bytes(20)).payload == ASKED
    assert decoded(PPP, ASKED + b"\x12\x34").payload == ASKED


@pytest.mark.parametrize(
    "frame",
    [
        struct.pack(">HBBH", 0xC021, 1, 7, 4),  # LCP
        struct.pack(">HBBH", 0xC023, 4, 7, 4),
        struct.pack(">HBBH", 0xC023, 0, 7, 4),
        struct.pack(">HBBH", 0xC223, 5, 7, 4),
        struct.pack(">HBBH", 0xC023, 1, 7, 3),
        ASKED[:-1],
        ASKED[:4],
    ],
)
def test_what_is_none_is_counted(frame: bytes) -> None:
    layers = Layers()
    assert layers.decode_frame(PPP, frame) is None
    assert sum(found[0] for found in layers.losses().values()) == 1


def test_a_login_that_the_capture_cut() -> None:
    found = Layers().decode_frame(PPP, ASKED[:-2], len(ASKED))
    assert found is not None and (found.payload, found.length) == (ASKED[:-2], len(ASKED))


def test_where_nobody_wants_them() -> None:
    layers = Layers()
    layers.logins = False
    assert layers.decode_frame(PPP, ASKED) is None
    assert layers.losses()["not_followed"][0] == 1


def test_quoted_by_an_error_it_is_nobodys() -> None:
    inner = ipv4(struct.pack(">HHHHI", 0x3001, 0x880B, len(ASKED), 77, 1) + ASKED, GRE)
    assert Layers().decode_frame(ETHERNET, ethernet(ipv4(b"\3\1" + bytes(6) + inner, 1))) is None
