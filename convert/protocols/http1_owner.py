"""What the messages of one direction ask and tell the one that pairs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..model.span import Span
    from .http1_bodies import Body
    from .http1_heads import HeadText
    from .http1_kept import Kept
    from .http1_scan import Head


class Owner(Protocol):
    """The one that pairs requests and responses (http1.py)."""

    def weird(self, name: str, span: Span) -> None:
        """Something odd."""

    def begin_request(self) -> None:
        """A request line was seen; its head may be long in coming."""

    def request_head(self, head: Head, text: HeadText, complete: bool) -> tuple[int, int, Kept | None]:
        """A head, whole or cut. For a whole one: kind and length of the body, and where to keep it, if at all."""

    def response_head(self, head: Head, complete: bool) -> tuple[int, int, Kept | None]:
        """As request_head."""

    def request_over(self, body: Body | None, span: Span, known: bool, trailers: Head | None) -> None:
        """The message has passed; `known`: its head was whole and it is known where its body ends."""

    def response_over(self, body: Body | None, span: Span, known: bool, trailers: Head | None) -> None:
        """As request_over."""

    def stray(self, text: HeadText) -> None:
        """Bytes after a request that announced no body, and not the beginning of another."""

    def lost(self, to_server: bool) -> None:
        """A message was lost from its first byte on."""

    def next_is_due(self) -> bool:
        """Whether a request waits for a response of its own."""
