"""Which connection each call belongs to, and what is told of it; in the old form (enter, exit) and the new (exit)."""

from __future__ import annotations

import pytest

from support.recording import AGES, INET6, MS, START, UNIX, Age, Recording, tcp, unix
from syswire.convert.model.rows import (
    CHUNK_CONNECT,
    CHUNK_DATA,
    CHUNK_ENTERED,
    CHUNK_PENDING,
    CHUNK_REQUEST,
    CHUNK_RESPONSE,
    GAP_NONE,
    GAP_SENDFILE,
    GAP_SNAPLEN,
    TCP,
    UNIX_DATAGRAM,
    UNIX_STREAM,
)
from syswire.convert.scap.snapshot import Process

PAIR = tcp("10.0.0.7", 40000, "10.0.0.5", 80)
LOCAL = tcp("127.0.0.1", 40000, "127.0.0.1", 80)


def machine(age: Age, **more: object) -> Recording:
    made = Recording(age)
    made.machine([Process(100, 100, 1, b"curl", b"curl"), Process(200, 200, 1, b"httpd", b"httpd")], **more)  # type: ignore[arg-type]
    return made


def opened(age: Age) -> Recording:
    made = machine(age)
    made.socket(100, 3)
    made.connect(100, 3, PAIR)
    return made


