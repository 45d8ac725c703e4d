"""TDS's packets in one direction (MS-TDS 2.2.3.1): a message is one packet or several, the last of which says so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..sql.packets import LOOK, Framer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..sql.packets import Packet

BATCH, OLD_LOGIN, RPC, RESPONSE, ATTENTION, BULK = 1, 2, 3, 4, 6, 7
FEDERATED, TRANSACTION, TDS5_QUERY, LOGIN7, SSPI, PRELOGIN = 8, 14, 15, 16, 17, 18
CLIENTS = frozenset(
    (BATCH, OLD_LOGIN, RPC, ATTENTION, BULK, FEDERATED, TRANSACTION, TDS5_QUERY, LOGIN7, SSPI, PRELOGIN)
)
SERVERS = frozenset((RESPONSE, SSPI, PRELOGIN))
HEADER = 8
_LAST = 1
_MOST_STATUS = 0x1F
_LONGEST = 32_767
_TOKENS = re.compile(rb"[\x79\x7c\x81\xa0\xa1\xaa\xab\xac\xad\xae\xd1\xe3\xe5\xec\xed\xee\xfd\xfe\xff]")


class TdsFramer(Framer):
    """Cuts a direction into messages; `tag` is the type."""

    header = HEADER

    def __init__(self, take: Callable[[Packet], None], to_server: bool) -> None:
        super().__init__(take)
        self._kinds = CLIENTS if to_server else SERVERS

    def measure(self, head: bytes) -> tuple[int, int, bool] | None:
        """Type, length without the header, whether the message goes on."""
        size = int.from_bytes(head[2:4], "big")
        if head[0] not in self._kinds or head[1] > _MOST_STATUS or not HEADER <= size <= _LONGEST or head[7]:
            return None
        return head[0], size - HEADER, not head[1] & _LAST

    def find(self, tail: bytes, anchor: int) -> tuple[int, bool]:
        """A message where the other side had just spoken, and a packet's number 0 or 1."""
        if anchor < 0:
            return len(tail), False
        head = tail[anchor : anchor + LOOK]
        if len(head) < HEADER + 1:
            return anchor, False
        told = self.measure(head[:HEADER])
        if told is None or head[6] > 1 or (told[0] == RESPONSE and not _TOKENS.match(head, HEADER)):
            return len(tail), False
        return anchor, True
