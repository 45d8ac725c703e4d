from collections.abc import Iterable

from typing_extensions import Buffer

class Patches:
    """Bytes of the payload file that are written otherwise than they were read.

    Attributes:
        count: How many patches.
        size: Their bytes in all.
    """

    count: int
    size: int

    def __init__(self, patches: Iterable[tuple[int, bytes]]) -> None:
        """`patches` are (position in the payload file, bytes in place of as many there), in order.

        Raises ValueError where two overlap or they are out of order.
        """

    def to(self, data: Buffer, position: int) -> None:
        """Change what was read from `position` on; `data` is writable."""