@pytest.mark.parametrize("age", AGES)
def test_a_client(age: Age) -> None:
    made = opened(age)
    at = made.write(100, 3, b"GET /index.html HTTP/1.1\r\n\r\n")
    made.read(100, 3, b"HTTP/1.1 200 OK\r\n\r\n")
    made.read(100, 3, b"")
    made.close(100, 3)
    seen = made.decoded()
    assert seen.told() == [
        ("connect", "client", ">", b""),
        ("data", "client", ">", b"GET /index.html HTTP/1.1\r\n\r\n"),
        ("data", "client", "<", b"HTTP/1.1 200 OK\r\n\r\n"),
        ("eof", "client", "<", b""),
        ("close", "client", ">", b""),
    ]
    request, response = seen.chunks[1:3]
    assert request.exit_time == at
    assert request.time == (at - 4 * MS // 10 if age == "old" else at)
    assert request.flags == CHUNK_REQUEST | (CHUNK_ENTERED if age == "old" else 0)
    assert response.flags == CHUNK_RESPONSE
    assert response.time == response.exit_time == at + MS
    assert (request.thread, request.length, request.stored, request.reason) == (1, 28, 28, GAP_NONE)
    (conv,) = seen.convs
    assert (conv.protocol, conv.family, conv.client_port, conv.server_port) == (TCP, 4, 40000, 80)
    assert (conv.client_ip[:4], conv.server_ip[:4]) == (bytes((10, 0, 0, 7)), bytes((10, 0, 0, 5)))
    assert (conv.opened, conv.closed) == (START + 2 * MS, made.now)
    assert (conv.ends, conv.preexisting, conv.client_owner, conv.server_owner, conv.container) == (1, 0, 1, 0, 0)
    assert [chunk.evt_num for chunk in seen.chunks] == [chunk.event for chunk in seen.chunks]


@pytest.mark.parametrize("code", [27, 57, 247, 249, 389])
def test_every_accept(code: int) -> None:
    made = machine("new" if code == 389 else "old")
    made.accept(200, 4, PAIR, code)
    made.read(200, 4, b"hello")
    made.write(200, 4, b"there")
    seen = made.decoded()
    assert seen.told() == [
        ("accept", "server", "<", b""),
        ("data", "server", ">", b"hello"),
        ("data", "server", "<", b"there"),
    ]
    (conv,) = seen.convs
    assert (conv.ends, conv.preexisting, conv.server_owner, conv.client_port) == (2, 0, 2, 40000)


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("order", ["connect first", "accept first", "client gone before the accept"])
def test_both_ends_are_one_conversation(age: Age, order: str) -> None:
    made = machine(age)
    made.socket(100, 3)
    if order == "accept first":
        made.accept(200, 4, LOCAL)
        made.connect(100, 3, LOCAL)
        made.write(100, 3, b"ping")
    else:
        made.connect(100, 3, LOCAL)
        made.write(100, 3, b"ping")
        if order.startswith("client gone"):
            made.close(100, 3)
        made.accept(200, 4, LOCAL)
    made.read(200, 4, b"ping")
    made.write(200, 4, b"pong")
    if not order.startswith("client gone"):
        made.read(100, 3, b"pong")
        made.close(100, 3)
    made.close(200, 4)
    seen = made.decoded()
    (conv,) = seen.convs
    assert (conv.ends, conv.client_owner, conv.server_owner, conv.closed) == (3, 1, 2, made.now)
    assert {(kind, end) for kind, end, *_ in seen.told()} >= {
        ("connect", "client"),
        ("accept", "server"),
        ("close", "server"),
    }
    assert [way for kind, _, way, data in seen.told() if data == b"ping"] == [">", ">"]


@pytest.mark.parametrize("age", AGES)
def test_addresses_that_are_used_again_are_another_conversation(age: Age) -> None:
    made = machine(age)
    for _ in range(3):
        made.socket(100, 3)
        made.connect(100, 3, LOCAL)
        made.accept(200, 4, LOCAL)
        made.write(100, 3, b"x")
        made.read(200, 4, b"x")
        made.close(100, 3)
        made.close(200, 4)
    seen = made.decoded()
    assert [(conv.id, conv.ends) for conv in seen.convs] == [(1, 3), (2, 3), (3, 3)]
    assert [len(seen.told(conv)) for conv in (1, 2, 3)] == [6, 6, 6]


@pytest.mark.parametrize("age", AGES)
def test_a_connect_under_way_and_its_second_call(age: Age) -> None:
    made = machine(age)
    made.socket(100, 3)
    made.connect(100, 3, PAIR, -115)
    made.connect(100, 3, PAIR)
    made.write(100, 3, b"x")
    seen = made.decoded()
    assert [(chunk.kind, chunk.flags & CHUNK_PENDING) for chunk in seen.chunks] == [
        (CHUNK_CONNECT, CHUNK_PENDING),
        (CHUNK_CONNECT, 0),
        (CHUNK_DATA, 0),
    ]
    assert len(seen.convs) == 1


@pytest.mark.parametrize("age", AGES)
def test_a_refused_connect_is_no_conversation(age: Age) -> None:
    made = machine(age)
    made.socket(100, 3)
    made.connect(100, 3, PAIR, -111)
    made.close(100, 3)
    seen = made.decoded()
    assert (seen.chunks, seen.convs) == ([], [])


@pytest.mark.parametrize("age", AGES)
def test_a_socket_that_connects_elsewhere_leaves_the_first(age: Age) -> None:
    made = opened(age)
    made.connect(100, 3, tcp("10.0.0.7", 40001, "10.0.0.6", 81))
    made.write(100, 3, b"second")
    made.close(100, 3)
    seen = made.decoded()
    assert [kind for kind, *_ in seen.told(1)] == ["connect"]
    assert [kind for kind, *_ in seen.told(2)] == ["connect", "data", "close"]


@pytest.mark.parametrize("age", AGES)
def test_a_client_that_binds_its_port(age: Age) -> None:
    made = machine(age)
    made.socket(100, 3)
    made.bind(100, 3, PAIR.source)
    made.connect(100, 3, PAIR)
    made.write(100, 3, b"x")
    assert made.decoded().told()[-1] == ("data", "client", ">", b"x")


@pytest.mark.parametrize("age", AGES)
def test_ipv6_and_mapped_ipv4(age: Age) -> None:
    made = machine(age)
    made.socket(100, 3, INET6)
    made.connect(100, 3, tcp("2001:db8::7", 40000, "2001:db8::5", 80))
    made.write(100, 3, b"six")
    made.socket(100, 4)
    made.connect(100, 4, LOCAL)
    made.accept(200, 5, tcp("::ffff:127.0.0.1", 40000, "::ffff:127.0.0.1", 80))
    made.read(200, 5, b"mapped")
    six, four = made.decoded().convs
    assert (six.family, six.client_ip[:4], six.client_port) == (6, bytes.fromhex("20010db8"), 40000)
    assert (four.family, four.client_ip, four.ends) == (4, bytes((127, 0, 0, 1)) + bytes(12), 3)


@pytest.mark.parametrize("age", AGES)
def test_unix_sockets_by_their_kernel_addresses(age: Age) -> None:
    made = machine(age)
    made.socket(100, 3, UNIX)
    made.connect(100, 3, unix(0xA000, 0xB000, b"/run/mysqld.sock"))
    made.accept(200, 4, unix(0xA000, 0xB000, b"/run/mysqld.sock"))
    made.write(100, 3, b"query")
    made.read(200, 4, b"query")
    seen = made.decoded()
    (conv,) = seen.convs
    assert (conv.protocol, conv.family, conv.client_ptr, conv.server_ptr, conv.ends) == (
        UNIX_STREAM,
        1,
        0xA000,
        0xB000,
        3,
    )
    assert seen.result.paths[conv.path] == b"/run/mysqld.sock"


@pytest.mark.parametrize("age", AGES)
def test_unix_sockets_without_addresses_stay_apart(age: Age) -> None:
    """Descriptors' places in our tables are used again: that must not join two connections."""
    made = machine(age)
    for text in (b"one", b"two"):
        made.socket(100, 3, UNIX)
        made.connect(100, 3, unix(0, 0, b"/run/x"))
        made.write(100, 3, text)
        made.close(100, 3)
        made.socket(100, 4, UNIX, 2)
        made.write(100, 4, text)
        made.close(100, 4)
    seen = made.decoded()
    assert [data for *_, data in seen.told() if data] == [b"one", b"one", b"two", b"two"]
    assert len({chunk.conv for chunk in seen.chunks if chunk.kind == CHUNK_DATA}) == 4
    assert {conv.protocol for conv in seen.convs} == {UNIX_STREAM, UNIX_DATAGRAM}


@pytest.mark.parametrize("age", AGES)
def test_a_pair_of_sockets(age: Age) -> None:
    made = machine(age)
    made.call(43, 100, res=0, fd1=3, fd2=4, source=0xA, peer=0xB, domain=1, type=1, proto=0)
    made.write(100, 3, b"to four")
    made.read(100, 4, b"to four")
    made.write(100, 4, b"to three")
    made.close(100, 3)
    made.close(100, 4)
    seen = made.decoded()
    assert seen.told() == [
        ("data", "client", ">", b"to four"),
        ("data", "server", ">", b"to four"),
        ("data", "server", "<", b"to three"),
        ("close", "client", ">", b""),
        ("close", "server", "<", b""),
    ]
    assert seen.convs[0].preexisting == 0


@pytest.mark.parametrize("age", AGES)
def test_cut_payload_and_bytes_that_never_passed_a_buffer(age: Age) -> None:
    made = opened(age)
    made.write(100, 3, b"abc", res=5000)
    made.call(189, 100, res=70000, out_fd=3, in_fd=9, offset=0, size=70000)
    made.call(167, 100, res=123, fd_in=3, fd_out=8, size=4096, flags=0)
    made.call(189, 100, res=-11, out_fd=3, in_fd=9, offset=0, size=70000)
    seen = made.decoded()
    cut, sent, taken = seen.chunks[1:]
    assert (cut.length, cut.stored, cut.reason, cut.to_server) == (5000, 3, GAP_SNAPLEN, 1)
    assert (sent.length, sent.stored, sent.reason, sent.to_server) == (70000, 0, GAP_SENDFILE, 1)
    assert (taken.length, taken.stored, taken.reason, taken.to_server) == (123, 0, GAP_SENDFILE, 0)
    losses = seen.result.losses
    assert (losses["snaplen"].count, losses["snaplen"].bytes) == (1, 4997)
    assert (losses["sendfile"].count, losses["sendfile"].bytes) == (2, 70123)


def test_many_messages_of_one_call() -> None:
    """New recorders write an event a message."""
    made = machine("new")
    made.socket(100, 3, kind=2)
    for text in (b"one", b"two"):
        made.call(51, 100, res=3, fd=3, size=3, data=text, tuple=tcp("10.0.0.7", 5000, "10.0.0.5", 53))
    made.call(55, 100, res=4, fd=3, size=4, data=b"back", tuple=tcp("10.0.0.5", 53, "10.0.0.7", 5000), msgcontrol=b"")
    seen = made.decoded()
    assert [(way, data) for _, _, way, data in seen.told()] == [(">", b"one"), (">", b"two"), ("<", b"back")]
    assert len(seen.convs) == 1


@pytest.mark.parametrize("age", AGES)
def test_shutdown_reset_and_end(age: Age) -> None:
    made = opened(age)
    made.call(37, 100, res=0, fd=3, how=0)
    made.call(37, 100, res=0, fd=3, how=1)
    made.read(100, 3, b"", res=-104)
    made.write(100, 3, b"", res=-32)
    made.read(100, 3, b"", res=-11)
    assert [kind for kind, *_ in made.decoded().told()] == ["connect", "shutdown", "reset", "reset"]


def test_a_read_of_nothing_is_not_the_end() -> None:
    made = opened("new")
    made.call(7, 100, res=0, data=b"", fd=3, size=0)
    made.call(53, 100, res=0, size=0, data=b"", fd=3)
    assert [kind for kind, *_ in made.decoded().told()] == ["connect", "eof"]


@pytest.mark.parametrize("age", AGES)
def test_bytes_without_addresses_are_counted(age: Age) -> None:
    made = machine(age)
    made.sendto(100, 9, b"nobody knows", tcp("10.0.0.7", 1, "10.0.0.5", 2))
    made.socket(100, 3, kind=3, proto=1)
    made.sendto(100, 3, b"ping", tcp("10.0.0.7", 0, "10.0.0.5", 0))
    seen = made.decoded()
    assert (seen.result.losses["unaddressed"].count, seen.result.losses["unaddressed"].bytes) == (2, 16)
    assert not seen.chunks


def test_an_exit_whose_enter_was_lost_has_no_enter_time() -> None:
    made = opened("old")
    made.write(100, 3, b"first")
    made.now += 5 * MS
    made.raw(9, 100, [6, b"second", 3, 6])
    seen = made.decoded()
    first, second = seen.chunks[1:]
    assert (first.flags & CHUNK_ENTERED, second.flags & CHUNK_ENTERED) == (CHUNK_ENTERED, 0)
    assert second.time == second.exit_time == made.now
