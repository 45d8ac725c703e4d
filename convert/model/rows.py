"""Python's view of the fixed-size rows in rows.pxd (same names, same order, little endian)."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

CHUNK_DATA, CHUNK_CONNECT, CHUNK_ACCEPT, CHUNK_CLOSE, CHUNK_SHUTDOWN, CHUNK_RESET, CHUNK_EOF = range(7)
GAP_NONE, GAP_SNAPLEN, GAP_DROP, GAP_SENDFILE, GAP_NOT_CAPTURED = range(5)
CHUNK_PENDING, CHUNK_ENTERED, CHUNK_REQUEST, CHUNK_RESPONSE = 1, 2, 4, 8
PIECE_BOUNDARY, PIECE_IN_FRAME, PIECE_FILLED, PIECE_JOINS = 1, 2, 4, 8
TCP, UDP, UNIX_STREAM, UNIX_DATAGRAM, PPP = 6, 17, 1, 2, 254

CHUNK = Struct("<6Q4I4BI")
CONV = Struct("<4Q16s16s5I2H4BI")
PIECE = Struct("<6Q6I4BI")


class Chunk(NamedTuple):
    """What one end of a conversation did in one event; units and meanings in rows.pxd."""

    time: int
    exit_time: int
    event: int
    block: int
    payload: int
    length: int
    evt_num: int
    conv: int
    thread: int
    stored: int
    kind: int
    to_server: int
    end: int
    reason: int
    flags: int


class Conv(NamedTuple):
    """One conversation; units and meanings in rows.pxd."""

    opened: int
    closed: int
    client_ptr: int
    server_ptr: int
    client_ip: bytes
    server_ip: bytes
    id: int
    client_owner: int
    server_owner: int
    path: int
    container: int
    client_port: int
    server_port: int
    protocol: int
    family: int
    ends: int
    preexisting: int
    reserved: int


class Piece(NamedTuple):
    """A run of one direction, bytes known or not; units and meanings in rows.pxd."""

    time: int
    recorded: int
    event: int
    block: int
    payload: int
    stream_offset: int
    frame: int
    frame_offset: int
    evt_num: int
    conv: int
    thread: int
    length: int
    known: int
    to_server: int
    reason: int
    flags: int
    reserved: int
