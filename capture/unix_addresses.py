"""Where unix sockets are in the kernel, by their cookies: the names under which events tell them.

The kernel's list of unix sockets shows hashes in the addresses' place unless it is set otherwise. A BPF iterator over
that list (Linux 5.15), fifteen instructions long, gives the address beside the cookie, which unix_diag gives beside
inode, path and peer. It needs what recording itself needs, CAP_BPF and CAP_PERFMON, and is gone when it was read.

Sources: linux/bpf.h (commands, attributes, numbers of helpers), Documentation/bpf/btf.rst, bpf_iter of the kernel.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from functools import cache
from pathlib import Path

BTF = "/sys/kernel/btf/vmlinux"
_TARGET = b"bpf_iter_unix"  # the function that stands for the iterator among the kernel's types
_BPF = {"x86_64": 321, "aarch64": 280}
_PROG_LOAD, _LINK_CREATE, _ITER_CREATE = 5, 28, 33
_TRACING, _TRACE_ITER = 26, 28
_SOCKET_COOKIE, _SEQ_WRITE = 46, 127
_KIND_FUNCTION = 12
_MEMBER_SIZES = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}  # structs, unions, enums, prototypes, sections, wide enums
_BEHIND = {1: 4, 3: 12, 14: 4, 17: 4}  # of integers, arrays, variables, tags
_ROW = struct.Struct("=QQ")
_MOST = 1 << 25


def addresses() -> dict[int, int]:
    """Addresses of the unix sockets in the calling thread's network namespace, by cookie.

    Empty where the kernel has no such iterator or does not let us: what has no address is then known otherwise.
    """
    number, call = function_number(BTF), _BPF.get(platform.machine())
    if number == 0 or call is None:
        return {}
    try:
        return dict(_rows(_iterated(call, number)))
    except OSError:
        return {}


@cache
def function_number(path: str) -> int:
    """The number of the iterator's function among the kernel's types, 0 where there is none."""
    try:
        data = Path(path).read_bytes()
    except OSError:
        return 0
    return _number(data)


def _number(data: bytes) -> int:
    try:
        magic, _, _, head, types, size, texts, length = struct.unpack_from("<HBBIIIII", data)
        name = data.find(b"\0" + _TARGET + b"\0", head + texts, head + texts + length) + 1 - head - texts
        at, end, number = head + types, head + types + size, 1
        if magic != 0xEB9F or name <= 0:
            return 0
        unpack = struct.Struct("<III").unpack_from
        while at < end:
            text, info, _ = unpack(data, at)
            kind = info >> 24 & 31
            if text == name and kind == _KIND_FUNCTION:
                return number
            at += 12 + (_MEMBER_SIZES[kind] * (info & 0xFFFF) if kind in _MEMBER_SIZES else _BEHIND.get(kind, 0))
            number += 1
    except struct.error:
        pass  # cut short: no such function
    return 0


def _instruction(code: int, to: int = 0, source: int = 0, offset: int = 0, value: int = 0) -> bytes:
    return struct.pack("=BBhi", code, source << 4 | to, offset, value)


def program() -> bytes:
    """For each socket: write its address and its cookie into the iterator's file."""
    move, load, store, add, put, call = 0xBF, 0x79, 0x7B, 0x07, 0xB7, 0x85
    return b"".join(
        (
            _instruction(move, 6, 1),  # r6 = the iterator's context
            _instruction(load, 7, 1, 8),  # r7 = the socket
            _instruction(0x15, 7, 0, 10),  # none: at the end of the list
            _instruction(store, 10, 7, -16),
            _instruction(move, 1, 7),
            _instruction(call, value=_SOCKET_COOKIE),
            _instruction(store, 10, 0, -8),
            _instruction(load, 1, 6, 0),  # the file: context, its first member, that one's first member
            _instruction(load, 1, 1, 0),
            _instruction(move, 2, 10),
            _instruction(add, 2, value=-16),
            _instruction(put, 3, value=16),
            _instruction(call, value=_SEQ_WRITE),
            _instruction(put, 0),
            _instruction(0x95),
        )
    )


def _iterated(call: int, number: int) -> bytes:
    """What the program wrote; raises OSError where the kernel refuses a step."""
    text = program()
    code, licence = ctypes.create_string_buffer(text, len(text)), ctypes.create_string_buffer(b"GPL")
    places = ctypes.addressof(code), ctypes.addressof(licence)
    load = struct.pack("=IIQQ", _TRACING, len(text) // 8, *places) + bytes(24) + b"syswire_unix".ljust(16, b"\0")
    load += struct.pack("=II", 0, _TRACE_ITER) + bytes(36) + struct.pack("=II", number, 0)
    opened: list[int] = []
    try:
        opened.append(_bpf(call, _PROG_LOAD, load))
        opened.append(_bpf(call, _LINK_CREATE, struct.pack("=IIIIQQ", opened[0], 0, _TRACE_ITER, 0, 0, 0)))
        opened.append(_bpf(call, _ITER_CREATE, struct.pack("=II", opened[1], 0)))
        content = bytearray()
        while len(content) < _MOST and (part := os.read(opened[2], 1 << 16)):
            content += part
        return bytes(content)
    finally:
        for descriptor in reversed(opened):
            os.close(descriptor)


def _bpf(call: int, command: int, attribute: bytes) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(attribute, len(attribute))
    result = int(libc.syscall(ctypes.c_long(call), ctypes.c_int(command), buffer, ctypes.c_uint(len(attribute))))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _rows(content: bytes) -> list[tuple[int, int]]:
    """(cookie, address) of each row."""
    whole = len(content) // _ROW.size * _ROW.size
    return [(cookie, address) for address, cookie in _ROW.iter_unpack(content[:whole])]
