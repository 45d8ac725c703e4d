"""A trace whose threads and descriptors stand as the file's lists say, whatever its events do: for tests of what is
printed of an event, which need no rules of state."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from syswire.convert.trace.model import INFOS, UNKNOWN_INFO, Event, Fd, Group, Thread, Trace, User, decode

from . import plain_scap

KINDS = {
    1: "file", 2: "directory", 3: "ipv4", 4: "ipv6", 5: "ipv4_bound", 6: "ipv6_bound", 7: "fifo", 8: "unix",
    9: "event", 10: "unsupported", 11: "signalfd", 12: "eventpoll", 13: "inotify", 14: "timerfd", 15: "netlink",
    16: "file",
}  # fmt: skip
L4 = {2: "tcp", 3: "udp", 4: "icmp", 5: "raw"}


class StillTrace(Trace):
    """Iterate it for its events; the numbers count every event that sysdig knows."""

    def __init__(self, data: bytes) -> None:
        super().__init__("still", "scap")
        self.data = data

    def __iter__(self) -> Iterator[Event]:
        number = 0
        previous = None
        for record in plain_scap.records(self.data):
            if isinstance(record, plain_scap.Header):
                self.header(record)
                continue
            info = INFOS[record.code] if record.code < len(INFOS) else UNKNOWN_INFO
            event = Event(self, info, record.code, record.ts, record.tid, tuple(record.params))
            number += info.known_to_sysdig
            event.num, event.cpu, event.ordinal = number, record.cpu, record.ordinal
            event.previous_ts, previous = previous, record.ts
            self.first_ts = self.first_ts or record.ts
            event.first_ts = self.first_ts
            event.thread = self.threads.get(record.tid)
            yield event

    def header(self, header: plain_scap.Header) -> None:
        """Take a list of processes, descriptors or users."""
        if header.kind == "descriptors":
            table = self.threads[header.entries[0]["tid"]].own_fds
            for entry in header.entries[1:]:
                table[entry["fd"]] = descriptor(entry)
            return
        for entry in header.entries:
            if header.kind == "processes":
                thread = Thread(self, entry["tid"], entry["pid"])
                thread.comm, thread.own_cwd = decode(entry["comm"]), decode(entry["cwd"])
                self.threads[thread.tid] = thread
            elif header.kind == "users" and entry["kind"] == 0:
                self.users[entry["uid"]] = User(entry["uid"], entry["gid"], decode(entry["name"]), "", "")
            elif header.kind == "users":
                self.groups[entry["gid"]] = Group(entry["gid"], decode(entry["name"]))


def descriptor(entry: dict[str, Any]) -> Fd:
    """A descriptor of the file's lists."""
    kind = KINDS[entry["type"]]
    fd = Fd(entry["fd"], kind, decode(entry.get("name") or b""))
    if kind in ("ipv4", "ipv6"):
        fd.name = f"{end(entry['sip'], entry['sport'])}->{end(entry['dip'], entry['dport'])}"
        fd.sip, fd.sport, fd.dip, fd.dport = entry["sip"], entry["sport"], entry["dip"], entry["dport"]
    elif kind in ("ipv4_bound", "ipv6_bound"):
        fd.name = end(entry["ip"], entry["port"])
        fd.sip, fd.sport = entry["ip"], entry["port"]
    fd.l4 = L4.get(entry.get("l4proto", 0))
    fd.role = "client" if kind == "ipv4" else None
    return fd


def end(ip: bytes, port: int) -> str:
    """An address and a port as text."""
    return f"{ip_address(ip)}:{port}"
