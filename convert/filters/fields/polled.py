"""fdlist.*: the descriptors that a poll waits for."""

from __future__ import annotations

import struct

from ...scap.event_table import PT_FDLIST
from ...trace.values import ip_text
from .fd import client_ip, client_port, server_port
from .field import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

    from ...trace.model import Event, Fd
    from .field import Value

ENTRY: Final = struct.Struct("<qh")  # number, flags


def numbers(event: Event) -> Iterator[int] | None:
    """The numbers in the list; None for events without one."""
    for index, (_, code, _) in enumerate(event.info.params):
        if code == PT_FDLIST and index < len(event.params):
            data = event.params[index]
            count = struct.unpack_from("<H", data)[0] if len(data) >= 2 else 0
            most = min(count, (len(data) - 2) // ENTRY.size)
            return (ENTRY.unpack_from(data, 2 + ENTRY.size * place)[0] for place in range(most))
    return None


def address_text(address: Value) -> str:
    """An address as it is written."""
    if not isinstance(address, bytes):
        return ""
    return ip_text(address)


def server(found: Fd) -> Value:
    """The server's address, of a bound socket its own."""
    return found.sip if found.is_bound else found.dip if found.is_tuple and found.role else None


def of_list(extract: Callable[[Fd], str]) -> Callable[[Event, str | None], Value]:
    """What `extract` says of each descriptor that is known, those left out where it says ""; missing if all are."""

    def value(event: Event, argument: str | None) -> Value:
        listed = numbers(event)
        if listed is None or event.thread is None:
            return None
        table = event.thread.fds
        known = (table.get(number) for number in listed)
        return ",".join(filter(None, (extract(found) for found in known if found is not None))) or None

    return value


def nums(event: Event, argument: str | None) -> Value:
    """fdlist.nums"""
    listed = numbers(event)
    return None if listed is None or event.thread is None else ",".join(map(str, listed)) or None


def port_text(port: Value) -> str:
    """A port as text; "" where there is none."""
    return "" if port is None else str(port)


FIELDS: Final = (
    Field("fdlist.nums", "charbuf", "E", "none", "Numbers of the descriptors that a poll waits for.", nums, "id"),
    Field("fdlist.names", "charbuf", "E", "none", "Their names.", of_list(lambda found: found.name)),
    Field("fdlist.cips", "charbuf", "E", "none", "Their clients' addresses.",
          of_list(lambda found: address_text(client_ip(found)))),
    Field("fdlist.sips", "charbuf", "E", "none", "Their servers' addresses.",
          of_list(lambda found: address_text(server(found)))),
    Field("fdlist.cports", "charbuf", "E", "none", "Their clients' ports.",
          of_list(lambda found: port_text(client_port(found))), "decimal"),
    Field("fdlist.sports", "charbuf", "E", "none", "Their servers' ports.",
          of_list(lambda found: "" if found.is_bound else port_text(server_port(found))), "decimal"),
)  # fmt: skip
