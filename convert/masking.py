"""Phase 2, second pass: the records as they are written, with every secret of the case masked.

Looks for every known secret in every stream (a password may be repeated in another conversation, in a query or in a
page), withholds the hashes of bytes that hold one, and masks the lines. Which secret stands where is decided by
redact.py alone.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from .contents import Withheld, search_contents
from .masking_pass import Hits, Search
from .objects import search_objects
from .redact import Redactor
from .redaction.coded import coded_stretches
from .redaction.stretches import PLAIN, Stretch, packed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .annotate import Annotated
    from .decoded import Decoded
    from .parts import Part

BUFFER = 1 << 18
UNIX = b'"protocol":"unix"'  # of the streams' records only these have text of the machine's: a path
_encode = msgspec.json.Encoder().encode


class _Secrets(msgspec.Struct):
    """All secrets of the case, in the order in which they were seen; `overfull`: there were more than are known."""

    known: list[tuple[bytes, bytes]]
    overfull: bool


def gather(found: Iterable[Annotated], path: str, captures: Iterable[Decoded] = ()) -> None:
    """Write the secrets of all parts, and of the processes of `captures`, to the spool file `path`.

    Processes read it, each once.
    """
    known: dict[tuple[bytes, bytes], None] = {}
    overfull = False
    for part in found:
        known |= part.secrets
        overfull = overfull or part.overfull
    for decoded in captures:
        known |= dict.fromkeys((one.secret, one.raw) for one in decoded.sightings)
        overfull = overfull or decoded.sightings_left_out > 0
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


def mask(part: Part, found: Annotated, secrets: str, base: int, kept: int = 0) -> None:
    """Write `streams.N.final` and `exchanges.N.final`.

    `secrets` is the file that `gather` wrote; `base` exchanges of this input come before the part's. Of the part's
    objects the first `kept` stay.
    """
    redactor = informed(secrets, part.key, part.reveal)
    withheld = Withheld(keep_blocks=part.redact)
    search_contents(part.path("contents"), redactor, withheld)
    dropped = search_objects(part.path("objects"), kept, redactor, withheld)
    rebuilt = part.prepared.open()
    try:
        with (
            open(part.path("covered") if part.redact else os.devnull, "wb", BUFFER) as stretches,
            open(part.path("streams"), "rb", BUFFER) as streams,
            open(part.path("exchanges"), "rb", BUFFER) as lines,
            open(part.path("marks"), "rb") as marks,
            open(part.path("streams.final"), "wb", BUFFER) as final_streams,
            open(part.path("exchanges.final"), "wb", BUFFER) as final_lines,
        ):
            search = Search(rebuilt.reader, redactor, lines, marks, final_lines, base, withheld.hashes, dropped)
            for number, count in zip(range(part.begin, part.end), found.lines, strict=True):
                totals = rebuilt.reader.conversation(number)
                hits = search.hits(totals.pieces_begin, totals.pieces_end)
                stream = streams.readline()
                if part.redact:
                    stretches.write(_covered(hits, number))
                    for to_server in (True, False):
                        if coded := withheld.blocks.get((number, to_server)):
                            for stretch in coded_stretches(rebuilt, number, to_server, coded):
                                stretches.write(packed(stretch))
                to_server = bool(hits.to_server) or number in withheld.to_server
                to_server = to_server or ((number, True) in found.tainted and not part.reveal)
                to_client = bool(hits.to_client) or number in withheld.to_client
                to_client = to_client or ((number, False) in found.tainted and not part.reveal)
                if to_server or to_client:
                    stream = _mask_stream(stream, to_server, to_client)
                final_streams.write(redactor.json_line(stream) if UNIX in stream else stream)
                search.records(count, hits)
            search.close()
    finally:
        rebuilt.close()


def _covered(hits: Hits, number: int) -> bytes:
    """Rows for the secrets that the search found in both streams."""
    return b"".join(
        packed(Stretch(number, bool(to_server), PLAIN, begin, end))
        for to_server, stretches in enumerate(hits.covered)
        for begin, end in stretches
    )


def _mask_stream(raw: bytes, to_server: bool, to_client: bool) -> bytes:
    """The stream's record, without the hash of a direction in which a secret stands."""
    record = msgspec.json.decode(raw)
    if to_server:
        record["sha256_to_server"] = None
    if to_client:
        record["sha256_to_client"] = None
    record["hash_withheld"] = True
    return _encode(record) + b"\n"
