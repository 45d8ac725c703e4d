from .replaying import Replaying

class StarWalker(Replaying):
    """The compiled walk."""

    def sweep(self, buffer: bytearray, begin: int, end: int, base: int) -> tuple[int, int, int]:
        """Take the events of buffer[begin:end]; (status, position, detail) as RawWalker.take, FULL: it is enough."""
