from typing_extensions import Buffer

PERCENT: int
JSON: int

def unescape(data: bytes, kind: int) -> tuple[bytes, bytes]:
    """The data with its escapes undone, and for each byte of that, and for its end, where it came from (native u32)."""

def around_escapes(data: Buffer, kind: int, reach: int) -> bytes:
    """What stands within `reach` bytes of an escape, with the escapes undone; stretches are divided by a zero byte.

    Empty where there is no escape. A string of at most `reach` bytes, written with an escape, is found in it whole.
    """
