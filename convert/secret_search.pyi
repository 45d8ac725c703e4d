from typing_extensions import Buffer

from .secret_index import SecretIndex

def found(index: SecretIndex, data: Buffer, depth: int) -> bool:
    """Whether any pattern occurs in the data, as it is or behind up to `depth` layers of escapes (3 at most)."""

def reach(index: SecretIndex, depth: int) -> int:
    """The most bytes that a pattern takes behind so many layers of escapes."""
