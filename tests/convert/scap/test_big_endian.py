"""A capture of a big-endian machine gives what the same capture of a little-endian one gives."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest

from support import plain_scap
from support.recording import AGES, Age, Recording, decoded, tcp, unix
from syswire.convert.scap import event_table as table
from syswire.convert.scap.snapshot import Bound, Interface, Process, Socket, UnixSocket, User


def turned(kind: int, value: bytes) -> bytes:
    """A parameter in the other byte order: numbers, ports and kernel addresses."""
    size = table.PARAM_SIZES[kind]
    if kind == table.PT_SOCKADDR and value[:1] in (b"\x02", b"\x0a"):
        return value[:-2] + value[:-3:-1]
    if kind == table.PT_SOCKTUPLE and value[:1] in (b"\x02", b"\x0a"):
        half = (len(value) - 1) // 2
        one, two = value[1 : 1 + half], value[1 + half :]
        return value[:1] + one[:-2] + one[:-3:-1] + two[:-2] + two[:-3:-1]
    if kind == table.PT_SOCKTUPLE and value[:1] == b"\x01":
        return value[:1] + value[8:0:-1] + value[16:8:-1] + value[17:]
    if size in (2, 4, 8) and len(value) == size and kind != table.PT_IPV4ADDR:
        return value[::-1]
    return value


def rewritten(data: bytes) -> bytes:
    """The events of a capture in big-endian order, its lists left out."""
    made = Recording("new", "big")
    for event in plain_scap.events(data):
        kinds = [param[1] for param in table.EVENTS[event.code][4]]
        params = [turned(kind, value) for kind, value in zip(kinds, event.params, strict=False)]
        params += event.params[len(params) :]
        made.blocks.append(made.writer.raw_event(event.ts, event.tid, event.cpu, event.code, params))
    return bytes(made)


def without_lists(data: bytes) -> bytes:
    """The section header and the events of a capture."""
    out, at = bytearray(), 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind in (plain_scap.SECTION, *plain_scap.EVENTS):
            out += data[at : at + size]
        at += size
    return bytes(out)


def test_the_sample(data: Path) -> None:
    little = without_lists(gzip.decompress((data / "made" / "act1.scap.gz").read_bytes()))
    one, two = decoded(little), decoded(rewritten(little))
    assert len(one.chunks) > 100
    assert two.chunks == one.chunks
    assert (two.payload, two.convs, two.threads) == (one.payload, one.convs, one.threads)


@pytest.mark.parametrize("age", AGES)
def test_lists_and_calls(age: Age) -> None:
    def told(made: Recording) -> Recording:
        made.machine(
            [Process(100, 100, 1, b"curl", b"curl", uid=7, cwd=b"/x"), Process(200, 200, 1, b"httpd", b"httpd")],
            {200: [Bound(4, "0.0.0.0", 80), Socket(5, "::1", 80, "::1", 4321), UnixSocket(6, 0xABC, 0xDEF, b"/run/x")]},
            interfaces=[Interface("lo", "127.0.0.1", "255.0.0.0", "0.0.0.0")],
            users=[User(7, 7, "seven")],
        )
        made.socket(100, 3)
        made.connect(100, 3, tcp("10.0.0.7", 40000, "10.0.0.5", 80))
        made.write(100, 3, b"GET / HTTP/1.1\r\n\r\n")
        made.accept(200, 9, unix(0xFFFF880000000001, 0xFFFF880000000002, b"/run/y"))
        made.read(200, 9, b"unix")
        made.read(200, 5, b"listed")
        made.read(200, 6, b"listed")
        made.call(199, 100, res=0, uid=0)
        made.fork(200, 201)
        made.close(100, 3)
        made.exit(201)
        return made

    one, two = told(Recording(age)).decoded(), told(Recording(age, "big")).decoded()
    assert len(one.convs) == 4
    assert two == one._replace(result=two.result)
    assert two.result.paths == one.result.paths
