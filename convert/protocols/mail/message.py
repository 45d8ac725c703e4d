"""Mail messages (RFC 5322) and what is in them (MIME, RFC 2045 to 2047, 2231), read as they pass.

Headers of interest are kept as text, bodies as length and hash; attachments go to the sink's objects as they are
decoded. Nothing grows with the message: header text, parts, their depth and lengths of lines have limits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .headers import decode_words, parameters, unfolded
from .part import Part, Room

if TYPE_CHECKING:
    from ...model.record import Value
    from .part import Contents

_SHOWN = {
    b"subject": "subject",
    b"from": "header_from",
    b"sender": "header_sender",
    b"reply-to": "header_reply_to",
    b"to": "header_to",
    b"cc": "header_cc",
    b"bcc": "header_bcc",
    b"date": "header_date",
    b"message-id": "message_id",
    b"in-reply-to": "in_reply_to",
    b"user-agent": "mailer",
    b"x-mailer": "mailer",
    b"x-originating-ip": "originating_ip",
}
_STRUCTURE = (b"content-type", b"content-transfer-encoding", b"content-disposition")
_LISTS = (b"to", b"cc", b"bcc")
"""Some programs write one for each recipient."""
_WANTED = frozenset((*_SHOWN, *_STRUCTURE))
MOST_HEADER = 65536
"""Bytes of one header block; what exceeds them is passed over."""
LONGEST_LINE = 16384
DEEPEST = 8
"""Multiparts in each other."""
_LONGEST_BOUNDARY = 256  # 70 by RFC 2046
_DELIMITER_ROOM = 1024
_HEADER = re.compile(rb"([!-9;-~]{1,100})[ \t]*:")


class MailReader:
    """One message; its bytes are fed in any cuts, without the dots or counts in which they were packed."""

    def __init__(self, contents: Contents, to_server: bool, room: Room | None = None) -> None:
        self._contents, self._to_server = contents, to_server
        self._room = room or Room()
        self._buffer = bytearray()
        self._size = 0
        self._whole = True
        self._boundaries: list[tuple[bytes, bytes]] = []  # with the kind of multipart, outermost first
        self._in_headers = True
        self._skipping = False  # the rest of a line that is too long
        self._begins = True  # what comes next begins a line
        self._nothing_yet = True
        self._header_bytes = 0
        self._header_lost = False
        self._headers: dict[bytes, bytearray] = {}
        self._folding: bytearray | None = None  # the header that a continuation belongs to, if it is wanted
        self._leaf: Part | None = None
        self._parts: list[dict[str, Value]] = []
        self._parts_total = 0
        self._fields: dict[str, Value] = {}
        self._is_top = True

    # Feeding

    def feed(self, data: bytes) -> None:
        """The next bytes of the message."""
        self._size += len(data)
        self._buffer += data
        self._run(False)

    def lose(self, length: int) -> None:
        """So many bytes of the message are not known. In headers a line that is cut ends them or is none."""
        if not length:
            return
        self._run(True)
        self._whole = False
        self._size += length
        self._begins = False
        if self._in_headers:
            self._header_lost, self._folding = True, None
            self._skipping = True
        if self._leaf is not None:
            self._leaf.lose(length)

    def finish(self, complete: bool) -> dict[str, Value]:
        """Nothing follows; `complete`: the end of the message was seen. Gives what its record says (docs/mail)."""
        self._run(True)
        complete = complete and self._whole
        if self._in_headers:
            self._end_headers(body=False)
        if self._leaf is not None:
            # Within a multipart only a delimiter tells that a part is whole.
            self._end_leaf(complete and not self._boundaries)
        fields = self._fields
        fields["size"] = self._size
        fields["parts"] = list(self._parts)
        if self._parts_total > len(self._parts):
            fields["parts_total"] = self._parts_total
        fields["complete"] = complete
        return fields

    def _run(self, over: bool) -> None:
        while self._buffer:
            if not (self._header_line(over) if self._in_headers else self._body(over)):
                return

    # Headers

    def _header_line(self, over: bool) -> bool:
        """Take one line, if it is all there; False where more is needed."""
        buffer = self._buffer
        end = buffer.find(b"\n", 0, LONGEST_LINE)
        if end < 0 and len(buffer) < LONGEST_LINE and not over and not self._skipping:
            return False
        if self._skipping:
            end = buffer.find(b"\n")
            del buffer[: end + 1 if end >= 0 else len(buffer)]
            self._skipping = end < 0
            return True
        size = end + 1 if end >= 0 else min(len(buffer), LONGEST_LINE)
        line = bytes(buffer[:size])
        if not line.strip(b"\r\n"):
            del buffer[:size]
            self._end_headers(body=True)
            return True
        first, self._nothing_yet = self._nothing_yet, False
        if line[:1] in b" \t":
            self._keep(self._folding, line)
        elif (match := _HEADER.match(line)) is not None:
            self._begin_header(match[1].lower(), line[match.end() :])
        elif not (first and line.startswith((b"From ", b">From "))) and not self._header_lost:
            self._end_headers(body=True)  # a body without the empty line before it
            return True
        del buffer[:size]
        self._skipping = end < 0
        self._header_lost = self._header_lost or end < 0
        return True

    def _begin_header(self, name: bytes, value: bytes) -> None:
        self._folding = None
        if name in _LISTS and name in self._headers:
            self._folding = self._headers[name]
            self._keep(self._folding, b"," + value)
        elif name in _WANTED and name not in self._headers:
            self._folding = self._headers[name] = bytearray()
            self._keep(self._folding, value)

    def _keep(self, header: bytearray | None, value: bytes) -> None:
        if header is None:
            return
        room = MOST_HEADER - self._header_bytes
        header += value[:room]
        self._header_bytes += min(len(value), room)
        self._header_lost = self._header_lost or len(value) > room

    def _text(self, name: bytes) -> bytes:
        return bytes(self._headers.get(name, b""))

    def _end_headers(self, body: bool) -> None:
        self._in_headers = False
        self._begins = True
        kind, more = parameters(unfolded(self._text(b"content-type")))
        if not kind:
            digest = bool(self._boundaries) and self._boundaries[-1][1] == b"multipart/digest"
            kind = b"message/rfc822" if digest else b"text/plain"
        if self._is_top:
            self._describe(kind, body)
        boundary = more.get(b"boundary", b"")
        fits = 0 < len(boundary) <= _LONGEST_BOUNDARY and len(self._boundaries) < DEEPEST
        if kind.startswith(b"multipart/") and fits:
            self._boundaries.append((b"--" + boundary.rstrip(b" \t"), kind))
        elif body:
            self._begin_leaf(kind, more)
        self._is_top = False
        self._headers, self._folding, self._header_bytes, self._header_lost = {}, None, 0, False

    def _describe(self, kind: bytes, body: bool) -> None:
        for name, shown in _SHOWN.items():
            if name in self._headers:
                self._fields.setdefault(shown, decode_words(unfolded(self._text(name))).decode("latin-1"))
        self._fields["headers_complete"] = body and not self._header_lost
        self._fields["content_type"] = kind.decode("latin-1")

    # Bodies

    def _body(self, over: bool) -> bool:
        """Take bytes up to the next line that may be a delimiter; False where more is needed."""
        buffer = self._buffer
        if not self._boundaries:
            self._take(len(buffer))
            return True
        if self._begins and buffer[:1] == b"-":
            if len(buffer) == 1 and not over:
                return False
            if buffer[:2] == b"--":
                end = buffer.find(b"\n", 0, _DELIMITER_ROOM)
                if end < 0 and len(buffer) < _DELIMITER_ROOM and not over:
                    return False
                if end >= 0 or len(buffer) < _DELIMITER_ROOM:
                    size = end + 1 if end >= 0 else len(buffer)
                    if self._delimiter(bytes(buffer[:size]).rstrip(b" \t\r\n")):
                        del buffer[:size]
                        return True
        next_one = buffer.find(b"\n-")
        self._take(next_one + 1 if next_one >= 0 else len(buffer))
        return True

    def _take(self, size: int) -> None:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._begins = data.endswith(b"\n")
        if self._leaf is not None:
            self._leaf.feed(data, bool(self._boundaries))

    def _delimiter(self, line: bytes) -> bool:
        """Whether a line is a delimiter of a multipart that is open; then what it ends or begins is done."""
        for level in range(len(self._boundaries) - 1, -1, -1):
            delimiter = self._boundaries[level][0]
            if line in (delimiter, delimiter + b"--"):
                if self._leaf is not None:
                    self._end_leaf(True)
                closing = line != delimiter
                del self._boundaries[level + (not closing) :]
                self._in_headers = not closing
                self._begins = True
                return True
        return False

    def _begin_leaf(self, kind: bytes, more: dict[bytes, bytes]) -> None:
        self._parts_total += 1
        if not self._room.part():
            return
        disposition, said = parameters(unfolded(self._text(b"content-disposition")))
        self._leaf = Part(
            self._contents,
            self._to_server,
            kind=kind,
            charset=more.get(b"charset"),
            encoding=unfolded(self._text(b"content-transfer-encoding")).lower(),
            disposition=disposition,
            filename=said.get(b"filename", more.get(b"name")),
        )
        if kind in (b"message/rfc822", b"message/global") and self._room.message():
            self._leaf.inner = MailReader(self._contents, self._to_server, self._room)

    def _end_leaf(self, complete: bool) -> None:
        leaf, self._leaf = self._leaf, None
        assert leaf is not None
        if leaf.inner is not None:
            self._room.depth -= 1
        self._parts.append(leaf.end(complete, bool(self._boundaries)))


def raw_part(contents: Contents, to_server: bool) -> Part:
    """Bytes of a message that are asked for without their headers."""
    return Part(contents, to_server, kind=None, charset=None, encoding=b"", disposition=b"", filename=None)
