"""gRPC over HTTP/2: the method that is called, its messages counted, and its status.

The framing is that of gRPC's PROTOCOL-HTTP2 document: each message stands behind a byte that says whether it is
compressed, and its length in four bytes. What the messages mean is not looked at: that takes their schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...model.record import Value

_PREFIX = 5
_LONGEST_TEXT = 1 << 16


def is_grpc(headers: Iterable[tuple[str, str]]) -> bool:
    """Whether headers say that the body is gRPC's: application/grpc, with or without a suffix; not gRPC-Web."""
    for name, value in headers:
        if name == "content-type":
            kind = value.partition(";")[0].strip().lower()
            return kind == "application/grpc" or kind.startswith("application/grpc+")
    return False


def method(target: str) -> dict[str, Value]:
    """The service and method that a path names; nothing where it has another form."""
    service, slash, name = target.removeprefix("/").rpartition("/")
    if not slash or not service or not name or not target.startswith("/"):
        return {}
    return {"grpc_service": service, "grpc_method": name}


def status(trailers: Iterable[tuple[str, str]]) -> dict[str, Value]:
    """The status, and its message with percent signs undone, of the fields at the end of a call."""
    found: dict[str, Value] = {}
    for name, value in trailers:
        if name == "grpc-status" and value.isascii() and value.isdigit() and len(value) <= 9:
            found.setdefault("grpc_status", int(value))
        elif name == "grpc-message" and "grpc_message" not in found:
            text = unquote_to_bytes(value.encode("latin-1")).decode("latin-1")
            found["grpc_message"] = text[:_LONGEST_TEXT]
            if len(text) > _LONGEST_TEXT:
                found["grpc_message_complete"] = False
    return found


class Messages:
    """The messages of one direction of a call, counted while their bytes pass."""

    def __init__(self) -> None:
        self.count = 0
        """Messages that have begun."""
        self.compressed = 0
        self.whole = True
        """No message is cut, and none was lost."""
        self._prefix = b""
        self._left = 0

    def feed(self, data: bytes) -> None:
        """The next bytes of the body."""
        at = 0
        while at < len(data) and self.whole:
            if self._left:
                passed = min(self._left, len(data) - at)
                self._left -= passed
                at += passed
                continue
            taken = data[at : at + _PREFIX - len(self._prefix)]
            self._prefix += taken
            at += len(taken)
            if len(self._prefix) == _PREFIX:
                if self._prefix[0] > 1:
                    self.whole = False
                    return
                self.count += 1
                self.compressed += self._prefix[0]
                self._left = int.from_bytes(self._prefix[1:], "big")
                self._prefix = b""

    def gap(self, length: int) -> None:
        """Bytes of the body that are not known."""
        if self._prefix or length > self._left:
            self.whole = False
        self._left -= min(length, self._left)

    def fields(self, complete: bool) -> dict[str, Value]:
        """What was counted; `complete`: the body has passed as a whole."""
        found: dict[str, Value] = {"grpc_messages": self.count, "grpc_compressed": self.compressed}
        if not (complete and self.whole) or self._left or self._prefix:
            found["grpc_messages_complete"] = False
        return found
