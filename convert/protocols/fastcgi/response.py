"""What an application answered over FastCGI: CGI headers, then a body (RFC 3875, section 6)."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from ...model.exchange import HttpResponse
from ...model.span import Span
from .secrets import without_secrets

if TYPE_CHECKING:
    from ...model.record import Value

MOST_HEAD = 64 * 1024
MOST_STDERR = 64 * 1024
_MOST_HEADERS = 500
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_EMPTY_HEAD = re.compile(rb"\r?\n")
_CODE = re.compile(r"\s*([1-9][0-9]{2})(?:\s|\Z)")
_START_LINE = re.compile(r"HTTP/[0-9.]{1,3} +([1-9][0-9]{2})")
_COOKIES = frozenset(("set-cookie", "set-cookie2"))


class Answer:
    """What stdout and stderr of one request hold, as it comes; the body is counted and hashed, not kept."""

    def __init__(self) -> None:
        self.begun = False
        self.body_length = 0
        self._head = bytearray()
        self._seen = 0  # of the head, without its end in it
        self._headers: list[tuple[str, str]] | None = None
        self._start_line = ""
        self._head_complete = False
        self._complete = True
        self._stderr = bytearray()
        self._stderr_length = 0
        self._sha256 = sha256()
        self._known = 0

    def stdout(self, data: bytes) -> None:
        """Bytes of the answer."""
        self.begun = True
        if self._headers is not None:
            self._body(data)
            return
        self._head += data
        end = _EMPTY_HEAD.match(self._head) or _END_OF_HEAD.search(self._head, max(self._seen - 3, 0))
        if end is not None and end.end() <= MOST_HEAD:
            head, body = bytes(self._head[: end.start()]), bytes(self._head[end.end() :])
            self._read_head(head, True)
            self._body(body)
        elif len(self._head) > MOST_HEAD:
            head, body = bytes(self._head[:MOST_HEAD]), bytes(self._head[MOST_HEAD:])
            self._complete = False  # where the body begins is not known
            self._read_head(head, False)
            self._body(body)
        self._seen = len(self._head)

    def stdout_lost(self, length: int) -> None:
        """Bytes of the answer that are not known."""
        self.begun = True
        self._complete = False
        if self._headers is None:
            self._read_head(bytes(self._head), False)
        self.body_length += length

    def stderr(self, data: bytes, lost: int = 0) -> None:
        """What the application complained of."""
        self.begun = True
        self._stderr_length += len(data) + lost
        if not lost and len(self._stderr) < MOST_STDERR:
            self._stderr += data[: MOST_STDERR - len(self._stderr)]

    def _body(self, data: bytes) -> None:
        self.body_length += len(data)
        self._known += len(data)
        self._sha256.update(data)

    def _read_head(self, head: bytes, complete: bool) -> None:
        self._head_complete = complete
        self._headers = []
        self._head.clear()
        for line in head.decode("latin-1").split("\n")[:_MOST_HEADERS]:
            line = line.removesuffix("\r")
            name, colon, value = line.partition(":")
            if line[:1] in {" ", "\t"} and self._headers:
                before = self._headers[-1]
                self._headers[-1] = (before[0], f"{before[1]} {line.strip()}")
            elif colon and name:
                self._headers.append((name.strip(), value.strip(" \t")))
            elif not self._headers and _START_LINE.match(line):
                self._start_line = line

    @property
    def status_code(self) -> int | None:
        """By the Status header or a start line; without them 302 where there is a Location, else 200 (6.2, 6.3.3)."""
        if self._headers is None or not (self._headers or self._start_line):
            return None
        named = {name.lower(): value for name, value in reversed(self._headers)}
        found = _CODE.match(named["status"]) if "status" in named else _START_LINE.match(self._start_line)
        if found is not None:
            return int(found[1])
        if "status" in named or not self._head_complete:
            return None
        return 302 if "location" in named else 200

    def http(self) -> HttpResponse | None:
        """As HTTP would have it, to judge a login by."""
        status = self.status_code
        if status is None:
            return None
        headers = self._headers or []
        return HttpResponse(Span(None, 0, 0), status, "", "", headers, self._head_complete, len(headers), False)

    def fields(self, ended: bool) -> dict[str, Value]:
        """What a record shows; `ended`: all of the answer has passed."""
        if self._headers is None and self._head:
            self._read_head(bytes(self._head), False)
        fields: dict[str, Value] = {}
        if self._headers is not None:
            fields["status_code"] = self.status_code
            shown: list[Value] = []
            for name, value in self._headers:
                shown.append([name, None if name.lower() in _COOKIES else without_secrets(value)[0]])
            fields["headers"] = shown
            if not self._head_complete:
                fields["headers_complete"] = False
            fields["body_length"] = self.body_length
            fields["body_complete"] = self._complete and ended
            fields["body_sha256"] = self._sha256.hexdigest() if self._known or not self.body_length else None
        if self._stderr_length:
            fields["stderr"] = self._stderr.decode("latin-1")
            if self._stderr_length > len(self._stderr):
                fields["stderr_complete"] = False
        return fields
