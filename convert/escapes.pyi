from typing_extensions import Buffer

PERCENT: int
JSON: int

def unescape(data: bytes, kind: int, origins_of_data: bytes | None = None) -> tuple[bytes, bytes]:
    """The data with its escapes undone, and for each byte of that, and for its end, where it came from (native u32).

    With the origins of `data` itself, from an earlier call, they are followed. Raises ValueError if they do not fit.
    """

def around_escapes(data: Buffer, kind: int, reach: int) -> bytes:
    """What stands within `reach` bytes of an escape, with the escapes undone; stretches are divided by a zero byte.

    Empty where there is no escape. A string of at most `reach` bytes, written with an escape, is found in it whole.
    """
