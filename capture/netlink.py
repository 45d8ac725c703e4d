"""Netlink dumps: one question, all answers. The kernel's side is trusted in its lengths no more than needed.

Source: linux/netlink.h. Only what the state at the start needs: a request with NLM_F_DUMP, its answers message by
message, and the attributes in them.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

NETLINK_SOCK_DIAG = 4
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
RECEIVE = 1 << 18  # the kernel fills what the largest receive so far offered, up to 32 KiB
TIMEOUT = 2.0  # seconds without an answer; the kernel answers at once or not at all
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")


def dump(protocol: int, kind: int, body: bytes) -> Iterator[tuple[int, bytes]]:
    """Send the request `kind` to the netlink family `protocol`: (type, body) of each answer.

    Raises OSError with the kernel's reason where it refuses: ENOENT for a kind of socket that it knows no dump of,
    EPERM or EACCES in some containers, EPROTONOSUPPORT without that netlink family; TimeoutError without an answer.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol) as link:
        link.settimeout(TIMEOUT)
        link.bind((0, 0))
        yield from ask(link, kind, body)


def ask(link: socket.socket, kind: int, body: bytes) -> Iterator[tuple[int, bytes]]:
    """The same over a netlink socket that is open already."""
    request = _HEADER.pack(_HEADER.size + len(body), kind, NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + body
    link.sendto(request, (0, 0))
    while True:
        data, sender = link.recvfrom(RECEIVE)
        if not data:
            return
        if sender[0] != 0:
            continue  # from another process, not from the kernel
        for answer, content in messages(data):
            if answer in (NLMSG_DONE, NLMSG_ERROR):
                # A dump that cannot begin ends with the reason, as an error or in its last message.
                code = -struct.unpack_from("=i", content)[0] if len(content) >= 4 else 0
                if code > 0:
                    raise OSError(code, os.strerror(code))
                return
            yield answer, content


def messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, body) of the messages in what one receive gave; what runs past the end is left."""
    at = 0
    while at + _HEADER.size <= len(data):
        size, kind, _, _, _ = _HEADER.unpack_from(data, at)
        if size < _HEADER.size or at + size > len(data):
            return
        yield kind, data[at + _HEADER.size : at + size]
        at += (size + 3) & ~3


def attributes(data: bytes) -> dict[int, bytes]:
    """Attributes by type, the nested and byte order marks taken off; of several the last."""
    found = {}
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        size, kind = _ATTRIBUTE.unpack_from(data, at)
        if size < _ATTRIBUTE.size or at + size > len(data):
            break
        found[kind & 0x3FFF] = data[at + _ATTRIBUTE.size : at + size]
        at += (size + 3) & ~3
    return found
