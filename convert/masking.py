"""Phase 2, second pass: the records as they are written, with every secret of the case masked.

Looks for every known secret in every stream (a password may be repeated in another conversation, in a query or in a
page), withholds the hashes of bytes that hold one, and masks the lines. Which secret stands where is decided by
redact.py alone.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from .redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .annotate import Annotated
    from .conversations.rebuilt import Conversation, Rebuilt
    from .parts import Part

WINDOW = 1 << 18
BATCH = 1 << 16  # bytes of records that are looked at together
SIGHTING = b'{"type":"sighting"'
Hits = tuple[list[int], list[int]]
_encode = msgspec.json.Encoder().encode


class _Secrets(msgspec.Struct):
    """All secrets of the case, in the order in which they were seen; `overfull`: there were more than are known."""

    known: list[tuple[bytes, bytes]]
    overfull: bool


def gather(found: Iterable[Annotated], path: str) -> None:
    """Write the secrets of all parts to the spool file `path` (processes read it, each once)."""
    known: dict[tuple[bytes, bytes], None] = {}
    overfull = False
    for part in found:
        known |= part.secrets
        overfull = overfull or part.overfull
    with open(path, "wb") as out:
        out.write(msgspec.msgpack.encode(_Secrets(list(known), overfull)))


@lru_cache(maxsize=1)
def informed(path: str, key: bytes, reveal: bool) -> Redactor:
    """The redactor that knows all secrets of the case."""
    with open(path, "rb") as file:
        secrets = msgspec.msgpack.decode(file.read(), type=_Secrets)
    redactor = Redactor(key, reveal)
    if not reveal:
        for secret, raw in secrets.known:
            redactor.learn(secret, whole=(raw,))
        redactor.overfull = redactor.overfull or secrets.overfull
    return redactor


def mask(part: Part, found: Annotated, secrets: str, base: int) -> None:
    """Write `streams.N.final` and `exchanges.N.final`.

    `secrets` is the file that `gather` wrote; `base` exchanges of this input come before the part's.
    """
    redactor = informed(secrets, part.key, part.reveal)
    rebuilt = part.prepared.open()
    waiting = bytearray()
    try:
        with (
            open(part.path("streams"), "rb", WINDOW) as streams,
            open(part.path("exchanges"), "rb", WINDOW) as lines,
            open(part.path("streams.final"), "wb", WINDOW) as final_streams,
            open(part.path("exchanges.final"), "wb", WINDOW) as final_lines,
        ):
            for number, count in zip(range(part.begin, part.end), found.lines, strict=True):
                hits = _hits(rebuilt, rebuilt.conversation(number), redactor)
                stream = _mask_stream(
                    streams.readline()[:-1], hits, tainted=number in found.tainted, reveal=part.reveal
                )
                final_streams.write(redactor.json_line(stream) + b"\n")
                for _ in range(count):
                    line = lines.readline()
                    waiting += _renumber(line, base) if line.startswith(SIGHTING) else _withhold(line, hits)
                    if len(waiting) >= BATCH:
                        final_lines.write(redactor.json_lines(bytes(waiting)))
                        waiting.clear()
            final_lines.write(redactor.json_lines(bytes(waiting)))
    finally:
        rebuilt.close()


class _Window:
    """Consecutive known bytes of one direction, from stream offset `begin`."""

    def __init__(self) -> None:
        self.begin = 0
        self.data = bytearray()

    @property
    def end(self) -> int:
        return self.begin + len(self.data)

    def restart(self, offset: int) -> None:
        self.begin = offset
        self.data = bytearray()

    def keep(self, count: int) -> None:
        """Forget all but the last bytes, in which a secret may begin that ends in the next window."""
        if len(self.data) > count:
            self.begin += len(self.data) - count
            del self.data[: len(self.data) - count]


def _hits(rebuilt: Rebuilt, conversation: Conversation, redactor: Redactor) -> Hits:
    """Where known secrets stand in the streams: offsets of their first bytes, to the client and to the server."""
    hits: Hits = ([], [])
    if redactor.reveal or not (redactor.reach or redactor.overfull):
        return hits
    windows = (_Window(), _Window())
    for _, direction, offset, length, data, _, _, _ in rebuilt.runs(conversation):
        window = windows[direction]
        if data is None or offset != window.end:
            _search(window, hits[direction], redactor, last=True)
            window.restart(offset + (length if data is None else 0))
        if data is not None:
            window.data += data
            if len(window.data) >= WINDOW:
                _search(window, hits[direction], redactor, last=False)
    for direction in (0, 1):
        _search(windows[direction], hits[direction], redactor, last=True)
    return hits


def _search(window: _Window, hits: list[int], redactor: Redactor, *, last: bool) -> None:
    if window.data and redactor.holds(memoryview(window.data)):
        known = hits[-1] if hits else -1
        found = sorted({window.begin + begin for begin, _ in redactor.spans(bytes(window.data))})
        hits.extend(offset for offset in found if offset > known)
    if not last:
        window.keep(redactor.reach)


def _mask_stream(raw: bytes, hits: Hits, *, tainted: bool, reveal: bool) -> bytes:
    """The stream's record, without the hash of a direction in which a secret stands."""
    to_server, to_client = bool(hits[1]) or (tainted and not reveal), bool(hits[0])
    if not (to_server or to_client):
        return raw
    record = msgspec.json.decode(raw)
    if to_server:
        record["sha256_to_server"] = None
    if to_client:
        record["sha256_to_client"] = None
    record["hash_withheld"] = True
    return _encode(record)


def _withhold(raw: bytes, hits: Hits) -> bytes:
    """An exchange's record, without the hash of a body in whose message a secret stands."""
    if not (hits[0] or hits[1]):
        return raw
    record = msgspec.json.decode(raw)
    changed = False
    for name, offsets in (("request", hits[1]), ("response", hits[0])):
        message = record.get(name)
        if message and message["body_sha256"] is not None and _within(offsets, message["where"]):
            message["body_sha256"], message["hash_withheld"] = None, True
            changed = True
    return _encode(record) + b"\n" if changed else raw


def _within(offsets: list[int], place: dict[str, Any]) -> bool:
    begin = place["stream_offset"]
    at = bisect_left(offsets, begin)
    return at < len(offsets) and offsets[at] < begin + place["length"]


def _renumber(raw: bytes, base: int) -> bytes:
    """A sighting's record with its exchange counted from the beginning of the file, not of the part."""
    if base == 0:
        return raw
    record = msgspec.json.decode(raw)
    record["exchange"] += base
    return _encode(record) + b"\n"
