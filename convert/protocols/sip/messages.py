"""One message of SIP: its first line and its headers (RFC 3261, 7; compact names: 7.3.3)."""

from __future__ import annotations

import re
from typing import NamedTuple

MOST_HEADERS = 256
MOST_TEXT = 1024
"""Characters of a header that a record repeats."""
_REQUEST = re.compile(rb"([!-~]{1,64}) ([!-~]{1,4096}) SIP/2\.0\Z")
_RESPONSE = re.compile(rb"SIP/2\.0 ([1-6][0-9]{2})(?: ([^\r\n]{0,1024}))?\Z")
_LINE = re.compile(rb"[^\n]*\n(?:[ \t][^\n]*\n)*")
"""With the lines that continue it."""
_FOLD = re.compile(rb"\r?\n[ \t]+")
_NAME = re.compile(rb"([!#-'*+\-.0-9A-Z^-z|~]{1,64})[ \t]*:[ \t]*")
_COMPACT = {"i": "call-id", "f": "from", "t": "to", "v": "via", "m": "contact", "l": "content-length",
            "c": "content-type"}  # fmt: skip
_BRANCH = re.compile(r";\s*branch\s*=\s*([^;,\s]{1,256})", re.IGNORECASE)
_SENT_BY = re.compile(r"SIP\s*/\s*2\.0\s*/\s*[A-Za-z]+\s+(\[[0-9A-Fa-f:.]+\]|[^\s;:,]{1,256})", re.IGNORECASE)


class Header(NamedTuple):
    """One header field."""

    name: str
    """In small letters, written out."""
    value: bytes
    """Without folds and outer blanks."""
    raw: bytes
    """As it stands on the wire, blanks behind it aside."""
    at: int
    """Where `raw` begins in the message."""


class Head(NamedTuple):
    """A message without its body."""

    method: str | None
    """None for a response."""
    uri: str
    status: int
    """0 for a request."""
    reason: str
    headers: list[Header]
    complete: bool
    """The empty line behind the headers was there."""

    def first(self, name: str) -> str | None:
        """The first header of that name, one character a byte."""
        for header in self.headers:
            if header.name == name:
                return header.value.decode("latin-1")
        return None

    @property
    def call(self) -> tuple[str, str, str]:
        """What a response repeats of its request: call, sequence number with method, branch."""
        branch = _BRANCH.search(self.first("via") or "")
        numbered = " ".join((self.first("cseq") or "").split())[:128]
        return (self.first("call-id") or "")[:512], numbered, branch[1] if branch else ""

    @property
    def sent_by(self) -> str:
        """The host in the topmost Via: who sent a request."""
        found = _SENT_BY.match(self.first("via") or "")
        return found[1].strip("[]") if found else ""


def read(data: bytes) -> Head | None:
    """A message that begins with its first line; None where that is no line of SIP."""
    end = data.find(b"\n")
    first = (data[:end] if end >= 0 else data).removesuffix(b"\r")
    asked, answered = _REQUEST.match(first), _RESPONSE.match(first)
    if end < 0 or (asked is None and answered is None):
        return None
    headers, complete = _headers(data, end + 1)
    if answered is not None:
        return Head(None, "", int(answered[1]), (answered[2] or b"").decode("latin-1"), headers, complete)
    assert asked is not None
    return Head(asked[1].decode("latin-1"), asked[2].decode("latin-1"), 0, "", headers, complete)


def _headers(data: bytes, at: int) -> tuple[list[Header], bool]:
    """All header fields from there on, and whether their end was found."""
    found: list[Header] = []
    while (line := _LINE.match(data, at)) is not None:
        if line[0].strip(b"\r\n") == b"":
            return found, True
        name = _NAME.match(data, at, line.end())
        if name is not None and len(found) < MOST_HEADERS:
            word = name[1].decode("ascii").lower()
            raw = data[name.end() : line.end()].rstrip()
            value = _FOLD.sub(b" ", raw).strip()
            found.append(Header(_COMPACT.get(word, word), value, raw, name.end()))
        at = line.end()
    return found, False
