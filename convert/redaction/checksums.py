"""Checksums of the internet protocols, when bytes under them change (RFC 1624): right stays right, wrong, wrong."""

from __future__ import annotations


def change(old: bytes, new: bytes, odd: bool) -> int:
    """What the ones' complement sum of 16-bit words grows by; `odd`: the bytes begin in the middle of a word."""
    lead = b"\0" if odd else b""
    return _sum(lead + new) - _sum(lead + old)


def _sum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    return sum(data[0::2]) * 256 + sum(data[1::2])


def mended(checksum: int, by: int, *, udp: bool) -> int:
    """The checksum (16 bits) when the sum grew `by` so much. A UDP checksum of 0 is none, and stays."""
    if udp and checksum == 0:
        return 0
    total = (~checksum & 0xFFFF) + by
    total %= 0xFFFF  # the sum modulo 2**16 - 1; 0 and 0xFFFF are the same number
    done = ~total & 0xFFFF
    if udp:
        return done or 0xFFFF
    # A sum that was not zero can be written 0 or 0xFFFF; a checksum over a header with addresses is 0 for 0xFFFF.
    return 0 if done == 0xFFFF else done
