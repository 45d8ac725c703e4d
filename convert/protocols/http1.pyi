from .api import Sink
from .http1_owner import Owner

MOST_WAITING: int
"""Requests that wait for a response; beyond it, or WAITING_BYTES of heads, the oldest is handed out without one."""
WAITING_BYTES: int

class Http1(Owner):
    """The parser of one conversation; what it promises is in api.py."""

    def __init__(self, sink: Sink) -> None: ...
    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction; `boundary`: a system call's bytes begin with them."""

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """`length` bytes that moved and are not known."""

    def close(self, ended: bool = True) -> None:
        """Hand out everything begun. `ended`: the connection was seen to end, not merely the capture."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the heads and secrets that are held for messages to come."""

    @property
    def searched_bytes(self) -> int:
        """Bytes in which the end of a head was looked for, each as often as it was looked at."""
