"""What the messages of SMB 1 and of SMB 2 and 3 have in common, as the parser takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ...model.record import Value

NEGOTIATE, SETUP, TREE, OPEN, PIPE = "negotiate", "session-setup", "tree-connect", "open", "pipe"
LONGEST_NAME = 4096


class Plain(NamedTuple):
    """Passwords or responses to the negotiated challenge, without NTLM's messages (SMB 1)."""

    oem: bytes
    unicode: bytes
    oem_at: int
    """Index in the message."""
    unicode_at: int
    domain: str
    username: str


class Said(NamedTuple):
    """One command of a message, a request or a response."""

    kind: str
    key: tuple[int, int]
    """By which a response is found for its request."""
    session: int
    tree: int
    status: int
    """0 in requests."""
    fields: dict[str, Value]
    blob: bytes
    """A token of GSS-API or NTLM; for PIPE what was written or read."""
    blob_at: int
    """Its index in the message."""
    plain: Plain | None = None


def wire(text: str) -> str:
    """Text as a record holds it: its UTF-8, one character a byte."""
    return text.encode("utf-8", "replace").decode("latin-1")


def wide(data: bytes) -> str:
    """UTF-16LE without what is no character."""
    return data[: len(data) & ~1].decode("utf-16-le", "replace")


def narrow(data: bytes) -> str:
    """A text in the code page of one side, which nothing tells."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def number(data: bytes, at: int, size: int) -> int:
    """A little-endian number; what lies beyond the end counts as 0."""
    return int.from_bytes(data[at : at + size], "little")
