"""python -m fuzz.make_corpus: write fuzz/corpus anew. What fuzzing found worth keeping is told by its name, found-*."""

from __future__ import annotations

import functools
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import protocol_corpus
from .mutate import http1, pcap, pcapng
from .mutate.http1 import Call
from .mutate.scap import block

ROOT = Path(__file__).resolve().parent.parent
CORPUS = Path(__file__).resolve().parent / "corpus"

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST = (
    b"POST /login?next=%2F HTTP/1.1\r\nHost: example.org\r\nAuthorization: Basic dTpw\r\nCookie: id=1; session=abc\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 17\r\n\r\nuser=a&password=b"
)
RESPONSE = b"HTTP/1.1 302 Found\r\nSet-Cookie: session=xyz\r\nContent-Length: 0\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n"


def http1_inputs() -> Iterator[tuple[str, bytes]]:
    """Conversations of HTTP/1."""
    yield "form", http1.join([Call(True, 0, REQUEST), Call(False, 0, RESPONSE)])
    yield "chunked", http1.join([Call(True, 0, b"GET / HTTP/1.1\r\n\r\n"), Call(False, 0, CHUNKED)])
    yield (
        "pipelined",
        http1.join(
            [
                Call(True, 0, b"GET /a HTTP/1.1\r\n\r\nHEAD /b HTTP/1.0\n\n"),
                Call(
                    False,
                    0,
                    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.0 200\r\nContent-Length: 9\r\n\r\n",
                ),
            ]
        ),
    )
    yield (
        "lost",
        http1.join(
            [
                Call(True, 40, b"GET /cut HTTP/1.1\r\nHost: "),
                Call(False, 5, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabcde"),
                Call(True, 0, REQUEST),
                Call(False, 0, RESPONSE),
            ]
        ),
    )
    yield (
        "until-close",
        http1.join([Call(True, 0, b"GET / HTTP/1.0\r\n\r\n"), Call(False, 0, b"HTTP/1.0 200 OK\r\n\r\nrest")]),
    )
    yield (
        "upgrade",
        http1.join(
            [
                Call(True, 0, b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
                Call(False, 0, b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\x81\x05hello"),
            ]
        ),
    )
    yield (
        "tunnel",
        http1.join(
            [
                Call(True, 0, b"CONNECT h:1 HTTP/1.1\r\nProxy-Authorization: Basic dTpw\r\n\r\n"),
                Call(False, 0, b"HTTP/1.1 200 Connection established\r\n\r\n"),
                Call(True, 0, b"GET / HTTP/1.1\r\n\r\n"),
                Call(False, 0, b"HTTP/1.1 404\r\n\r\n"),
            ]
        ),
    )
    yield (
        "continue",
        http1.join(
            [
                Call(True, 0, b"PUT /f HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"),
                Call(False, 0, b"HTTP/1.1 100 Continue\r\n\r\n"),
                Call(True, 0, b"5\r\nabcde\r\n0\r\n\r\n"),
                Call(False, 0, b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 500 Late\r\nContent-Length: 0\r\n\r\n"),
            ]
        ),
    )
    form = b"user=a&password=bcde"
    stored = b"\x01" + len(form).to_bytes(2, "little") + (len(form) ^ 0xFFFF).to_bytes(2, "little") + form  # RFC 1951
    head = b"POST /c HTTP/1.1\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(stored)
    yield "coded", http1.join([Call(True, 0, head + stored), Call(False, 0, RESPONSE)])
    parts = b'--b\r\nContent-Disposition: form-data; name="pass"; filename=x\r\n\r\nbcde\r\n--b--\r\n'
    head = b"POST /m HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n"
    yield "parts", http1.join([Call(True, 0, head % len(parts) + parts), Call(False, 0, RESPONSE)])
    yield "middle", http1.join([Call(False, 0, b"rest of a body"), Call(False, 0, b"HTTP/1.1 404 Not Found\r\n\r\n")])


def scap_inputs() -> Iterator[tuple[str, bytes]]:
    """Captures of system calls: every event type once, and what moves bytes, in all forms."""
    from support import every_event
    from support.recording import Recording, tcp, unix
    from syswire.convert.scap.encoding import Address, UnixAddress
    from syswire.convert.scap.snapshot import Bound, Interface, Process, Socket, User
    from syswire.convert.scap.writer import Form, ScapWriter

    def told(recording: Recording) -> bytes:
        web, server = tcp("10.0.0.7", 4001, "10.0.0.5", 80), tcp("10.0.0.5", 80, "10.0.0.7", 4001)
        recording.machine(
            [Process(10, 10, 1, b"web", b"/bin/web"), Process(11, 10, 1, b"web", b"/bin/web", flags=0x2001)],
            {10: [Bound(3, "0.0.0.0", 80), Socket(4, "127.0.0.1", 80, "127.0.0.1", 4000)]},
            interfaces=[Interface("lo", "127.0.0.1", "255.0.0.0", "127.255.255.255")],
            users=[User(0, 0, "root", "/root", "/bin/sh")],
        )
        recording.accept(10, 5, web)
        recording.read(10, 5, b"GET / HTTP/1.1\r\n\r\n")
        recording.write(10, 5, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        recording.read(10, 4, b"", 0)
        recording.socket(11, 6, 1)
        recording.connect(11, 6, unix(0xFF01, 0xFF02, b"/run/x"))
        recording.write(11, 6, b"abc", 9)
        recording.socket(11, 7, 2, 2)
        recording.sendto(11, 7, b"dns?", server)
        recording.recvfrom(11, 7, b"dns!", web)
        recording.dup2(10, 5, 8)
        recording.fork(10, 12)
        recording.exec(12, "/bin/sh", b"-c\0id\0")
        recording.write(12, 5, b"more")
        recording.close(10, 5)
        recording.exit(12)
        recording.socket(10, 5, 10)
        recording.connect(10, 5, tcp("::1", 4002, "::1", 80), -115)
        recording.write(10, 5, b"x" * 100)
        return bytes(recording)

    def sockets(recording: Recording) -> bytes:
        recording.machine([Process(10, 10, 1, b"srv", b"/bin/srv"), Process(20, 20, 1, b"cli", b"/bin/cli")])
        for number, (ours, theirs) in enumerate((("127.0.0.1", "127.0.0.1"), ("::ffff:10.0.0.5", "::ffff:10.0.0.7"))):
            listening, server, client, port = 3 + 10 * number, 4 + 10 * number, 5 + 10 * number, 80 + number
            recording.socket(10, listening, 2 + 8 * number)
            recording.bind(10, listening, Address("::" if number else "0.0.0.0", port))
            recording.socket(20, client, 2 + 8 * number)
            recording.connect(20, client, tcp(theirs, 5000, ours, port))
            recording.accept(10, server, tcp(theirs, 5000, ours, port))
            recording.write(20, client, b"GET / HTTP/1.1\r\n\r\n")
            recording.read(10, server, b"GET / HTTP/1.1\r\n\r\n")
            recording.call(189, 10, res=500, out_fd=server, in_fd=99, offset=0, size=500)
            recording.read(20, client, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", 500)
            recording.call(37, 20, res=0, fd=client, how=1)
            recording.read(10, server, b"", 0)
            recording.read(20, client, b"", -104)
        recording.socket(10, 30, 1)
        recording.bind(10, 30, UnixAddress(b"/run/s"))
        recording.accept(10, 31, unix(0xFF10, 0xFF11, b"/run/s"))
        recording.call(43, 10, res=0, fd1=40, fd2=41, source=0xFF20, peer=0xFF21, domain=1, type=1, proto=0)
        recording.write(10, 40, b"to myself")
        recording.read(10, 41, b"to myself")
        recording.socket(20, 32, 2, 2, 17)
        recording.bind(20, 32, Address("0.0.0.0", 53))
        recording.recvfrom(20, 32, b"query", tcp("10.0.0.9", 999, "10.0.0.5", 53))
        recording.sendto(20, 32, b"reply", tcp("10.0.0.5", 53, "10.0.0.9", 999))
        recording.socket(20, 33, 16, 3)
        recording.socket(20, 34, 17, 3)
        recording.call(151, 20, res=50, fd=32, cmd=4, arg=50)
        recording.call(451, 20, res=0, first=30, last=60, flags=0)
        recording.call(95, 20, res=0, path="/tmp")
        recording.call(307, 20, fd=60, dirfd=-100, name="dir", flags=1, mode=0)
        recording.call(97, 20, res=0, fd=60)
        recording.fork(20, 21, flags=0x2000)
        recording.fork(20, 22, parent=False)
        recording.exit(20)
        return bytes(recording)

    yield "sockets", sockets(Recording("new"))
    yield "sockets-old", sockets(Recording("old"))
    yield "sockets-big", sockets(Recording("new", byte_order="big"))
    yield "old", told(Recording("old"))
    yield "new", told(Recording("new"))
    yield "old-v1", told(Recording("old", form=Form.V1))
    yield "flags", told(Recording("new", flags=0))
    yield "big", told(Recording("new", byte_order="big"))
    yield "two-sections", told(Recording("new")) + told(Recording("old"))
    writer = ScapWriter()
    part, number = b"", 0
    for _, event in every_event.events("new", writer, ("sample",)):
        if len(event) < 400:
            part += event
        if len(part) > 6000:
            yield f"every-{number}", writer.section_header() + part
            part, number = b"", number + 1
    yield f"every-{number}", writer.section_header() + part


def file_of(frames: list[bytes], linktype: int = 1) -> bytes:
    """A pcap with microseconds."""
    header = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, linktype)
    return pcap.join(header, [pcap.Record(1_700_000_000, at, len(one), b"", one) for at, one in enumerate(frames)])


def pcap_inputs() -> Iterator[tuple[str, bytes]]:
    """Packet captures: one conversation, on every link type; VLAN, IPv6, fragments, lost and repeated segments."""
    from support import packet_made as made

    def conversation() -> list[bytes]:
        asked = b"GET /a?password=x HTTP/1.1\r\nHost: h\r\nAuthorization: Basic dTpw\r\n\r\n"
        told = b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n0123456789abcdefghij"
        there, back = (4000, 80), (80, 4000)
        begin = 0xFFFFFFF0  # numbers wrap around
        ask = [
            made.tcp(b"", there, seq=begin, ack=0, flags=2, options=b"\x02\x04\x05\xb4"),
            made.tcp(b"", there, seq=begin + 1, ack=5001, flags=16),
            made.tcp(asked[:30], there, seq=begin + 1, ack=5001),
            made.tcp(asked[30:], there, seq=(begin + 31) % (1 << 32), ack=5001),
            made.tcp(b"", there, seq=(begin + 1 + len(asked)) % (1 << 32), ack=5001 + len(told), flags=17),
        ]
        answer = [
            made.tcp(b"", back, seq=5000, ack=begin + 1, flags=18),
            made.tcp(told[25:], back, seq=5026, ack=(begin + 1 + len(asked)) % (1 << 32)),
            made.tcp(told[:30], back, seq=5001, ack=(begin + 1 + len(asked)) % (1 << 32)),
            made.tcp(b"", back, seq=5001 + len(told), ack=(begin + 2 + len(asked)) % (1 << 32), flags=17),
        ]
        order = [(0, 0), (1, 0), (0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (0, 4), (1, 3)]
        return [
            made.ipv4((answer if side else ask)[at], made.TCP, *((made.B4, made.A4) if side else (made.A4, made.B4)))
            for side, at in order
        ]

    plain = conversation()
    yield "ethernet", file_of([made.ethernet(one) for one in plain])
    yield "vlan", file_of([made.ethernet(one, tags=(made.SERVICE, made.VLAN)) for one in plain[:4]])
    links = {0: b"\x02\0\0\0", 101: b"", 108: b"\0\0\0\x02", 113: bytes(14) + b"\x08\0", 228: b"",
             276: b"\x08\0" + bytes(18)}  # fmt: skip
    for linktype, head in links.items():
        yield f"link-{linktype}", file_of([head + one for one in plain[:4]], linktype)
    six = [made.ipv6(made.udp(b"query"), made.UDP), made.ipv6(made.tcp(b"GET / HTTP/1.1\r\n\r\n"))]
    jumbo = made.ipv6(bytes((6, 0, 1, 4, 0, 0, 0, 0)) + made.tcp(b"x" * 40), 0)
    yield "six", file_of([made.ethernet(one, made.IPV6) for one in (*six, jumbo)])
    datagram = made.udp(bytes(range(100)))
    parts = [
        made.ipv4(datagram[at : at + 40], made.UDP, ident=7, place=at, more=at + 40 < len(datagram))
        for at in range(0, len(datagram), 40)
    ]
    yield "fragments", file_of([made.ethernet(one) for one in (*parts[::-1], parts[0], *plain[:2])])
    parts = [
        made.ipv6(made.fragment6(datagram[at : at + 40], made.UDP, 9, at, at + 40 < len(datagram)), 44)
        for at in range(0, len(datagram), 40)
    ]
    yield "fragments-six", file_of([made.ethernet(one, made.IPV6) for one in parts])
    header, records, _ = pcap.split(file_of([made.ethernet(one) for one in plain]))
    yield "cut", pcap.join(header, [one._replace(frame=one.frame[:70]) for one in records])
    yield "nanoseconds", b"\x4d\x3c\xb2\xa1" + file_of([made.ethernet(one) for one in plain[:3]])[4:]
    big = b"\xa1\xb2\xc3\xd4" + b"\0\2\0\4" + bytes(8) + b"\0\0\xff\xff\0\0\0\1"
    yield "big", pcap.join(big, records[:3])
    modified = [one._replace(more=bytes(8)) for one in records[:3]]
    yield "modified", pcap.join(b"\x34\xcd\xb2\xa1" + header[4:], modified)


def pcapng_inputs() -> Iterator[tuple[str, bytes]]:
    """The same packets in blocks, with options, several sections and interfaces, and blocks of other kinds."""
    files = dict(pcap_inputs())
    yield "ethernet", pcapng.from_pcap(files["ethernet"])
    yield "fragments", pcapng.from_pcap(files["fragments"])
    _, records, _ = pcap.split(files["ethernet"])
    frames = [one.frame for one in records]
    comment = pcapng.option(1, b"a comment") + pcapng.option(0, b"")
    for order, name in (("<", "little"), (">", "big")):
        made = functools.partial(pcapng.enhanced, order=order)
        fine = pcapng.option(9, b"\x09", order) + pcapng.option(2, b"eth0", order) + pcapng.option(0, b"", order)
        end = pcapng.option(0, b"", order)
        yield (
            name,
            b"".join(
                [
                    pcapng.section(order, pcapng.option(4, b"tool", order) + end),
                    pcapng.interface(1, 100, fine, order),
                    pcapng.interface(101, 0, pcapng.option(9, b"\x8a", order), order),
                    made(frames[0], 0, 1 << 60, options=pcapng.option(1, b"a comment", order) + end),
                    made(frames[1][14:], 1, 1 << 40),
                    block(pcapng.NAMES, struct.pack(order + "HH", 1, 6) + b"\x7f\0\0\1h\0\0\0" + bytes(4), order),
                    block(pcapng.SECRETS, struct.pack(order + "II", 0x544C534B, 4) + b"key\n", order),
                    block(pcapng.SIMPLE, struct.pack(order + "I", len(frames[2])) + frames[2], order),
                    block(
                        pcapng.OLD, struct.pack(order + "HHIIII", 0, 3, 0, 5, len(frames[3]), 999) + frames[3], order
                    ),
                    block(0xBAD, struct.pack(order + "I", 32473) + b"custom!!", order),
                    block(
                        pcapng.STATISTICS,
                        struct.pack(order + "III", 0, 0, 9) + pcapng.option(1, b"x", order) + end,
                        order,
                    ),
                ]
            ),
        )
    yield (
        "sections",
        pcapng.from_pcap(files["vlan"])
        + pcapng.section(">")
        + pcapng.interface(1, 0, b"", ">")
        + pcapng.enhanced(frames[0], order=">", options=comment[:0]),
    )


def segment_inputs() -> Iterator[tuple[str, bytes]]:
    """Segments of one conversation, as the target `reassembly` reads them."""

    def made(flags: int, *segments: tuple[int, int, int, int, int, int]) -> bytes:
        rows = [
            struct.pack("<BhHBHBB", bits, rel, size - 1, cut, ack, other, 0)
            for bits, rel, size, cut, ack, other in segments
        ]
        return struct.pack("<BHH", flags, 0, 0) + b"".join(rows)

    yield "in-order", made(6, (6, 0, 20, 0, 0, 0), (3, 0, 30, 0, 20, 0), (6, 20, 20, 0, 30, 0))
    yield "overlap", made(7, (2, 10, 20, 0, 0, 0), (2, 0, 20, 0, 0, 255), (2, 5, 40, 138, 0, 0), (0, 60, 9, 0, 0, 0))
    yield "middle", made(0, (2, 90, 9, 0, 50, 0), (2, 30, 9, 0, 5, 0), (1, 300, 30, 0, 0, 0), (1, 290, 30, 0, 0, 201))
    yield "stairs", made(102, *[(0, 300 - 3 * step, 40, 128 + step % 30, 0, 201 * (step % 2)) for step in range(60)])


def step_inputs() -> Iterator[tuple[str, bytes]]:
    """Connections, as the target `connection` plays them."""

    def made(flags: int, isn: tuple[int, int], *steps: tuple[int, int, int, int]) -> bytes:
        return struct.pack("<BBhh", flags, 0, *isn) + b"".join(struct.pack("<4B", *step) for step in steps)

    yield "whole", made(3, (100, -50), (0, 0, 40, 0), (0, 1, 90, 0), (0, 1, 90, 0), (5, 0, 0, 0), (5, 1, 0, 0))
    yield "lost", made(3, (-1, 7), (0, 0, 9, 0), (1, 0, 9, 0), (0, 0, 9, 0), (6, 1, 0, 0), (1, 1, 99, 0), (6, 0, 0, 0))
    yield (
        "late",
        made(3, (-20, -20), (0, 0, 9, 0), (0, 0, 9, 0), (3, 0, 0, 1), (2, 0, 30, 15), (4, 1, 50, 20), (3, 1, 0, 3)),
    )
    yield "middle", made(0, (0, 0), (0, 1, 20, 0), (0, 0, 5, 0), (4, 0, 50, 30), (2, 0, 5, 40), (5, 1, 0, 0))


MAKERS = {
    "http1": http1_inputs,
    "protocols": protocol_corpus.inputs,
    "scap": scap_inputs,
    "pcap": pcap_inputs,
    "pcapng": pcapng_inputs,
    "segments": segment_inputs,
    "steps": step_inputs,
}


def main() -> None:
    """Write them all."""
    sys.path.insert(0, str(ROOT / "tests"))
    for name, make in MAKERS.items():
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if not old.name.startswith("found-"):
                old.unlink()
        for title, data in make():
            (folder / title).write_bytes(data)


if __name__ == "__main__":
    main()
