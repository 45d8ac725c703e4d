"""How much was said to whom, for one record of a conversation: what was said is nobody's business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message
from ..mail.lines import joined

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.span import Span

_MOST_NAMES = 50
_LONGEST_NAME = 256


class Traffic:
    """Messages in one direction."""

    def __init__(self) -> None:
        self._span: Span | None = None
        self._messages = 0
        self._bytes = 0
        self._others: dict[bytes, list[int]] = {}

    def add(self, other: bytes, size: int, span: Span) -> None:
        """A message of `size` bytes to or from somebody."""
        self._span = span if self._span is None else joined(self._span, span)
        self._messages += 1
        self._bytes += size
        other = other[:_LONGEST_NAME]
        if other in self._others or len(self._others) < _MOST_NAMES:
            counts = self._others.setdefault(other, [0, 0])
            counts[0] += 1
            counts[1] += size

    def message(self, other: str) -> Message | None:
        """What a record says of them; None where there were none. `other`: what the others are called."""
        if self._span is None:
            return None
        each: list[Value] = [
            {other: name.decode("latin-1"), "messages": count, "text_length": size}
            for name, (count, size) in self._others.items()
        ]
        fields: dict[str, Value] = {"messages": self._messages, "text_length": self._bytes, f"{other}s": each}
        return Message(self._span, fields)
