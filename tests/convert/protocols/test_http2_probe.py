"""Recognising HTTP/2 by its bytes: its own beginnings and middles, and what looks like them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from support.http2_made import ACK, PREFACE, SETTINGS, End, asking, data
from support.recorded_talk import recorded
from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.http2.probe import find_begin, next_header, probe

RECORDINGS = {"http2-nghttpd.pcap": 28080, "http2-grpc.pcap": 28085}


@dataclass
class Begun:
    """An opening, as a probe is asked about it."""

    client: bytes = b""
    server: bytes = b""
    client_port: int = 40_000
    server_port: int = 12_345
    path: str = ""
    transport: str = "tcp"
    first_to_server: bool = True
    over: bool = False


def test_the_preface_decides() -> None:
    assert probe(Begun(client=PREFACE)) == YES
    assert probe(Begun(client=PREFACE[:5])) == MORE
    assert probe(Begun(client=PREFACE[:23], over=True)) == NO
    assert probe(Begun(client=b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n")) == NO
    assert probe(Begun(client=PREFACE, transport="udp")) == NO


def test_the_servers_settings_decide_where_the_client_is_not_seen() -> None:
    assert probe(Begun(server=SETTINGS, first_to_server=False)) == YES
    assert probe(Begun(server=SETTINGS[:12], first_to_server=False)) == MORE


def test_frames_in_a_row_decide_in_the_middle() -> None:
    client, server = End(), End()
    ask = client.headers(3, asking("/a")) + client.headers(5, asking("/b"))
    answer = server.headers(3, [(":status", "200")], end=False) + data(3, b"x" * 100, end=True)
    assert probe(Begun(client=ask)) == YES
    assert probe(Begun(client=ask[:20])) == MORE
    assert probe(Begun(client=b"in the middle of a body", server=answer)) == YES
    assert probe(Begun(client=ACK, over=True)) == YES
    assert probe(Begun(client=client.headers(7, asking("/c")), over=True)) == NO  # one frame alone is not enough


def test_other_protocols_pass_by() -> None:
    others = [
        bytes(100),
        b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        bytes.fromhex("00000008 04d2162f"),  # PostgreSQL: a request for TLS
        bytes.fromhex("00000054 00030000") + b"user\0ringer\0database\0bells\0\0" * 3,
        bytes.fromhex("001d 0001 0100 0001 0000 0000 0000")
        + b"\x03www\x06belfry\x07example\0"
        + bytes.fromhex("00010001"),
        bytes.fromhex("00000090 fe534d42 40000100"),  # SMB2
        bytes.fromhex("0000001a 00120003 00000001") + b"\x00\x0aconsumer-1" * 4,  # Kafka
        bytes.fromhex("00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008"),
        bytes.fromhex("0100000002000000030000000400000005000000060000000700000008000000"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50),
    ]
    for other in others:
        assert probe(Begun(client=other, over=True)) == NO
        assert probe(Begun(server=other, over=True)) == NO


def test_noise_is_never_claimed() -> None:
    noise = Random(41)
    for _ in range(3000):
        client, server = noise.randbytes(noise.randrange(300)), noise.randbytes(noise.randrange(300))
        assert probe(Begun(client=b"\0" + client, server=b"\0" + server, over=True)) == NO
        assert probe(Begun(client=client, server=server)) != YES


@given(st.lists(st.sampled_from([0, 0, 0, 0, 1, 4, 8, 255]), max_size=120).map(bytes))
@settings(max_examples=300, deadline=None)
def test_numbers_full_of_noughts_look_like_frames_to_no_one_for_long(noise: bytes) -> None:
    at = find_begin(noise, 0)
    while at >= 0:
        end = next_header(noise, at, True)
        assert end < 0 or end >= at + 9
        at = find_begin(noise, at + 1)


def test_real_talk_from_any_segment_on(data: Path) -> None:
    """In these recordings segments begin with frames, and the last four have two frames in a row."""
    for name, port in RECORDINGS.items():
        for calls in recorded(data / "protocols" / name, port):
            for first in range(max(1, len(calls) - 4)):
                sides = [
                    b"".join(content for side, content in calls[first:] if side is way and isinstance(content, bytes))
                    for way in (True, False)
                ]
                assert probe(Begun(sides[0][:4096], sides[1][:4096], over=True)) == YES, (name, first)
