"""The machine at the start of a recording: processors, memory, interfaces' addresses, users and groups.

Addresses come from rtnetlink, whose answers are parsed by a pure function; users and groups from /etc/passwd and
/etc/group, and from the name service only for the owners of running processes, since listing a directory service can
take forever. What cannot be had is left out and noted, never guessed.
"""

from __future__ import annotations

import os
import pwd
import socket
import struct
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path

from ..convert.scap.snapshot import Group, Interface, Machine, User
from .netlink import attributes, dump

RTM_GETADDR, RTM_NEWADDR = 22, 20
IFA_ADDRESS, IFA_LOCAL, IFA_LABEL, IFA_BROADCAST = 1, 2, 3, 4
NETLINK_ROUTE = 0
MOST_ACCOUNTS = 65_536
"""Users, and groups, that are recorded at most; files of accounts are small, damaged ones may not be."""
MOST_LOOKUPS = 256
_ADDRESS = struct.Struct("=BBBBI")


def machine(proc: str = "/proc") -> Machine:
    """Processors, memory, host name and boot time of the running machine.

    Raises OSError where /proc is not mounted.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    max_pid = int(Path(proc, "sys/kernel/pid_max").read_bytes())
    boot = boot_time(Path(proc, "stat").read_bytes())
    return Machine(os.uname().nodename, os.sysconf("SC_NPROCESSORS_ONLN"), memory, max_pid, boot)


def boot_time(stat: bytes) -> int:
    """Nanoseconds since the epoch of the line `btime` of /proc/stat; 0 where it has none."""
    for line in stat.splitlines():
        if line.startswith(b"btime "):
            return int(line[6:]) * 1_000_000_000
    return 0


def interfaces() -> list[Interface]:
    """The addresses of the network interfaces in our network namespace; raises OSError where netlink is refused."""
    request = _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0)
    return addresses(dump(NETLINK_ROUTE, RTM_GETADDR, request), dict(socket.if_nameindex()))


def addresses(messages: Iterable[tuple[int, bytes]], names: dict[int, str]) -> list[Interface]:
    """What answers to RTM_GETADDR say, in order of interface, family and address; `names` by interface index.

    An interface that went meanwhile, and so has no name, keeps its index as one.
    """
    found: list[tuple[int, int, bytes, Interface]] = []
    for kind, body in messages:
        if kind != RTM_NEWADDR or len(body) < _ADDRESS.size:
            continue
        family, prefix, _, _, index = _ADDRESS.unpack_from(body)
        width = {socket.AF_INET: 4, socket.AF_INET6: 16}.get(family)
        if width is None or prefix > 8 * width:
            continue
        told = attributes(body[_ADDRESS.size :])
        # On a link of two ends IFA_ADDRESS is the other end's.
        own = told.get(IFA_LOCAL) or told.get(IFA_ADDRESS, b"")
        if len(own) != width:
            continue
        name = told.get(IFA_LABEL, b"").rstrip(b"\0").decode("utf-8", "surrogateescape") or names.get(index, str(index))
        found.append((index, width, own, _interface(name, own, prefix, told.get(IFA_BROADCAST, b""))))
    return [one[3] for one in sorted(found, key=lambda one: one[:3])]


def _interface(name: str, own: bytes, prefix: int, broadcast: bytes) -> Interface:
    bits = 8 * len(own)
    mask = ((1 << bits) - (1 << (bits - prefix))).to_bytes(len(own), "big")
    last = broadcast if len(broadcast) == len(own) else bytes(len(own))
    return Interface(name, str(ip_address(own)), str(ip_address(mask)), str(ip_address(last)))


def accounts(owners: Iterable[int], passwd: str = "/etc/passwd", group: str = "/etc/group") -> list[User | Group]:
    """Users, then groups, in order of their numbers; `owners` are the numbers of users that run processes.

    The first of several names of a number counts, as for getpwuid(3). An owner that the file does not have is asked
    for at the name service, so that the users of a directory service that matter here have names.
    """
    users = {user.uid: user for user in reversed(list(_users(passwd)))}
    for uid in sorted(set(owners) - users.keys())[:MOST_LOOKUPS]:
        try:
            entry = pwd.getpwuid(uid)
        except (KeyError, OverflowError):
            continue
        users[uid] = User(uid, entry.pw_gid, entry.pw_name, entry.pw_dir, entry.pw_shell)
    groups = {one.gid: one for one in reversed(list(_groups(group)))}
    return [*sorted(users.values(), key=lambda one: one.uid), *sorted(groups.values(), key=lambda one: one.gid)]


def _users(path: str) -> Iterator[User]:
    for fields in _entries(path, 7):
        uid, gid = _number(fields[2]), _number(fields[3])
        if uid is not None and gid is not None:
            yield User(uid, gid, fields[0], fields[5], fields[6])


def _groups(path: str) -> Iterator[Group]:
    for fields in _entries(path, 3):
        gid = _number(fields[2])
        if gid is not None:
            yield Group(gid, fields[0])


def _entries(path: str, width: int) -> Iterator[list[str]]:
    """The fields of each line with enough of them; none where there is no such file."""
    try:
        with open(path, "rb") as file:
            content = file.read(1 << 24)
    except OSError:
        return
    for line in content.split(b"\n", MOST_ACCOUNTS)[:MOST_ACCOUNTS]:
        fields = line.decode("utf-8", "surrogateescape").split(":")
        if len(fields) >= width and not fields[0].startswith(("#", "+", "-")):
            yield fields


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text) < 1 << 32 else None
