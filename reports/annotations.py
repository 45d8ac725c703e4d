"""Reading an annotations file back: once from end to end, and single records again by their number.

Records are never all in memory. A scan notes where every STEPth record of a kind begins; a record is found again from
the nearest note. Invariant: whatever the file's size, an open file holds 8 bytes for STEP records.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from .errors import AnnotationsDamaged

STEP = 8
CACHE = 512
LEAP = 1 << 24
_PREFIX = b'{"type":'


class Endpoint(msgspec.Struct, gc=False):
    """One side of a stream: address and port, or for a unix socket its path."""

    ip: str | None = None
    port: int | None = None
    path: str | None = None
    inode: int | None = None


class Place(msgspec.Struct, gc=False):
    """The part of a `where` that judging needs."""

    frame: int | None = None
    time: str | None = None
    length: int = 0
    stream_offset: int | None = None


class Process(msgspec.Struct, gc=False, tag="process"):
    """A thread version, as far as grouping needs it."""

    id: int
    name: str | None = None
    exe: str | None = None
    user: str | None = None
    container: str | None = None


class Stream(msgspec.Struct, gc=False, tag="stream"):
    """A conversation, as far as the survey needs it."""

    id: int
    protocol: str
    client: Endpoint | None = None
    server: Endpoint | None = None
    client_process: int | None = None
    server_process: int | None = None
    client_attribution: str = "none"
    server_attribution: str = "none"
    bytes_to_server: int = 0
    bytes_to_client: int = 0
    gaps: int = 0
    missing_bytes: int = 0
    opened: str | None = None
    sha256_to_server: str | None = None
    sha256_to_client: str | None = None
    protocols: list[str] = []
    encrypted: bool = False


class RequestLine(msgspec.Struct, gc=False):
    """The first line of a request and the host it names."""

    method: str | None = None
    target: str | None = None
    host: str | None = None
    where: Place | None = None


class StatusLine(msgspec.Struct, gc=False):
    """The first line of a response."""

    status: int | None = None
    reason: str | None = None
    where: Place | None = None


class Http(msgspec.Struct, gc=False, tag="http"):
    """An exchange without its headers."""

    stream: int
    time: str | None = None
    client: Endpoint | None = None
    server: Endpoint | None = None
    client_process: int | None = None
    server_process: int | None = None
    request: RequestLine | None = None
    response: StatusLine | None = None


class Side(msgspec.Struct, gc=False):
    """What one side said, of which only the place matters here."""

    where: Place | None = None


class Said(msgspec.Struct, gc=False):
    """What was said in another protocol than HTTP, as far as the survey needs it."""

    stream: int | None = None
    time: str | None = None
    request: Side | None = None
    response: Side | None = None


class Sighting(msgspec.Struct, gc=False, tag="sighting"):
    """A secret that was seen, already masked unless the run reveals. Without a stream: in a process, not on a wire."""

    stream: int | None
    location: str
    secret_fingerprint: str
    exchange: int | None = None
    protocol: str = "http"
    field: str | None = None
    username: str | None = None
    secret_complete: bool = True
    outcome: str = "unknown"
    form: str = "cleartext"
    confidence: str = "certain"
    time: str | None = None
    client: Endpoint | None = None
    server: Endpoint | None = None
    client_process: int | None = None
    server_process: int | None = None
    where: Place | None = None
    secret: str | None = None
    details: dict[str, Any] | None = None


class Spread(msgspec.Struct, gc=False, tag="spread"):
    """A place at which a secret was seen again, as far as grouping needs it."""

    secret_fingerprint: str
    way: str
    username: str | None = None
    time: str | None = None
    stream: int | None = None
    spelling: str = ""
    where: Place | None = None


class Watched(msgspec.Struct, gc=False):
    """A whole record of what was said, as a rule of the user asks for it."""

    value: dict[str, Any]


Record = Process | Stream | Http | Said | Sighting | Spread | Watched
EXCHANGE = "exchange"
"""Any record of what was said, HTTP's or another protocol's: they are numbered together."""
NUMBERED = ("process", "stream", EXCHANGE)
_OTHERS = ("capture", "process", "stream", "sighting", "spread")


class Annotations:
    """One annotations file, opened when it is read. `source` is its input's index in the manifest."""

    def __init__(self, path: Path, source: int) -> None:
        self.path = path
        self.source = source
        self._opened: BinaryIO | None = None
        self._offsets: dict[str, array[int]] = {kind: array("Q") for kind in NUMBERED}
        self._numbers: dict[str, array[int]] = {kind: array("Q") for kind in NUMBERED}
        self._counts = dict.fromkeys(NUMBERED, 0)
        self._last = dict.fromkeys(NUMBERED, 0)
        self._cache: dict[tuple[str, int], dict[str, Any]] = {}

    @property
    def _file(self) -> BinaryIO:
        if self._opened is None:
            self._opened = self.path.open("rb")
        return self._opened

    def close(self) -> None:
        """Give the file handle back; reading opens it again."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def count(self, kind: str) -> int:
        """How many records of a numbered kind the scan met."""
        return self._counts[kind]

    def scan(self, watched: Callable[[str], bool] | None = None) -> Iterator[tuple[int, Record]]:
        """Every record but the first with the offset of its line, in the file's order.

        `watched` says of a type of what was said whether its records are wanted whole; those come in addition.
        """
        types = (("process", Process), ("stream", Stream), ("http", Http), ("sighting", Sighting), ("spread", Spread))
        decoders = {kind: msgspec.json.Decoder(cls).decode for kind, cls in types}
        said = msgspec.json.Decoder(Said).decode
        whole = msgspec.json.Decoder(dict[str, Any]).decode
        self._file.seek(0)
        offset = 0
        for index, line in enumerate(self._file, 1):
            try:
                kind = self._kind(line)
                decode = decoders.get(kind)
                if decode is not None:
                    record = cast(Record, decode(line))
                    if kind not in ("sighting", "spread"):
                        self._note(_numbered(kind), getattr(record, "id", None), offset, index)
                    yield offset, record
                elif kind not in _OTHERS:
                    self._note(EXCHANGE, None, offset, index)
                    yield offset, said(line)
                if watched is not None and kind not in _OTHERS and watched(kind):
                    yield offset, Watched(whole(line))
            except msgspec.DecodeError as error:
                raise AnnotationsDamaged(self.path, index, str(error)) from error
            offset += len(line)

    def streams(self) -> Iterator[Process | Stream]:
        """The process and stream records alone, which stand in front; the rest is not read."""
        process, stream = msgspec.json.Decoder(Process).decode, msgspec.json.Decoder(Stream).decode
        self._file.seek(0)
        for index, line in enumerate(self._file, 1):
            try:
                kind = self._kind(line)
                if kind == "process":
                    yield process(line)
                elif kind == "stream":
                    yield stream(line)
                elif kind != "capture":
                    return
            except msgspec.DecodeError as error:
                raise AnnotationsDamaged(self.path, index, str(error)) from error

    def _note(self, kind: str, given: int | None, offset: int, line: int) -> None:
        number = self._last[kind] + 1 if given is None else given
        if not self._last[kind] < number <= self._last[kind] + LEAP:
            raise AnnotationsDamaged(self.path, line, f"{kind} {number} follows {kind} {self._last[kind]}")
        if self._counts[kind] % STEP == 0:
            self._offsets[kind].append(offset)
            self._numbers[kind].append(number)
        self._counts[kind] += 1
        self._last[kind] = number

    @staticmethod
    def _kind(line: bytes) -> str:
        if line.startswith(_PREFIX):
            begin = line.find(b'"', len(_PREFIX)) + 1
            return line[begin : line.find(b'"', begin)].decode("latin-1")
        tagged = msgspec.json.decode(line)
        return str(tagged.get("type")) if isinstance(tagged, dict) else ""

    def at(self, offset: int) -> dict[str, Any]:
        """The whole record whose line begins at the offset."""
        self._file.seek(offset)
        record = msgspec.json.decode(self._file.readline())
        if not isinstance(record, dict):
            raise AnnotationsDamaged(self.path, 0, f"no record at offset {offset}; was the file changed?")
        return record

    def numbered(self, kind: str, number: int | None) -> dict[str, Any] | None:
        """The process or stream with that id, or the EXCHANGE with that ordinal; None where the file has none."""
        if number is None or not 1 <= number <= self._last[kind]:
            return None
        found = self._cache.get((kind, number))
        if found is None:
            found = self._search(kind, number)
            if len(self._cache) >= CACHE:
                self._cache.clear()
            self._cache[kind, number] = found
        return found or None

    def _search(self, kind: str, number: int) -> dict[str, Any]:
        note = bisect_right(self._numbers[kind], number) - 1
        if note < 0:
            return {}
        self._file.seek(self._offsets[kind][note])
        ordinal, left = self._numbers[kind][note], STEP
        for line in self._file:
            if left == 0:
                break
            if _numbered(self._kind(line)) == kind:
                record: dict[str, Any] = msgspec.json.decode(line)
                if record.get("id", ordinal) == number:
                    return record
                ordinal, left = ordinal + 1, left - 1
        return {}


def _numbered(kind: str) -> str:
    """Under what name a record is numbered, by its type."""
    return kind if kind in _OTHERS else EXCHANGE
