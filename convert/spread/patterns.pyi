from collections.abc import Sequence

class Patterns:
    """The spellings of some secrets, searched for at once."""

    spelled: list[tuple[int, str]]
    """(number of the secret, spelling) by pattern."""

    def __init__(self, secrets: Sequence[bytes]) -> None: ...
    @property
    def longest(self) -> int:
        """Bytes of the longest spelling."""

    def found(self, data: bytes) -> list[tuple[int, int]]:
        """(offset, pattern) of every occurrence; of several that begin at one place the longest."""

    def length(self, pattern: int) -> int:
        """Bytes of a pattern."""
