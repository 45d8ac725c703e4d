"""Objects in the first pass: files that were transferred, written under names of our own.

Each part of a capture writes its objects into a temporary folder and lists them in a spool file, in the order of the
records that name them; object_folder.py gives them their names when all parts are done. What comes out depends on the
capture and the limits alone, never on how many processes work.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import msgspec

from .contents import Window
from .convert_options import MOST_FILES, MOST_SIZE, MOST_TOTAL
from .object_types import HEAD, extension, left_out, type_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .annotated import ObjectCounts
    from .contents import Withheld
    from .conversations.reader import ConversationReader
    from .model.record import Value
    from .redact import Redactor

_HELD = 1 << 16
MOST_NESTED = 8


class Limits(NamedTuple):
    """Of one object in bytes, of all in number and bytes. One that is longer is cut; those behind are left out."""

    size: int = MOST_SIZE
    files: int = MOST_FILES
    total: int = MOST_TOTAL


class ObjectPlan(NamedTuple):
    """Where one run's objects are written: a temporary folder, beside which they get their names."""

    folder: str
    limits: Limits


class StoredObject(msgspec.Struct):
    """One object as the list of the objects' directory has it; `scratch` is its name until then."""

    scratch: str
    file: str
    sha256: str
    size: int
    type: str
    complete: bool
    source: int
    stream: int
    ordinal: int
    to_server: bool
    cut: bool


class ObjectStore:
    """Takes the objects of one part."""

    def __init__(self, plan: ObjectPlan, source: int, part: int, listing: str) -> None:
        """`listing` is the spool file for the list."""
        self._plan, self._source = plan, source
        self._prefix = str(Path(plan.folder) / f"{source}-{part}")
        self._listing = listing
        self._out: BinaryIO | None = None
        self._number = 0
        self._open: dict[int, ObjectFile] = {}  # closed ones too, until their record is handed out
        self.opened = self.held = self.listed = self.listed_bytes = self.left_out = 0

    def open(self) -> ObjectFile:
        """A new object."""
        self._number += 1
        return ObjectFile(self, self._number, f"{self._prefix}-{self._number}", self._plan.limits)

    def room(self, size: int) -> bool:
        """Ask for so many bytes more."""
        if self.held + size > self._plan.limits.total:
            return False
        self.held += size
        return True

    def begin(self) -> bool:
        """Ask for one object more."""
        if self.opened >= self._plan.limits.files:
            return False
        self.opened += 1
        return True

    def closed(self, number: int, made: ObjectFile) -> None:
        """Its record will name it by this number."""
        self._open[number] = made

    def settle(self, fields: dict[str, Value], stream: int, ordinal: int, side: str) -> None:
        """A record is handed out: give the objects that these fields of one side name their names."""
        parts = 0
        for holder in _holders(fields, 0):
            told = holder["object"]
            assert isinstance(told, dict)
            number = told.get("file")
            made = self._open.pop(number, None) if isinstance(number, int) else None
            nested = holder is not fields
            parts += nested
            if made is None:
                continue
            name = f"{self._source}-s{stream}-x{ordinal}-{side}" + (f"-p{parts}" if nested else "")
            holder["object"] = self._list(made, name, stream, ordinal, side == "request")

    def _list(self, made: ObjectFile, name: str, stream: int, ordinal: int, to_server: bool) -> dict[str, Value]:
        if made.left_out:
            self.left_out += 1
            return left_out(made.size)
        kind = type_of(bytes(made.head))
        file = f"{name}.{extension(kind)}"
        row = StoredObject(
            made.scratch, file, made.sha256(), made.stored, kind, made.complete, self._source, stream, ordinal,
            to_server, made.cut,
        )  # fmt: skip
        if self._out is None:
            self._out = open(self._listing, "wb")  # noqa: SIM115 - until finish()
        self._out.write(msgspec.json.encode(row) + b"\n")
        self.listed += 1
        self.listed_bytes += row.size
        return {"file": file, "sha256": row.sha256, "size": row.size, "type": kind, "complete": row.complete}

    def transfer(
        self, reader: ConversationReader, begin: int, end: int, to_server: bool | None, *, complete: bool
    ) -> dict[str, Value]:
        """One direction of a conversation, whose pieces are the rows `begin` to `end`, as an object.

        `to_server` None: the direction that has more bytes. Returns what `close` of an object does.
        """
        if to_server is None:
            sizes = [0, 0]
            for run in reader.runs(begin, end):
                sizes[run[1] != 0] += run[3]
            to_server = sizes[1] > sizes[0]
        made = self.open()
        for run in reader.runs(begin, end):
            if bool(run[1]) is to_server:
                if run[4] is None:
                    made.gap(run[3])
                else:
                    made.write(run[4])
        return made.close(complete)

    def finish(self, counts: ObjectCounts) -> None:
        """The part is done: say how much there is. Objects that no record named go with the temporary folder."""
        if self._out is not None:
            self._out.close()
        for made in self._open.values():
            made.discard()
        self._open.clear()
        counts.listed, counts.bytes, counts.left_out = self.listed, self.listed_bytes, self.left_out


