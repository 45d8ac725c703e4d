"""sendmmsg and recvmmsg, which Python's socket module does not have: by ctypes."""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import Sequence

_LIBC = ctypes.CDLL(None, use_errno=True)
_PLACE = ctypes.create_string_buffer(b"\xee" * 128)  # for addresses, of which nobody looks at the content here


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Head(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_Vector)),
        ("count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    _fields_ = (("head", _Head), ("moved", ctypes.c_uint32))


def _messages(pieces: Sequence[Sequence[ctypes.Array[ctypes.c_char]]], room: int = 0) -> ctypes.Array[_Message]:
    """Messages that point into the buffers, which the caller keeps; `room`: for an address."""
    made = (_Message * len(pieces))()
    for message, buffers in zip(made, pieces, strict=True):
        message.head.name = ctypes.addressof(_PLACE)
        message.head.name_size = room
        vectors = (_Vector * len(buffers))(*(_Vector(ctypes.addressof(b), len(b)) for b in buffers))
        message.head.vectors = vectors
        message.head.count = len(buffers)
    return made


def send_messages(sock: socket.socket, messages: Sequence[Sequence[bytes]]) -> int:
    """One sendmmsg of messages, each of several pieces; how many went."""
    kept = [[ctypes.create_string_buffer(piece, len(piece)) for piece in message] for message in messages]
    sent = int(_LIBC.sendmmsg(sock.fileno(), _messages(kept), len(kept), 0))
    if sent < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return sent


def receive_from(sock: socket.socket, room: int) -> int:
    """One recvfrom with room for so much of an address; how long the kernel says that the address is."""
    size = ctypes.c_uint32(room)
    buffer = ctypes.create_string_buffer(64)
    if _LIBC.recvfrom(sock.fileno(), buffer, 64, 0, _PLACE, ctypes.byref(size)) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return size.value


def receive_message(sock: socket.socket, room: int) -> int:
    """The same by one recvmsg."""
    made = _messages([[ctypes.create_string_buffer(64)]], room)
    if _LIBC.recvmsg(sock.fileno(), ctypes.byref(made[0].head), 0) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(made[0].head.name_size)


def receive_messages(
    sock: socket.socket, shapes: Sequence[Sequence[int]], room: int = 0, flags: int = 0
) -> list[bytes]:
    """One recvmmsg into buffers of the given sizes; what came."""
    kept = [[ctypes.create_string_buffer(size) for size in sizes] for sizes in shapes]
    made = _messages(kept, room)
    came = int(_LIBC.recvmmsg(sock.fileno(), made, len(kept), socket.MSG_DONTWAIT | flags, None))
    if came < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return [
        b"".join(b.raw for b in buffers)[: one.moved] for buffers, one in zip(kept[:came], made[:came], strict=True)
    ]
