"""The searches: one for each part of the conversations, one for what else a scap file's programs wrote and were given.

Functions of names of files and plain data, so that they can run in other processes.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec

from ..annotations import Ends, endpoints
from ..errors import InputError
from ..model.process import ARGUMENTS, ENVIRONMENT
from ..model.rows import UNIX_DATAGRAM, UNIX_STREAM
from ..model.text import timestamp
from ..process_records import event_where
from ..scap.identity import Identities
from ..scap.identity_store import IdentityStore
from ..scap.reader import ScapReader
from ..scap.sink import NetSink
from ..source import Source
from .hops import FILE, PIPE, SOCKET, Hop, Hops, Searched
from .known import Followed, client_key, end_key, place_of
from .patterns import Patterns
from .streams import StreamScan
from .writes import WriteScan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..conversations.rebuilt import Rebuilt
    from ..model.rows import Conv, Piece
    from ..parts import Part
    from ..prepare import Prepared
    from ..scap.command_secrets import Found
    from ..scap.state import State

_FIFO = 7
_NOWHERE = (b"/dev/null",)
_IN_FRAME = 2  # PIECE_IN_FRAME
_PLACES = 1 << 40  # of one capture
_FILES = 1 << 39  # of these the places that are open files


class Search:
    """What all tasks of a process look for: read and prepared once."""

    def __init__(self, path: str) -> None:
        with open(path, "rb") as file:
            followed = msgspec.msgpack.decode(file.read(), type=Followed)
        self.origins = followed.origins
        self.patterns = Patterns([one.secret for one in followed.origins])
        self.sighted = {(one.fingerprint, one.source, one.stream): one.client for one in followed.sighted}


@lru_cache(maxsize=1)
def informed(path: str) -> Search:
    """The search for what is in the spool file `path`."""
    return Search(path)


def in_streams(part: Part, path: str) -> Searched:
    """What one part's conversations carried on."""
    search = informed(path)
    rebuilt = part.prepared.open()
    try:
        with open(part.prepared.decoded.identities, "rb") as spool:
            talk = _Talk(part, search, rebuilt, spool)
            scan = StreamScan(rebuilt.reader, search.patterns, (part.source + 1) * _PLACES)
            for number in range(part.begin, part.end):
                talk.conv, talk.number = None, number
                scan.search(number, talk.take)
            return talk.hops.found()
    finally:
        rebuilt.close()


class _Talk:
    """What was found in a part's conversations."""

    def __init__(self, part: Part, search: Search, rebuilt: Rebuilt, spool: IO[bytes]) -> None:
        decoded = part.prepared.decoded
        self.hops = Hops()
        self.number = 0
        self.conv: Conv | None = None
        self._part, self._search, self._rebuilt, self._decoded = part, search, rebuilt, decoded
        self._identities = IdentityStore(spool, decoded.offsets, decoded.ends) if len(decoded.offsets) else None
        self._keys = ("", "")
        self._client = ""

    def _arrive(self) -> Conv:
        if self.conv is None:
            conv, totals = self._rebuilt.conversation(self.number)
            ends = Ends(totals.client_threads, totals.server_threads, conv.client_owner, conv.server_owner)
            client, server = endpoints(conv, self._decoded.paths)
            self._keys = end_key(place_of(client)), end_key(place_of(server))
            self._client = client_key(ends.client_process(), self._identities, (client or {}).get("ip"))
            self.conv = conv
        return self.conv

    def take(self, pattern: int, direction: int, offset: int, length: int, piece: Piece) -> bool:
        """One occurrence; True: it is dealt with for this conversation."""
        number, spelling = self._search.patterns.spelled[pattern]
        origin = self._search.origins[number]
        source, packets = self._part.source, self._decoded.packets
        if (origin.source, origin.stream) == (source, self.number):
            return True
        conv = self._arrive()
        if not packets and not conv.ends & (1 if direction else 2):
            return False  # nobody here sent it: it came in
        time = timestamp(piece.time)
        if time < origin.time:
            return False
        same_client = self._client == origin.client
        told = (origin.fingerprint, source, self.number) in self._search.sighted
        if told and same_client:
            return True
        if self._keys[1] == origin.server and (direction or told or same_client):
            return True
        unix = conv.protocol in (UNIX_STREAM, UNIX_DATAGRAM)
        where = {
            "source": source,
            "event": None if packets else piece.event,
            "evt_num": piece.evt_num or None,
            "source_frame": piece.event if packets else None,
            "frame": self._rebuilt.frame_number(piece.frame) or None,
            "frame_has_bytes": bool(piece.known and piece.flags & _IN_FRAME),
            "offset": piece.block,
            "stream_offset": offset,
            "length": length,
            "time": timestamp(piece.recorded) if piece.recorded else None,
        }
        path = self._decoded.paths[conv.path] if unix and conv.path else None
        target = self._keys[1] if direction else f"{self._keys[1]} to {self._client_end(conv)}"
        thread = 0 if packets else piece.thread
        program = self._program(thread)
        self.hops.add(Hop(number, spelling, SOCKET, target, program, time, self.number, path, thread, where))
        return True

    def _client_end(self, conv: Conv) -> str:
        """The client of a conversation, without what is another each time: its port, or its process."""
        return "" if conv.protocol in (UNIX_STREAM, UNIX_DATAGRAM) else self._keys[0].rpartition(":")[0]

    def _program(self, thread: int) -> str:
        if not thread or self._identities is None:
            return ""
        version = self._identities.get(thread)
        return (version.exepath or version.name).decode("latin-1")


