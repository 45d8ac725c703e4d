"""Python's view of the fixed-size rows in segments.pxd (same names, same order, little endian)."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

SEGMENT_START, SEGMENT_ACKS, SEGMENT_CONTINUES = 1, 2, 4
FLOW_SYN_0, FLOW_SYN_1 = 1, 2

SEGMENT = Struct("<5Q6I8x")
FLOW = Struct("<6Q4I2BHIQ")
TUNNEL = Struct("<2I8s256s")


class Segment(NamedTuple):
    """The payload of one TCP segment or UDP datagram; units and meanings in segments.pxd."""

    rel: int
    ack: int
    time: int
    block: int
    payload: int
    half: int
    frame: int
    source_frame: int
    length: int
    stored: int
    flags: int


class Tunnel(NamedTuple):
    """The IP headers around a conversation's first packet; units and meanings in segments.pxd."""

    conv: int
    outers: int
    family: bytes
    addresses: bytes


class Flow(NamedTuple):
    """What the packets tell of a conversation beside Conv; units and meanings in segments.pxd."""

    rows_0: int
    rows_1: int
    base_0: int
    base_1: int
    end_0: int
    end_1: int
    id: int
    first_frame: int
    last_frame: int
    tcp_stream: int
    client: int
    flags: int
    reserved: int
    joined: int
    frames: int
