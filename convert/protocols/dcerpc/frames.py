"""DCE/RPC's messages in one direction of a TCP connection (C706 12.6): the header has the length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..sql.packets import Framer
from .pdu import CLIENTS, HEADER, SERVERS, Pdu

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..sql.packets import Packet


class RpcFramer(Framer):
    """Cuts a direction into messages; `tag` is the header as a number, 16 bytes, the first one highest."""

    header = HEADER

    def __init__(self, take: Callable[[Packet], None], to_server: bool) -> None:
        super().__init__(take)
        self._kinds = CLIENTS if to_server else SERVERS

    def measure(self, head: bytes) -> tuple[int, int, bool] | None:
        """The header, and the length of what follows it."""
        pdu = Pdu.read(head)
        if pdu is None or pdu.kind not in self._kinds:
            return None
        return int.from_bytes(head, "big"), pdu.length - HEADER, False

    def find(self, tail: bytes, anchor: int) -> tuple[int, bool]:
        """A header of 16 bytes where the other side had just spoken, else one that begins or ends a login."""
        at = -1
        while (at := tail.find(b"\x05", at + 1)) >= 0:
            head = tail[at : at + HEADER]
            if len(head) < HEADER:
                return at, False
            pdu = Pdu.read(head)
            if pdu is not None and pdu.kind in self._kinds and head[1] == 0 and pdu.length <= 0x4000:
                return at, True
        return len(tail), False
