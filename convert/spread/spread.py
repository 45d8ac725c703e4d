"""All searches of a case, and the records that come of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..parts import in_order
from ..scap.identity_store import IdentityStore
from .hops import Hops, spread_record
from .known import follow
from .search import in_programs, in_streams
from .words import is_common, names_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from ..decoded import Decoded
    from ..inputs import Input
    from ..redact import Redactor


def find_spread(items: Iterable[Input], redactor: Redactor, path: Path, executor: Executor) -> dict[str, Any]:
    """Where the secrets of the case went: gives each input its records, in the order of time.

    `path` is a spool file for what is looked for. Nothing is done where there is no secret worth it. Returns what was
    not looked at or not told, as `unfollowed`.
    """
    ready = [(item, item.prepared) for item in items if item.prepared is not None]
    captures = [
        (item.source, prepared.decoded, list(zip(item.parts, item.found, strict=True))) for item, prepared in ready
    ]
    followed = follow(captures, redactor.fingerprint)
    if not followed.origins:
        return unfollowed()
    path.write_bytes(msgspec.msgpack.encode(followed))
    hops = Hops()
    parts = [(part, str(path)) for item, _ in ready for part in item.parts]
    for found in in_order(executor, in_streams, parts):
        hops.merge(found)
    programs = [(item.source, prepared, str(path)) for item, prepared in ready]
    unsearched = []
    for (source, _, _), found in zip(programs, in_order(executor, in_programs, programs), strict=True):
        hops.merge(found)
        unsearched += [] if found.whole else [source]
    kept = hops.kept()
    names = _names([decoded for _, decoded, _ in captures]) if kept else frozenset()
    common = {hop.secret for hop in kept if is_common(followed.origins[hop.secret].secret, names)}
    by_source: dict[int, list[dict[str, Any]]] = {item.source: item.spread for item, _ in ready}
    for hop in kept:
        if hop.secret not in common:
            by_source[hop.where["source"]].append(spread_record(hop, followed.origins[hop.secret]))
    return unfollowed(followed.left_out, hops.left_out, unsearched)


def unfollowed(secrets: int = 0, places: int = 0, unsearched: Sequence[int] = ()) -> dict[str, Any]:
    """For the manifest: secrets and places beyond a bound, and inputs that could not be searched."""
    return {"secrets": secrets, "places": places, "unsearched": list(unsearched)}


def _names(captures: Iterable[Decoded]) -> frozenset[str]:
    """Names of programs, users, hosts, containers and paths, in lower case."""
    found: set[str] = set()
    for decoded in captures:
        if decoded.machine is not None:
            found.update(names_in(decoded.machine.hostname))
        for raw in (*decoded.paths, *decoded.container_names.values()):
            found.update(names_in(raw))
        with open(decoded.identities, "rb") as spool:
            if len(decoded.offsets):
                for version in IdentityStore(spool, decoded.offsets, decoded.ends):
                    for raw in (version.name, version.exe, version.exepath, version.user or b""):
                        found.update(names_in(raw))
    return frozenset(found)
