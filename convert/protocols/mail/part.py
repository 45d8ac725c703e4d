"""One part of a mail message that is no multipart: decoded as it passes, counted, hashed, and written as an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .decoders import decoder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...model.record import Value
    from ..api import ObjectWriter
    from ..http.content_coding import ContentDecoder

MOST_PARTS = 256
"""Of one message, with those of the messages in it."""
MOST_DEPTH = 3
"""Messages within messages."""
LONGEST_NAME = 1024


class Contents(Protocol):
    """Who takes decoded contents: the sink (api.py)."""

    def open_object(self) -> ObjectWriter | None:
        """A writer for one object, None where they are not wanted."""

    def open_content(self, to_server: bool, codings: Sequence[str]) -> ContentDecoder:
        """A hash whose content is searched for secrets before it is shown."""


class Reader(Protocol):
    """A message within a part."""

    def feed(self, data: bytes) -> None:
        """Its bytes, decoded."""

    def lose(self, length: int) -> None:
        """Bytes are missing."""

    def finish(self, complete: bool) -> dict[str, Value]:
        """Its fields."""


class Room:
    """How much more a message may hold."""

    def __init__(self) -> None:
        self._parts = MOST_PARTS
        self.depth = 0

    def part(self) -> bool:
        """Whether another part is looked at."""
        self._parts -= 1
        return self._parts >= 0

    def message(self) -> bool:
        """Whether a message within this one is looked into; if so it is entered."""
        if self.depth >= MOST_DEPTH:
            return False
        self.depth += 1
        return True


class Part:
    """A part whose headers are known; `kind` is its content type in lower case."""

    def __init__(
        self,
        contents: Contents,
        to_server: bool,
        *,
        kind: bytes | None,
        charset: bytes | None,
        encoding: bytes,
        disposition: bytes,
        filename: bytes | None,
    ) -> None:
        self.inner: Reader | None = None
        self._decoder = decoder(encoding)
        self._line_end = b""  # may belong to a delimiter that follows
        self._lost = False
        self._content = contents.open_content(to_server, ())
        attached = filename is not None or disposition == b"attachment" or kind not in (b"text/plain", b"text/html")
        self._object = contents.open_object() if attached and kind is not None else None
        self._fields: dict[str, Value] = {"content_type": None if kind is None else kind.decode("latin-1")}
        if charset:
            self._fields["charset"] = charset.decode("latin-1")
        if encoding:
            self._fields["encoding"] = encoding.decode("latin-1")
        if disposition:
            self._fields["disposition"] = disposition.decode("latin-1")
        if filename is not None:
            self._fields["filename"] = filename[:LONGEST_NAME].decode("latin-1")
            if len(filename) > LONGEST_NAME:
                self._fields["filename_complete"] = False

    def feed(self, data: bytes, bounded: bool) -> None:
        """Encoded bytes. `bounded`: in a multipart, where the last line end belongs to the delimiter behind it."""
        if bounded:
            data = self._line_end + data
            kept = len(data) - (2 if data.endswith(b"\r\n") else 1 if data.endswith((b"\n", b"\r")) else 0)
            self._line_end = data[kept:]
            data = data[:kept]
        if data:
            self._decoded(self._decoder.feed(data))

    def _decoded(self, data: bytes) -> None:
        for _ in self._content.feed(data):
            pass
        if self._object is not None:
            self._object.write(data)
        if self.inner is not None:
            self.inner.feed(data)

    def lose(self, length: int) -> None:
        """Bytes are missing; how many that is when decoded is known for what is not encoded only."""
        line_end, self._line_end = self._line_end, b""
        self._decoded(self._decoder.feed(line_end) + self._decoder.end())
        self._lost = True
        if self._object is not None:
            self._object.gap(0)
        if self.inner is not None:
            self.inner.lose(length)

    def end(self, complete: bool, bounded: bool) -> dict[str, Value]:
        """All has passed; `complete`: its end was seen. Gives what the record says of it."""
        line_end = b"" if complete and bounded else self._line_end
        self._decoded(self._decoder.feed(line_end) + self._decoder.end())
        complete = complete and not self._lost
        for _ in self._content.finish(complete):
            pass
        digest = self._content.sha256()
        self._content.close((digest,))
        self._fields["length"] = self._content.length
        self._fields["part_sha256"] = digest
        self._fields["complete"] = complete
        if self._object is not None and (written := self._object.close(complete)):
            self._fields["object"] = written
        if self.inner is not None:
            self._fields["message"] = self.inner.finish(complete)
        return self._fields
