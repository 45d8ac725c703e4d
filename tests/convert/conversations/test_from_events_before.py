"""Datagrams, and what was there before the capture; in the old form (enter, exit) and the new (exit)."""

from __future__ import annotations

import pytest

from support.recording import AGES, MS, Age, Recording, tcp
from syswire.convert.model.rows import UDP, UNIX_STREAM
from syswire.convert.scap.snapshot import L4_UDP, Bound, Interface, Process, Socket, UnixSocket

LOCAL = tcp("127.0.0.1", 40000, "127.0.0.1", 80)
BACK = tcp("127.0.0.1", 80, "127.0.0.1", 40000)
LO = Interface("lo", "127.0.0.1", "255.0.0.0", "0.0.0.0")
ETH = Interface("eth0", "10.0.0.7", "255.255.255.0", "10.0.0.255")


def machine(age: Age, **more: object) -> Recording:
    made = Recording(age)
    made.machine([Process(100, 100, 1, b"curl", b"curl"), Process(200, 200, 1, b"httpd", b"httpd")], **more)  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize("age", AGES)
def test_udp_client(age: Age) -> None:
    made = machine(age, interfaces=[LO, ETH])
    made.socket(100, 3, kind=2)
    made.sendto(100, 3, b"query", tcp("0.0.0.0", 5353, "10.0.0.9", 53))
    made.recvfrom(100, 3, b"answer", tcp("10.0.0.9", 53, "10.0.0.7", 5353))
    seen = made.decoded()
    assert seen.told() == [("data", "client", ">", b"query"), ("data", "client", "<", b"answer")]
    (conv,) = seen.convs
    assert (conv.protocol, conv.client_ip[:4], conv.server_ip[:4]) == (UDP, bytes((10, 0, 0, 7)), bytes((10, 0, 0, 9)))


@pytest.mark.parametrize("age", AGES)
def test_udp_server_with_many_clients(age: Age) -> None:
    made = machine(age, interfaces=[LO])
    made.socket(200, 4, kind=2)
    made.bind(200, 4, tcp("0.0.0.0", 53, "0.0.0.0", 0).source)
    for port in (6001, 6002):
        made.recvfrom(200, 4, b"q", tcp("10.0.0.8", port, "10.0.0.5", 53))
        made.sendto(200, 4, b"a", tcp("10.0.0.5", 53, "10.0.0.8", port))
    made.recvfrom(200, 4, b"again", tcp("10.0.0.8", 6001, "10.0.0.5", 53))
    seen = made.decoded()
    assert [(conv.client_port, conv.server_port, conv.ends) for conv in seen.convs] == [(6001, 53, 2), (6002, 53, 2)]
    assert [data for *_, data in seen.told(1)] == [b"q", b"a", b"again"]
    assert [way for _, _, way, _ in seen.told(1)] == [">", "<", ">"]


@pytest.mark.parametrize("age", AGES)
def test_udp_connected_both_ends(age: Age) -> None:
    made = machine(age, interfaces=[LO])
    made.socket(200, 4, kind=2)
    made.bind(200, 4, LOCAL.destination)
    made.socket(100, 3, kind=2)
    made.connect(100, 3, LOCAL)
    made.write(100, 3, b"q")
    made.recvfrom(200, 4, b"q", LOCAL)
    made.sendto(200, 4, b"a", BACK)
    made.read(100, 3, b"a")
    seen = made.decoded()
    (conv,) = seen.convs
    assert (conv.ends, conv.client_port) == (3, 40000)
    assert [way for _, _, way, _ in seen.told()] == [">", ">", "<", "<"]


@pytest.mark.parametrize("age", AGES)
def test_udp_divides_after_a_minute_of_silence(age: Age) -> None:
    made = machine(age)
    made.socket(100, 3, kind=2)
    pair = tcp("10.0.0.7", 5000, "10.0.0.9", 53)
    made.sendto(100, 3, b"1", pair)
    made.now += 59_998 * MS
    made.sendto(100, 3, b"2", pair)
    made.now += 60_001 * MS
    made.sendto(100, 3, b"3", pair)
    seen = made.decoded()
    assert [chunk.conv for chunk in seen.chunks] == [1, 1, 2]


@pytest.mark.parametrize("age", AGES)
def test_connections_that_were_there_before(age: Age) -> None:
    """Roles follow from who listens; a connection that a parent and its child both list is closed by the last."""
    made = machine(
        age,
        descriptors={
            100: [Socket(3, "127.0.0.1", 40000, "127.0.0.1", 80, inode=1)],
            200: [
                Bound(4, "0.0.0.0", 80, inode=2),
                Socket(5, "127.0.0.1", 80, "127.0.0.1", 40000, inode=3),
                Socket(6, "::ffff:10.0.0.5", 80, "::ffff:10.0.0.8", 999, inode=4),
                UnixSocket(7, 0xA, 0xB, b"/run/x", inode=5),
            ],
            300: [Socket(5, "127.0.0.1", 80, "127.0.0.1", 40000, inode=3)],
        },
    )
    made.write(100, 3, b"ping")
    made.read(200, 5, b"ping")
    made.close(200, 5)
    made.write(300, 5, b"pong")
    made.close(300, 5)
    made.read(200, 6, b"mapped")
    made.read(200, 7, b"unix")
    seen = made.decoded()
    one, two, three = seen.convs
    assert seen.told(1) == [
        ("data", "client", ">", b"ping"),
        ("data", "server", ">", b"ping"),
        ("data", "server", "<", b"pong"),
        ("close", "server", "<", b""),
    ]
    assert (one.preexisting, one.opened, one.client_owner, one.server_owner) == (1, 0, 1, 2)
    assert (two.family, two.client_ip[:4], two.client_port, two.ends) == (4, bytes((10, 0, 0, 8)), 999, 2)
    assert (three.protocol, three.preexisting, seen.result.paths[three.path]) == (UNIX_STREAM, 1, b"/run/x")


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("speakers", ["server", "client", "server, client", "client, server"])
def test_ends_of_unix_sockets_that_were_there_before(age: Age, speakers: str) -> None:
    """Each end is listed with its own kernel address first; client and server are the same whoever speaks first."""
    ends = {"client": (100, UnixSocket(3, 0xC, 0x5)), "server": (200, UnixSocket(7, 0x5, 0xC, b"/run/x"))}
    made = machine(age, descriptors={tid: [entry] for tid, entry in ends.values()})
    for speaker in speakers.split(", "):
        tid, entry = ends[speaker]
        made.write(tid, entry.fd, speaker.encode())
    seen = made.decoded()
    (conv,) = seen.convs
    assert (conv.client_ptr, conv.server_ptr) == (0xC, 0x5)
    sent = {"client": ("data", "client", ">", b"client"), "server": ("data", "server", "<", b"server")}
    assert seen.told() == [sent[speaker] for speaker in speakers.split(", ")]


def test_listed_udp() -> None:
    made = machine("new", descriptors={200: [Bound(4, "10.0.0.5", 53, L4_UDP, 9)]})
    made.recvfrom(200, 4, b"q", tcp("10.0.0.8", 6001, "10.0.0.5", 53))
    (conv,) = made.decoded().convs
    assert (conv.client_port, conv.server_port, conv.ends) == (6001, 53, 2)
