"""Python's view of the fixed-size rows in frame.pxd (same names, same order, little endian)."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

FRAME_TO_SERVER, FRAME_FIRST, FRAME_STREAM, FRAME_JOINS = 1, 2, 4, 8
MAX_TCP_PAYLOAD, MAX_UDP_PAYLOAD, NO_FRAME = 65_495, 65_507, 0xFFFFFFFF

FRAME = Struct("<3Q9IH2B")


class Frame(NamedTuple):
    """A frame of the pcapng before it is written; units and meanings in frame.pxd."""

    time: int
    payload: int
    piece: int
    row: int
    conv: int
    seq: int
    ack: int
    thread: int
    known: int
    length: int
    pieces: int
    leader: int
    ip_id: int
    tcp_flags: int
    flags: int
