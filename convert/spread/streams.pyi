from collections.abc import Callable

from ..conversations.reader import ConversationReader
from ..model.rows import Piece
from .patterns import Patterns

class StreamScan:
    """Looks for secrets in what conversations say, whatever pieces it comes in."""

    def __init__(self, reader: ConversationReader, patterns: Patterns, base: int) -> None:
        """`base` and the number of a conversation make a place (patterns.pyx): another for each capture."""

    def search(self, number: int, taker: Callable[[int, int, int, int, Piece], bool]) -> None:
        """One conversation by its id, in the order of its bytes.

        `taker` is called with the pattern, the direction (1 to the server), the stream offset, the length and the piece
        of each occurrence; when it says True the pattern is not looked for any more in this conversation.
        """