class ObjectFile:
    """One object on its way to a file; see ObjectWriter in protocols/api.py. Small ones are written at once."""

    def __init__(self, store: ObjectStore, number: int, scratch: str, limits: Limits) -> None:
        self._store, self._number, self._limits = store, number, limits
        self._held = bytearray()
        self._out: BinaryIO | None = None
        self._hash = sha256()
        self.scratch = scratch
        self.head = b""
        self.size = 0
        """Bytes that were known of it."""
        self.stored = 0
        self.complete = False
        self.cut = False
        """It is longer than the limit, and its end left out."""
        self.left_out = False
        """There was no room for it."""
        self._lost = False

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Its next bytes."""
        if not self.size and len(data):
            self.left_out = not self._store.begin()
        self.size += len(data)
        if self.left_out:
            return
        room = self._limits.size - self.stored
        if len(data) > room:
            self.cut = True
            data = data[:room]
        if not len(data):
            return
        if not self._store.room(len(data)):
            self.left_out = True
            self._remove()
            return
        self.stored += len(data)
        self._hash.update(data)
        if len(self.head) < HEAD:
            self.head += bytes(data[: HEAD - len(self.head)])
        self._held += data
        if len(self._held) >= _HELD:
            self._flush()

    def gap(self, length: int, /) -> None:
        """Bytes of it are lost."""
        self._lost = True

    def close(self, complete: bool, /) -> dict[str, Value]:
        """All has passed; the number in `file` stands for it until its record is handed out."""
        if not self.size:
            self.discard()
            return {}
        if not self.left_out:
            self._flush()
        if self._out is not None:
            self._out.close()
            self._out = None
        self.complete = complete and not self._lost and not self.cut
        self._store.closed(self._number, self)
        return {"file": self._number}

    def discard(self) -> None:
        """It is none after all."""
        if self.size and not self.left_out:
            self._store.opened -= 1
        self._remove()

    def _remove(self) -> None:
        self._store.held -= self.stored
        self.stored = 0
        self._held.clear()
        if self._out is not None:
            self._out.close()
            self._out = None
            Path(self.scratch).unlink()

    def _flush(self) -> None:
        if self._out is None:
            handle = os.open(self.scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._out = os.fdopen(handle, "wb", 0)
        self._out.write(self._held)
        self._held.clear()

    def sha256(self) -> str:
        """Of what is stored."""
        return self._hash.hexdigest()


def rows(listing: str) -> Iterator[StoredObject]:
    """The objects that a part listed in this spool file, in order; none where there is no such file."""
    if Path(listing).exists():
        with open(listing, "rb") as lines:
            for line in lines:
                yield msgspec.json.decode(line, type=StoredObject)


def search_objects(listing: str, kept: int, redactor: Redactor, withheld: Withheld) -> set[str]:
    """The second pass: look for secrets in a part's objects. Returns the names of those behind the first `kept`."""
    dropped = set()
    blind = redactor.reveal or not (redactor.reach or redactor.overfull)
    for number, row in enumerate(rows(listing)):
        if number >= kept:
            dropped.add(row.file)
        elif not blind and _holds_secret(row.scratch, redactor):
            withheld.add(row.stream, row.to_server, (row.sha256,))
    return dropped


def _holds_secret(path: str, redactor: Redactor) -> bool:
    window = Window(redactor)
    with open(path, "rb") as file:
        while not window.found and (data := file.read(1 << 18)):
            window.feed(data)
    return window.search()


def _holders(value: Any, depth: int) -> Iterator[dict[str, Value]]:
    """Every dictionary that has an `object`, in order."""
    if depth > MOST_NESTED:
        return
    if isinstance(value, dict):
        if isinstance(value.get("object"), dict):
            yield value
        for name, item in value.items():
            if name != "object":
                yield from _holders(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _holders(item, depth + 1)
