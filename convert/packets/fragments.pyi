"""IP datagrams put together from their fragments (RFC 791, RFC 8200, RFC 5722)."""

class Trains:
    """The fragments of datagrams that are not whole yet: at most 1,024 datagrams and 16 MiB; compiled code feeds it."""

    def losses(self) -> dict[str, tuple[int, int, int, int, int, int]]:
        """What was lost, by cause: count, bytes, and of the first record its offset, time, source frame and frame.

        fragment_incomplete: fragments of datagrams that never became whole, with the bytes of their payload.
        fragment_conflict: fragments whose bytes differ from those that were there before, with the number of bytes.
        """
