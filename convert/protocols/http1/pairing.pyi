from ..api import Sink
from .owner import Owner

MOST_WAITING: int
"""Requests that wait for a response; beyond it, or WAITING_BYTES of heads, the oldest is handed out without one."""
WAITING_BYTES: int

class Pairing(Owner):
    """The owner of two halves: it pairs what they find, and hands it out."""

    def __init__(self, sink: Sink) -> None: ...
    @property
    def waiting_bytes(self) -> int:
        """Bytes of the heads and secrets that are held for messages to come."""

    @property
    def searched_bytes(self) -> int:
        """Bytes in which the end of a head was looked for, each as often as it was looked at."""
