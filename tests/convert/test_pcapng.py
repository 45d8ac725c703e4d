"""The pcapng read back by programs that have nothing to do with ours: scapy, dpkt, python-pcapng."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pcapng import FileScanner
from pcapng.blocks import EnhancedPacket, InterfaceDescription, NameResolution, SectionHeader
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6

from support.rebuilt import CLIENT, MS, SERVER, T0, Capture, Converted
from syswire.convert.model.synthetic import synthetic_endpoints
from syswire.convert.pcapng import COMMENT_BYTES, clean, comment_options, name_blocks


def raw_blocks(path: Path) -> list[tuple[int, bytes]]:
    """(type, body) of every block, by the lengths at both its ends."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        assert size % 4 == 0
        assert struct.unpack_from("<I", data, at + size - 4) == (size,)
        found.append((kind, data[at + 8 : at + size - 4]))
        at += size
    return found


def options(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        at += 4
        if code == 0:
            assert at == len(data)
            break
        found.append((code, data[at : at + length]))
        at += length + -length % 4
    return found


def packets(result: Converted) -> list[bytes]:
    return [packet for _, packet in dpkt.pcapng.Reader(result.pcapng.open("rb"))]


def summed(packet: bytes) -> bool:
    """Whether the checksum of TCP or UDP is right, by a plain sum over the pseudo header and the segment."""
    if packet[0] >> 4 == 4:
        protocol, addresses, segment = packet[9], packet[12:20], packet[20:]
    else:
        protocol, addresses, segment = packet[6], packet[8:40], packet[40:]
    data = addresses + struct.pack(">HH", protocol, len(segment)) + segment + bytes(len(segment) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total == 0xFFFF


def talking(capture: Capture) -> None:
    talk = capture.tcp("10.1.2.3", "192.168.7.8", container=1)
    talk.connect(0)
    talk.send(CLIENT, 1, b"hello", thread=421)
    talk.send(SERVER, 2, b"odd length!", thread=431)
    six = capture.tcp("fd00::1", "2001:db8::2")
    six.send(CLIENT, 3, bytes(range(256)) * 10, thread=422)
    unix = capture.unix(path=0x010203)
    unix.send(CLIENT, 4, b"over unix", thread=0)
    names = capture.udp("10.0.0.1", "10.0.0.2")
    names.send(CLIENT, 5, b"datagram")
    names.send(SERVER, 6, b"")
    capture.udp("fd00::1", "fd00::2").send(SERVER, 7, b"datagram six")


def test_headers(tmp_path: Path) -> None:
    capture = Capture()
    talking(capture)
    result = capture.convert(tmp_path)
    found = packets(result)
    assert all(summed(packet) for packet in found)
    syn, data = IP(found[0]), IP(found[3])
    assert (syn.src, syn.dst, syn.ttl, syn.proto, int(syn.flags), syn.len) == ("10.1.2.3", "192.168.7.8", 64, 6, 2, 48)
    assert (syn[TCP].sport, syn[TCP].dport, syn[TCP].window) == (40_001, 8080, 65_535)
    assert syn[TCP].options == [("MSS", 65_495), ("NOP", None), ("WScale", 14)]
    assert (syn[TCP].flags, data[TCP].flags) == ("S", "PA")
    assert (data[TCP].seq, bytes(data[TCP].payload)) == (syn[TCP].seq + 1, b"hello")
    assert [IP(packet).id for packet in found[:5]] == [0, 1, 2, 3, 4]
    back = IP(found[4])
    assert (back.src, back[TCP].sport, back[TCP].ack) == ("192.168.7.8", 8080, data[TCP].seq + 5)
    for packet in found[:5]:
        again = IP(packet)
        del again.chksum
        assert bytes(IP(bytes(again)))[10:12] == packet[10:12]
    six = IPv6(found[5])
    assert (six.src, six.dst, six.hlim, six.nh, six.plen) == ("fd00::1", "2001:db8::2", 64, 6, 20 + 2560)
    unix = IP(found[6])
    assert (unix.src, unix[TCP].sport, unix.dst, unix[TCP].dport) == synthetic_endpoints(3, 0x010203)
    assert (unix.src, unix.dst) == ("241.0.0.3", "240.1.2.3")
    assert (IP(found[7])[UDP].len, IP(found[8])[UDP].len, IPv6(found[9])[UDP].len) == (16, 8, 20)


def test_blocks(tmp_path: Path) -> None:
    capture = Capture()
    talking(capture)
    result = capture.convert(tmp_path, {4: ["first", "second"], 5: ["third"]})
    with result.pcapng.open("rb") as file:
        blocks = list(FileScanner(file))
    section = blocks[0]
    assert isinstance(section, SectionHeader)
    assert section.options.get_all("opt_comment") == ["made by tests", "synthetic"]
    assert (section.options["shb_os"], section.options["shb_userappl"]) == ("Linux", "syswire")
    interfaces = [block for block in blocks if isinstance(block, InterfaceDescription)]
    assert [block.options["if_name"] for block in interfaces] == ["host", "web-1", "unix"]
    assert {(block.link_type, block.snaplen, block.options["if_tsresol"]) for block in interfaces} == {
        (101, 0, b"\x09")
    }
    names = [block for block in blocks if isinstance(block, NameResolution)]
    assert names[0].records[0] == {"type": 1, "address": "240.0.0.7", "names": ["/run/app.sock"]}
    found = [block for block in blocks if isinstance(block, EnhancedPacket)]
    assert [block.interface_id for block in found] == [1, 1, 1, 1, 1, 0, 2, 0, 0, 0]
    stamps = [(block.timestamp_high << 32 | block.timestamp_low) - T0 for block in found]
    assert [stamp / MS for stamp in stamps] == [0, 0, 0, 1, 2, 3, 4, 5, 6, 7]
    comments = [block.options.get_all("opt_comment") if "opt_comment" in block.options else [] for block in found]
    assert comments == [
        ["conversation 1"], [], [], ["first", "second"], ["third"], ["conversation 2"], ["conversation 3"],
        ["conversation 4"], [], ["conversation 5"],
    ]  # fmt: skip


def test_process_identity(tmp_path: Path) -> None:
    capture = Capture()
    talking(capture)
    blocks = raw_blocks(capture.convert(tmp_path).pcapng)
    processes: list[tuple[int, str]] = []
    seen: list[tuple[int, int, tuple[int, str]] | None] = []
    for kind, body in blocks:
        if kind == 0x80000001:
            (code, name), *rest = options(body[4:])
            assert (code, rest) == (2, [])
            processes.append((int.from_bytes(body[:4], "little"), name.decode()))
        elif kind == 6:
            captured = struct.unpack_from("<I", body, 12)[0]
            extra = dict(options(body[20 + captured + -captured % 4 :]))
            if 8 in extra:
                block = struct.unpack("<I", extra[32769])[0]
                assert block < len(processes), "the block stands before its use"
                pid, tid = struct.unpack("<II", extra[8])
                seen.append((pid, tid, processes[block]))
            else:
                assert 32769 not in extra
                seen.append(None)
    assert seen[0] == seen[1] == (100, 10, (100, "proc10"))
    assert seen[3:6] == [
        (4200, 421, (4200, "proc421")), (4300, 431, (4300, "proc431")), (4200, 422, (4200, "proc422")),
    ]  # fmt: skip
    assert seen[6] is None
    assert len(processes) == len(set(processes))


def test_cut_packets(tmp_path: Path) -> None:
    capture = Capture(snaplen=3)
    for client, server in (("10.0.0.1", "10.0.0.2"), ("fd00::1", "fd00::2")):
        capture.tcp(client, server).send(CLIENT, 1, b"hello")
        capture.udp(client, server).send(CLIENT, 2, b"hello")
    result = capture.convert(tmp_path)
    with result.pcapng.open("rb") as file:
        found = [block for block in FileScanner(file) if isinstance(block, EnhancedPacket)]
    assert [(len(block.packet_data), block.packet_len) for block in found] == [(43, 45), (63, 65), (31, 33), (51, 53)]
    assert [IP(found[0].packet_data).len, IP(found[2].packet_data)[UDP].len] == [45, 13]
    checks = [IP(found[2].packet_data)[UDP].chksum, IPv6(found[3].packet_data)[UDP].chksum]
    assert checks == [0, 0xFFFF], "no checksum; for UDP over IPv6 there must be one"


def test_pieces_that_lie_apart_make_one_packet(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    data = bytes(range(200))
    talk.send(CLIENT, 1, data, stored=5)
    capture.payload += b"-" * 3_000_000  # further than any window
    talk.read(SERVER, 2, data[:100])
    capture.payload += b"-" * 3_000_000
    talk.read(SERVER, 3, data[100:])
    result = capture.convert(tmp_path)
    assert [bytes(IP(packet)[TCP].payload) for packet in packets(result)] == [data]
    assert all(summed(packet) for packet in packets(result))


def test_same_bytes_again(tmp_path: Path) -> None:
    written = []
    for run in ("a", "b"):
        capture = Capture()
        talking(capture)
        (tmp_path / run).mkdir()
        written.append(capture.convert(tmp_path / run).pcapng.read_bytes())
    assert written[0] == written[1]


def test_more_packets_than_the_buffer_holds(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.tcp()
    block = bytes(range(251)) * 260
    for number in range(60):
        talk.send(number % 2, number, block, thread=number % 7 * 10)
    result = capture.convert(tmp_path, {number: [f"comment {number}"] for number in range(1, 121, 3)})
    found = packets(result)
    assert len(found) == 60 == result.count
    assert all(summed(packet) for packet in found)
    assert all(bytes(IP(packet)[TCP].payload) == block for packet in found)


def test_payload_that_is_gone_is_an_error(tmp_path: Path) -> None:
    capture = Capture()
    capture.tcp().send(CLIENT, 1, b"hello")
    del capture.payload[-1]
    with pytest.raises(OSError, match="Input/output error"):
        capture.convert(tmp_path)


def test_clean_shows_what_could_deceive() -> None:
    assert clean("a\x00b\x1b[31m\u202egnp.exe\ud800\x9b\u2028") == "a\\x00b\\x1b[31m\\u202egnp.exe\\ud800\\x9b\\u2028"
    assert clean("tab\tand\nline é 漢") == "tab\tand\nline é 漢"


@given(st.text(alphabet=st.characters(), max_size=300), st.integers(3, 100))
def test_clean_is_short_and_valid(text: str, limit: int) -> None:
    shown = clean(text, limit)
    assert len(shown.encode()) <= limit
    assert not any(ord(char) < 32 and char not in "\n\t" for char in shown)


def test_comments_are_bounded() -> None:
    encoded = comment_options(["x" * 100_000] * 100)
    assert [len(value) for _, value in options(encoded + bytes(4))] == [COMMENT_BYTES] * 31
    assert len(encoded) <= 1 << 19


def test_names_are_split_over_blocks() -> None:
    names = [(f"240.0.{number >> 8}.{number & 255}", f"/run/{number}.sock") for number in range(5_000)]
    blocks = list(name_blocks([*names, ("fd00::1", "six")]))
    assert len(blocks) > 1
    assert all(len(block) < 65_536 for block in blocks)
    joined = b"".join(blocks)
    assert joined.count(b".sock\0") == 5_000
    assert socket.inet_pton(socket.AF_INET6, "fd00::1") + b"six\0" in joined
