"""Classic pcap made of a pcapng: one file for each link type, times as fine as the source's, read by dpkt and scapy."""

from __future__ import annotations

import io
from pathlib import Path

import dpkt
import pytest
from scapy.utils import RawPcapReader

from support.packet_files import (
    IF_TSRESOL,
    MICROSECONDS,
    NANOSECONDS,
    interface,
    packet,
    pcap_header,
    pcap_record,
    plain_pcap,
    section,
    simple_packet,
)
from syswire.convert.pcap import link_types, write_pcap

STAMP = 1_700_000_000_123_456


def written(path: Path, linktype: int) -> tuple[bytes, int]:
    out = io.BytesIO()
    count = write_pcap(str(path), linktype, out)
    return out.getvalue(), count


def stored(tmp_path: Path, *parts: bytes) -> Path:
    path = tmp_path / "made.pcapng"
    path.write_bytes(b"".join(parts))
    return path


def test_one_file_for_each_link_type(tmp_path: Path) -> None:
    nano = [(IF_TSRESOL, b"\x09")]
    path = stored(
        tmp_path,
        section(order=">"),
        interface(113, order=">"),
        interface(1, 0, nano, ">"),
        interface(228, order=">"),
        packet(b"cooked", STAMP, 0, 90, [(1, b"comment")], ">"),
        packet(b"wire", STAMP * 1000 + 1, 1, None, (), ">"),
        section(),
        interface(1),
        packet(b"other", STAMP + 1),
        simple_packet(b"simple"),
    )
    assert link_types(str(path)) == [1, 113]
    assert written(path, 113) == (
        pcap_header(113, snaplen=262_144) + pcap_record(1_700_000_000, 123_456, b"cooked", 90), 1
    )  # fmt: skip
    records = [(1_700_000_000, 123_456_001, b"wire"), (1_700_000_000, 123_457_000, b"other"), (0, 0, b"simple")]
    expected = pcap_header(1, snaplen=262_144, magic=NANOSECONDS) + b"".join(pcap_record(*one) for one in records)
    assert written(path, 1) == (expected, 3)
    assert written(path, 228) == (pcap_header(228, snaplen=262_144), 0)


@pytest.mark.parametrize(
    ("resolution", "magic"),
    [
        (0, MICROSECONDS), (6, MICROSECONDS), (7, NANOSECONDS), (9, NANOSECONDS), (12, NANOSECONDS),
        (0x80 | 19, MICROSECONDS), (0x80 | 20, NANOSECONDS), (0xFF, NANOSECONDS),
    ],
)  # fmt: skip
def test_times_are_as_fine_as_the_source_s(tmp_path: Path, resolution: int, magic: int) -> None:
    path = stored(tmp_path, section(), interface(1, 0, [(IF_TSRESOL, bytes([resolution]))]), packet(b"a", 1))
    assert written(path, 1)[0][:4] == magic.to_bytes(4, "little")


def test_times_that_the_format_has_no_room_for(tmp_path: Path) -> None:
    path = stored(
        tmp_path, section(), interface(1, 0, [(IF_TSRESOL, b"\0")]), packet(b"a", 2**32 - 1), packet(b"b", 2**33)
    )
    assert [frame.time for frame in plain_pcap(written(path, 1)[0])] == [(2**32 - 1) * 10**9] * 2


def test_dpkt_and_scapy_read_it(tmp_path: Path) -> None:
    data = [bytes([number % 251]) * (number % 90) for number in range(40_000)]
    path = stored(
        tmp_path, section(), interface(101), *(packet(one, STAMP + at, 0, 100) for at, one in enumerate(data))
    )
    out, count = written(path, 101)
    assert count == 40_000
    assert [(frame.time, frame.data, frame.original) for frame in plain_pcap(out)] == [
        ((STAMP + at) * 1000, one, 100) for at, one in enumerate(data)
    ]
    reader = dpkt.pcap.Reader(io.BytesIO(out))
    assert reader.datalink() == 101
    assert [frame for _, frame in reader] == data
    (tmp_path / "out.pcap").write_bytes(out[: 24 + 16 * 3 + 3])
    assert [one for one, _ in RawPcapReader(str(tmp_path / "out.pcap"))] == data[:3]


def test_longer_frames_are_allowed_for(tmp_path: Path) -> None:
    path = stored(tmp_path, section(), interface(220), packet(bytes(3_000_000)), packet(b"last"))
    out, _ = written(path, 220)
    assert out[16:20] == (3_000_000).to_bytes(4, "little")
    assert [len(frame.data) for frame in plain_pcap(out)] == [3_000_000, 4]


def test_wrong_use(tmp_path: Path) -> None:
    path = stored(tmp_path, section())
    with pytest.raises(ValueError, match="link type"):
        written(path, 65_536)
    with pytest.raises(OSError, match="No such file"):
        link_types(str(tmp_path / "none"))
    assert link_types(str(path)) == []
