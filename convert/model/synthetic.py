"""The addresses under which unix sockets appear in the pcapng.

Wireshark follows, pairs and reassembles only what has addresses and ports, so a unix conversation is given some:
from 240.0.0.0/4, which no real host can have, and on ports that no dissector of Wireshark claims, so that the
content alone decides what it is shown as.
"""

from __future__ import annotations

CLIENT_PORT = 61_440  # to 61,695: which block of 2**24 conversations it is in
SERVER_PORT = 61_000


def synthetic_endpoints(conv_id: int, path_index: int) -> tuple[str, int, str, int]:
    """Addresses and ports of a unix conversation.

    Args:
        conv_id: The conversation's id, from 1.
        path_index: The server's path in the path table, 0 where it has none.

    Returns:
        (client ip, client port, server ip, server port). 240.a.b.c stands for the path a.b.c (its low 24 bits),
        241.a.b.c for the conversation, so that each conversation has its own pair.
    """
    client = conv_id & 0xFFFFFF
    server = path_index & 0xFFFFFF
    return _dotted(241, client), CLIENT_PORT + (conv_id >> 24), _dotted(240, server), SERVER_PORT


def _dotted(first: int, low: int) -> str:
    return f"{first}.{low >> 16}.{low >> 8 & 0xFF}.{low & 0xFF}"
