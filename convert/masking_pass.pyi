from collections.abc import Set
from typing import IO

from .conversations.reader import ConversationReader
from .redact import Redactor

class Hits:
    """Where known secrets stand in both streams of a conversation."""

    @property
    def to_server(self) -> list[int]:
        """Offsets of their first bytes in the stream to the server, ascending."""

    @property
    def to_client(self) -> list[int]: ...
    @property
    def covered(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """(begin, end) of all bytes that spell a secret, in the streams to the client and to the server."""

class Search:
    """Looks for every known secret in the streams, and copies records that none can be in."""

    def __init__(
        self,
        reader: ConversationReader,
        redactor: Redactor,
        lines: IO[bytes],
        marks: IO[bytes],
        out: IO[bytes],
        base: int,
        struck: Set[str] = frozenset(),
        dropped: Set[str] = frozenset(),
    ) -> None:
        """`lines` and `marks` are what the first pass spooled, `out` takes the masked records; `base` exchanges of the
        input come before the part's. Hashes in `struck` are withheld; objects in `dropped` are not there.
        """

    def hits(self, begin: int, end: int) -> Hits:
        """The secrets in the pieces of rows `begin` to `end`: those of one conversation."""

    def records(self, count: int, hits: Hits) -> None:
        """Take the next records, all of one conversation, with the secrets in its streams."""

    def close(self) -> None:
        """Write what waits."""
