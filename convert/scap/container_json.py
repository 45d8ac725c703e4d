"""What is read of a container event's JSON. Imported where there is one: msgspec takes its time."""

from __future__ import annotations

import msgspec


class Container(msgspec.Struct):
    """The container."""

    id: str
    name: str


class Description(msgspec.Struct):
    """The document."""

    container: Container


decode = msgspec.json.Decoder(Description).decode
