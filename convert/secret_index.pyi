from typing_extensions import Buffer

SHORTEST: int

class SecretIndex:
    """Patterns of at least SHORTEST bytes, added at any time; searched in any data."""

    def __init__(self) -> None: ...
    def __len__(self) -> int: ...
    @property
    def longest(self) -> int:
        """Bytes of the longest pattern."""

    def add(self, pattern: bytes, before: int = 0, after: int = 0) -> bool:
        """Take a pattern: False if there is no room for more (a million patterns, 64 MiB).

        `before` and `after` are how many bytes beside a match tell of the secret too. Raises ValueError if too short.
        """

    def found_in(self, data: Buffer) -> bool:
        """Whether any pattern occurs."""

    def intervals(self, data: bytes) -> list[tuple[int, int]]:
        """(begin, end) of all that patterns cover, in order, overlapping ones joined, with what tells beside them."""
