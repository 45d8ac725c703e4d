from .pairing import Pairing

class Http1(Pairing):
    """The parser of one conversation; what it promises is in api.py."""

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction; `boundary`: a system call's bytes begin with them."""

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """`length` bytes that moved and are not known."""

    def close(self, ended: bool = True) -> None:
        """Hand out everything begun. `ended`: the connection was seen to end, not merely the capture."""
