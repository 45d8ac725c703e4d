"""What a capture file says of an interface that packets were recorded on."""

from __future__ import annotations

from typing import NamedTuple


class SourceInterface(NamedTuple):
    """An interface of a capture file.

    Attributes:
        linktype: LINKTYPE_* of its packets.
        snaplen: The most bytes of a packet that were kept, 0 for no limit; as the file says, which may be wrong.
        tsresol: Resolution of its time stamps as in pcapng: 10 to the minus n seconds, or with the highest bit set 2
            to the minus n.
        name: Its name as stored, empty where the file has none.
        description: Its description as stored.
    """

    linktype: int
    snaplen: int
    tsresol: int
    name: bytes = b""
    description: bytes = b""
