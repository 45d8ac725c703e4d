"""The secrets of a case that are followed, each with where it was seen first."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import msgspec

from ..model.sighting import COMMUNITY, COOKIE, HASH, POSSIBLE
from ..model.text import timestamp
from ..scap.identity_store import IdentityStore
from .words import is_common

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..annotated import Annotated
    from ..decoded import Decoded
    from ..parts import Part

MOST_FOLLOWED = 20_000
_MARK = struct.Struct("<5Q2I")  # record_marks.pxd
_MARK_SIGHTING = 1
_LEFT_OUT = (COOKIE, COMMUNITY)


class Place(msgspec.Struct):
    """An end of a conversation, as records tell it."""

    ip: str | None = None
    port: int | None = None
    path: str | None = None
    inode: int | None = None


class _Line(msgspec.Struct):
    """What is read of a spooled sighting."""

    stream: int
    exchange: int
    location: str
    form: str
    username: str | None
    secret_fingerprint: str
    host: str | None
    client: Place | None
    server: Place | None
    client_process: int | None
    time: str
    confidence: str


class Sighted(msgspec.Struct):
    """That a secret was sighted in a stream, and who the client was (see `client_key`)."""

    fingerprint: str
    source: int
    stream: int
    client: str


class Origin(msgspec.Struct):
    """A secret that is followed, and its first sighting. `stream`, `exchange`: None where a process had it."""

    secret: bytes
    fingerprint: str
    username: str | None
    source: int
    stream: int | None
    exchange: int | None
    time: str
    client: str
    server: str
    process: int = 0
    location: str = ""
    offset: int = 0


class Followed(msgspec.Struct):
    """All that the searches need to know. `sighted` are further streams with sightings of followed secrets."""

    origins: list[Origin]
    sighted: list[Sighted]
    left_out: int = 0
    """Secrets beyond the bound."""


def end_key(place: Place | None) -> str:
    """An end of a conversation: equal for equal ends."""
    if place is None:
        return ""
    return f"{place.ip}:{place.port}" if place.ip is not None else f"unix {place.path or place.inode}"


def client_key(process: int | None, identities: IdentityStore | None, ip: str | None) -> str:
    """Who asks: the process where it is known, else the address."""
    if process and identities is not None:
        return f"pid {identities.get(process).pid}"
    return f"ip {ip}"


def follow(
    captures: list[tuple[int, Decoded, list[tuple[Part, Annotated]]]],
    fingerprint: Callable[[bytes], str],
) -> Followed:
    """What is to be looked for, the earliest first; nothing where no secret is worth it.

    `captures` are the source, what phase 1 made of it, and its parts with what the first pass found.
    """
    secrets: dict[str, bytes] = {}
    for _, decoded, parts in captures:
        for _, found in parts:
            secrets |= {fingerprint(secret): secret for secret, _ in found.secrets if len(secret) >= 8}
        secrets |= {fingerprint(one.secret): one.secret for one in decoded.sightings if len(one.secret) >= 8}
    if not secrets:
        return Followed([], [])
    origins: dict[str, Origin] = {}
    sighted: list[Sighted] = []
    names: set[str] = set()
    for source, decoded, parts in captures:
        for origin in _of_processes(source, decoded, fingerprint):
            _earliest(origins, origin)
        with open(decoded.identities, "rb") as spool:
            identities = IdentityStore(spool, decoded.offsets, decoded.ends) if len(decoded.offsets) else None
            base = 0
            for part, found in parts:
                for line in _lines(part):
                    names.update(name.lower() for name in (line.username, line.host) if name)
                    if line.secret_fingerprint not in secrets or not _followed(line):
                        continue
                    client = client_key(line.client_process, identities, line.client.ip if line.client else None)
                    _earliest(origins, _origin(source, base, line, client, secrets[line.secret_fingerprint]))
                    sighted.append(Sighted(line.secret_fingerprint, source, line.stream, client))
                base += found.counts.exchanges + found.counts.records
    known = frozenset(names)
    worth = sorted(
        (one for one in origins.values() if not is_common(one.secret, known)),
        key=lambda one: (one.time, one.source, one.stream or 0, one.exchange or 0, one.secret),
    )
    kept = worth[:MOST_FOLLOWED]
    fingerprints = {one.fingerprint for one in kept}
    return Followed(kept, [one for one in sighted if one.fingerprint in fingerprints], len(worth) - len(kept))


def _followed(line: _Line) -> bool:
    return line.form != HASH and line.location not in _LEFT_OUT and line.confidence != POSSIBLE


def _origin(source: int, base: int, line: _Line, client: str, secret: bytes) -> Origin:
    server = end_key(line.server)
    place = line.stream, line.exchange + base
    return Origin(secret, line.secret_fingerprint, line.username, source, *place, line.time, client, server)


def _of_processes(source: int, decoded: Decoded, fingerprint: Callable[[bytes], str]) -> Iterator[Origin]:
    for one in decoded.sightings:
        if len(one.secret) >= 8:
            time = timestamp(one.time or decoded.first)
            yield Origin(
                one.secret, fingerprint(one.secret), one.username, source, None, None, time, "", "",
                one.process, one.location, one.offset,
            )  # fmt: skip


def _earliest(origins: dict[str, Origin], one: Origin) -> None:
    known = origins.get(one.fingerprint)
    if known is None or one.time < known.time:
        origins[one.fingerprint] = one


def _lines(part: Part) -> Iterator[_Line]:
    """The sightings that the first pass spooled of a part."""
    decode = msgspec.json.Decoder(_Line).decode
    with open(part.path("marks"), "rb") as marks, open(part.path("exchanges"), "rb") as lines:
        at = 0
        for size, _, _, _, _, flags, _ in _MARK.iter_unpack(marks.read()):
            if flags & _MARK_SIGHTING:
                lines.seek(at)
                yield decode(lines.read(size))
            at += size


def place_of(record: dict[str, Any] | None) -> Place | None:
    """An endpoint's record as `end_key` takes it."""
    return None if record is None else msgspec.convert(record, Place)
