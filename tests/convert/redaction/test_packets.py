"""A capture that can be shared: secrets gone in every copy, lengths kept, checksums right (scapy's word)."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw
from scapy.utils import PcapNgReader, PcapReader, wrpcap

from support.command import one_line, run

SECRET = b"hunter2!swordfish"
CLIENT, SERVER = "10.0.0.1", "10.0.0.2"


def talk(port: int, calls: list[tuple[bool, bytes]], cut: int = 1460, *, again: bool = False) -> list[Packet]:
    """A TCP connection; `again`: every first segment of a call comes twice, the second time one byte shorter."""
    up, down = Ether() / IP(src=CLIENT, dst=SERVER), Ether() / IP(src=SERVER, dst=CLIENT)
    sent, told = 1001, 5001
    out = [
        up / TCP(sport=port, dport=80, flags="S", seq=sent - 1),
        down / TCP(sport=80, dport=port, flags="SA", seq=told - 1, ack=sent),
        up / TCP(sport=port, dport=80, flags="A", seq=sent, ack=told),
    ]
    for to_server, data in calls:
        for at in range(0, len(data), cut):
            part = data[at : at + cut]
            if to_server:
                made = up / TCP(sport=port, dport=80, flags="PA", seq=sent, ack=told)
                sent += len(part)
            else:
                made = down / TCP(sport=80, dport=port, flags="PA", seq=told, ack=sent)
                told += len(part)
            out.append(made / Raw(part))
            if again and at == 0:
                out.append(made / Raw(part[:-1]))
    return out


FORM = b"login=bob&pass=" + SECRET.replace(b"!", b"%21")
POST = b"POST /login HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "
REQUEST = POST + b"%d\r\n\r\n" % len(FORM) + FORM
ZIPPED = gzip.compress(b"<html>your password is " + SECRET + b"</html>", mtime=0)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(ZIPPED) + ZIPPED
TOKEN = base64.b64encode(b"bob:" + SECRET)
BASIC = b"GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic " + TOKEN + b"\r\n\r\n"
ECHO = b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n" + SECRET
QUERY = b"GET /?password=" + SECRET + b" HTTP/1.1\r\nHost: h\r\n\r\n"

SPELLED = [SECRET, SECRET.replace(b"!", b"%21"), TOKEN, TOKEN[4:-4], SECRET.hex().encode(), ZIPPED[12:]]


def redacted(capture: Path, *more: object) -> tuple[Path, dict[str, Any]]:
    folder = capture.parent / "out"
    done = run("convert", capture, "-o", folder, "--redact", *more)
    assert done.returncode == 0, done.stderr
    return folder / f"{capture.stem}.pcapng", json.loads((folder / "manifest.json").read_text())


def frames(path: Path, reader: Any) -> list[bytes]:
    with reader(str(path)) as file:
        return [bytes(packet.original) for packet in file]


def checked(raw: bytes) -> bytes:
    """The frame with every checksum made anew by scapy."""
    packet = Ether(raw)
    layer: Packet | None = packet
    while layer:
        if "chksum" in layer.fields:
            del layer.chksum
        layer = layer.payload if layer.payload else None
    return bytes(Ether(bytes(packet)))


def both(tmp_path: Path, packets: list[Packet]) -> tuple[list[bytes], list[bytes], dict[str, Any]]:
    capture = tmp_path / "one.pcap"
    wrpcap(str(capture), packets)
    made, manifest = redacted(capture)
    before, after = frames(capture, PcapReader), frames(made, PcapNgReader)
    assert [len(one) for one in before] == [len(one) for one in after]
    stored = made.read_bytes()
    for spelling in SPELLED:
        assert any(spelling in one for one in [b"".join(before), *before]) or spelling not in stored
        assert spelling not in stored, spelling
    return before, after, manifest["inputs"][0]["redacted"]


def test_in_every_spelling_across_segments_and_in_every_copy(tmp_path: Path) -> None:
    packets = talk(40000, [(True, REQUEST), (False, ANSWER)], cut=7, again=True)
    packets += talk(40001, [(True, BASIC), (False, ECHO)], again=True)
    before, after, told = both(tmp_path, packets)
    for old, new in zip(before, after, strict=True):
        assert checked(new) == new
        start = 14 + 20 + 20
        assert old[: start - 4] == new[: start - 4]  # all of the headers but the checksum
        assert all(a == b or b == ord("X") for a, b in zip(old[start:], new[start:], strict=True))
    stream = b"".join(one[54:] for one in after)
    assert stream.count(b"Authorization: Basic " + b"X" * len(TOKEN) + b"\r\n") == 2
    assert b"200 OK" in stream
    assert b"X" * len(SECRET) in stream
    masked = sum(
        old != new for a, b in zip(before, after, strict=True) for old, new in zip(a[54:], b[54:], strict=True)
    )
    assert masked <= told["bytes"] <= masked + 20  # an X may have stood there before
    assert told["frames"] == sum(a[54:] != b[54:] for a, b in zip(before, after, strict=True))
    assert told["checksums_unknown"] == 0


def test_in_a_tunnel_and_in_what_an_icmp_error_quotes(tmp_path: Path) -> None:
    tunnel = Ether() / IP(src="1.1.1.1", dst="2.2.2.2") / UDP(sport=5555, dport=4789) / VXLAN(vni=5)
    packets = [tunnel / packet for packet in talk(40002, [(True, QUERY)])]
    quoted = IP(src=CLIENT, dst=SERVER) / UDP(sport=1, dport=2) / Raw(SECRET)
    packets.append(Ether() / IP(src=SERVER, dst=CLIENT) / ICMP(type=3, code=3) / quoted)
    _, after, told = both(tmp_path, packets)
    assert all(checked(one) == one for one in after)
    assert told["checksums_unknown"] == 0


def test_in_a_datagram_that_came_in_fragments(tmp_path: Path) -> None:
    datagram = IP(src="10.9.9.9", dst="10.9.9.8", id=7) / UDP(sport=7777, dport=7778)
    pieces = fragment(datagram / Raw(b"A" * 1467 + SECRET + b"B" * 900), fragsize=1480)
    packets = [*talk(40003, [(True, QUERY)]), *(Ether() / piece for piece in pieces)]
    _, after, told = both(tmp_path, packets)
    assert told["checksums_unknown"] == 0
    whole = b"".join(bytes(Ether(one)[IP].payload) for one in after[-2:])
    assert whole[8:] == b"A" * 1467 + b"X" * len(SECRET) + b"B" * 900
    made = bytes(datagram / Raw(whole[8:]))[20:]
    assert whole[:8] == made[:8]


def test_a_frame_check_sequence_and_a_checksum_that_was_wrong(tmp_path: Path) -> None:
    from zlib import crc32

    packets = talk(40004, [(True, QUERY)])
    raw = bytes(packets[-1])
    wrong = bytearray(raw + crc32(raw).to_bytes(4, "little"))
    wrong[14 + 20 + 16] ^= 0xFF
    wrong[-4:] = crc32(bytes(wrong[:-4])).to_bytes(4, "little")
    _, after, _ = both(tmp_path, [*packets[:-1], Ether(bytes(wrong))])
    assert after[-1][-4:] == crc32(after[-1][:-4]).to_bytes(4, "little")
    assert checked(after[-1][:-4]) != after[-1][:-4]


def test_what_a_pcapng_says_beside_its_packets(tmp_path: Path) -> None:
    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = (len(body) + 12).to_bytes(4, "little")
        return kind.to_bytes(4, "little") + size + body + size

    def comment(text: bytes) -> bytes:
        return b"\1\0" + len(text).to_bytes(2, "little") + text + bytes(-len(text) % 4) + bytes(4)

    def packet(raw: bytes, text: bytes) -> bytes:
        size = len(raw).to_bytes(4, "little")
        return block(6, bytes(12) + size + size + raw + bytes(-len(raw) % 4) + (comment(text) if text else b""))

    head = block(0x0A0D0D0A, bytes.fromhex("4d3c2b1a01000000ffffffffffffffff") + comment(b"the password is " + SECRET))
    keys = b"CLIENT_RANDOM " + b"ab" * 32 + b" " + b"cd" * 48 + b"\n"
    out = head + block(1, bytes.fromhex("0100000000000400"))
    out += block(10, b"KSLT" + len(keys).to_bytes(4, "little") + keys)
    for made in talk(40005, [(True, QUERY)]):
        out += packet(bytes(made), b"a note: " + SECRET)
    capture = tmp_path / "two.pcapng"
    capture.write_bytes(out)
    path, manifest = redacted(capture)
    stored = path.read_bytes()
    assert SECRET not in stored
    assert b"abab" not in stored
    assert b"the password is " + b"X" * len(SECRET) in stored
    assert b"X" * len(keys) in stored
    assert "redacted" in manifest["inputs"][0]
    assert manifest["options"]["redact"] is True
    assert capture.read_bytes() == out


@pytest.mark.parametrize("other", [("--reveal",), ("--objects", "objects")])
def test_what_contradicts_it(tmp_path: Path, other: tuple[str, ...]) -> None:
    capture = tmp_path / "one.pcap"
    wrpcap(str(capture), talk(1, [(True, QUERY)]))
    done = run("convert", capture, "-o", tmp_path / "out", "--redact", *other, cwd=tmp_path)
    assert done.returncode == 2
    assert one_line(done) == f"--redact masks what {other[0]} shows: give one of them"
    assert not (tmp_path / "out").exists()
