"""What other protocols than HTTP said: one request and its answer, as named values; neither files nor frames are known.

Text from the wire is held one byte a character (latin-1), so that nothing is lost or refused. No record holds a secret:
those are sightings.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from .span import Span

Value: TypeAlias = "str | int | float | bool | None | list[Value] | dict[str, Value]"


class Message(msgspec.Struct, gc=False):
    """One side's part of a record."""

    span: Span
    """All its bytes in its direction, from the first to the last."""
    fields: dict[str, Value]
    """In the order in which they are written (docs/protocols.md). What is not known is None or not there."""


class Record(msgspec.Struct, gc=False):
    """A request and its answer, or one message that stands alone; either side is None where it was not seen."""

    kind: str
    """The type of the line in the annotations: login, query, dns, tls ..."""
    protocol: str
    """The name of the protocol in protocols/table.py."""
    ordinal: int
    """From 1, in the order in which a parser hands out its records and exchanges."""
    request: Message | None
    response: Message | None
    channel: tuple[str, int] | None = None
    """Address and port that listen for the connection on which this transfer's bytes pass (FTP)."""
