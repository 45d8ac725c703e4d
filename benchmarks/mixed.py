"""A packet capture of many protocols at once: the recordings of the tests, again and again between other machines.

Frames become raw IPv4 packets. Each round has a client and a server address of its own, so that every conversation is a
new one; checksums are not mended, since no reader asks for them.
"""

from __future__ import annotations

import argparse
import struct
from collections.abc import Iterator
from pathlib import Path

import dpkt

RECORDED = Path(__file__).resolve().parent.parent / "tests" / "data" / "protocols"
LINKTYPE_RAW = 101
IPV4 = 4


def packets() -> Iterator[bytes]:
    """The IPv4 packets of all recordings, one recording behind the other."""
    for path in sorted(RECORDED.glob("*.pcap")):
        with path.open("rb") as file:
            reader = dpkt.pcap.UniversalReader(file)
            for _, frame in reader:
                link = reader.datalink()
                if link == dpkt.pcap.DLT_EN10MB:
                    packet = dpkt.ethernet.Ethernet(frame).data
                elif link == dpkt.pcap.DLT_LINUX_SLL:
                    packet = dpkt.sll.SLL(frame).data
                else:
                    packet = frame
                raw = bytes(packet)
                if raw and raw[0] >> 4 == IPV4:
                    yield raw


def moved(packet: bytes, round_: int) -> bytes:
    """The packet between the addresses of a round: 127.0.0.1 and the like become 10.a.b.x."""
    near, far = packet[12:16], packet[16:20]
    prefix = bytes([10, round_ >> 8 & 0xFF, round_ & 0xFF])
    return packet[:12] + prefix + near[3:] + prefix + far[3:] + packet[20:]


def main() -> None:
    """Write a capture of about so many millions of bytes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--mb", type=int, required=True)
    parser.add_argument("--seed", type=int, help="there is nothing random in it")
    given = parser.parse_args()
    made = list(packets())
    size, number, round_ = 24, 0, 0
    with given.target.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, LINKTYPE_RAW))
        while size < given.mb * 1_000_000:
            for packet in made:
                raw = moved(packet, round_)
                out.write(
                    struct.pack("<IIII", 1_600_000_000 + number // 1000, number % 1000 * 1000, len(raw), len(raw))
                )
                out.write(raw)
                size += 16 + len(raw)
                number += 1
            round_ += 1


if __name__ == "__main__":
    main()