def in_programs(source: int, prepared: Prepared, path: str) -> Searched:
    """What a scap file's programs wrote to files and pipes, and were given as arguments and environment.

    It takes a second reading, so what can be read but once is not searched.
    """
    if prepared.decoded.packets:
        return Searched([])
    if not prepared.regular or prepared.name == "-":
        return Searched([], whole=False)
    search = informed(path)
    try:
        with tempfile.TemporaryFile(dir=prepared.folder) as spool, closing(Source(Path(prepared.name))) as capture:
            reader = _Replay(source, prepared, search, capture, spool)
            for _ in reader.run():
                raise AssertionError("rows without a listing")
            return reader.hops.found()
    except InputError:  # it is gone, or another: that it changed is told when it is hashed again
        return Searched([], whole=False)


class _Replay(ScapReader):
    """The capture once more, with an eye on what goes out."""

    def __init__(self, source: int, prepared: Prepared, search: Search, capture: Source, spool: IO[bytes]) -> None:
        self.hops = Hops()
        self._number, self._decoded, self._search = source, prepared.decoded, search
        super().__init__(capture, NetSink(), spool)

    def make_identities(self, spool: IO[bytes]) -> Identities:
        """Those that look at what programs are given."""
        return _Given(spool, self)

    def make_state(self) -> State:
        """The state machine that looks at what is written."""
        base = (self._number + 1) * _PLACES + _FILES
        return WriteScan(self._sink, self.identities, self._search.patterns, base, self.written)

    def written(
        self,
        pattern: int,
        kind: int,
        path: bytes | None,
        serial: int,
        thread: int,
        length: int,
        at: tuple[int, int, int, int],
    ) -> bool:
        """A secret in what was written to a file or a pipe; True: it is dealt with for this open file."""
        number, spelling = self._search.patterns.spelled[pattern]
        time = timestamp(at[3])
        if time < self._search.origins[number].time:
            return False
        if path in _NOWHERE:
            return True
        way = PIPE if kind == _FIFO else FILE
        target = str(path) if way == FILE else f"pipe {path!r} {serial}"
        where = event_where(self._number, *at[:3], length, at[3])
        self.hops.add(Hop(number, spelling, way, target, self.program(thread), time, None, path, thread, where))
        return False  # each write counts

    def given(self, version: int, place: tuple[int, int, int], ts: int, location: str, texts: Sequence[bytes]) -> None:
        """What a program was given."""
        data = b"\0".join(texts)
        patterns = self._search.patterns
        for _, pattern in patterns.found(data):
            number, spelling = patterns.spelled[pattern]
            origin = self._search.origins[number]
            time = timestamp(ts or self._decoded.first)
            own = origin.source == self._number and origin.stream is None and origin.process == version
            if (place[0] and time < origin.time) or (own and origin.location == location):
                continue
            where = event_where(self._number, *place, patterns.length(pattern), ts)
            program = self.program(version)
            self.hops.add(Hop(number, spelling, location, program, program, time, None, None, version, where))

    def program(self, thread: int) -> str:
        """What tells programs apart."""
        if not thread:
            return ""
        version = self.identities.get(thread)
        return (version.exepath or version.name).decode("latin-1")


class _Given(Identities):
    """Identities, while what programs are given is looked at."""

    def __init__(self, spool: IO[bytes], replay: _Replay) -> None:
        super().__init__(spool)
        self._replay = replay

    def given(
        self,
        version: int,
        place: tuple[int, int, int],
        ts: int,
        found: Sequence[Found],
        args: Sequence[bytes],
        env: Sequence[bytes],
    ) -> None:
        """A program began."""
        self._replay.given(version, place, ts, ARGUMENTS, args)
        self._replay.given(version, place, ts, ENVIRONMENT, env)
