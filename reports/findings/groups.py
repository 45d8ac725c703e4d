"""Grouping: many records, one finding, in bounded memory.

A group keeps a few numbers, short texts, and where in the annotations its first hundred records stand; everything else
is read again when the finding is written. One kind has at most BOUND groups of its own; what comes later is counted in
groups of (rule, server), at most SPILL of them, and at last in one group a rule. So nothing is dropped and no input can
grow the table without end.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Sequence

import msgspec

from .rule import CERTAIN, CONFIDENCES, LIKELY, POSSIBLE
from .severity import OUTCOMES

BOUND = 20_000
SPILL = 1_000
INSTANCES = 100
FEW = 10
KEPT = 400_000
NAME = 200
DETAIL = 300
SOURCE_SHIFT = 48


class Identity(msgspec.Struct, frozen=True, gc=False):
    """What makes records one finding."""

    rule: int
    user: str | None
    fingerprint: str | None
    client: str
    server: str
    status: int | None = None
    host: str | None = None
    path: str | None = None
    client_program: str = ""
    server_program: str = ""
    form: str | None = None

    def digest(self) -> bytes:
        """A key for the table; as good as the identity itself."""
        return hashlib.blake2b(msgspec.msgpack.encode(self), digest_size=16).digest()

    def shortened(self) -> Identity:
        """The same with texts cut to what a reader is shown; digest and key are made before."""
        return msgspec.structs.replace(
            self,
            user=_cut(self.user, NAME),
            host=_cut(self.host, NAME),
            path=_cut(self.path, DETAIL),
            client_program=self.client_program[:NAME],
            server_program=self.server_program[:NAME],
        )

    def key(self, rule: str) -> str:
        """The finding's stable key: rule, user and endpoints (for errors also what was asked for, and the programs)."""
        parts = (
            rule,
            self.user,
            self.client,
            self.server,
            self.status,
            self.host,
            self.path,
            self.client_program,
            self.server_program,
        )
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]


def _cut(text: str | None, limit: int) -> str | None:
    return text if text is None or len(text) <= limit else text[:limit] + "..."


class Group(msgspec.Struct, gc=False):
    """A finding in the making. Times are nanoseconds since 1970; a place is source << 48 | offset of the line."""

    identity: Identity
    key: str
    exposure: str
    merged: bool
    outcome: str = "unknown"
    complete: bool = False
    confidence: str = POSSIBLE
    """The best of its records'; `likely` at most of one whose secret was cut off."""
    count: int = 0
    first: int = 0
    last: int = 0
    places: array[int] = msgspec.field(default_factory=lambda: array("Q"))
    times: array[int] = msgspec.field(default_factory=lambda: array("Q"))

    def instances(self) -> list[tuple[int, int]]:
        """(source, offset) of the records kept, the earliest first."""
        order = sorted(range(len(self.places)), key=lambda at: (self.times[at], self.places[at]))
        return [(self.places[at] >> SOURCE_SHIFT, self.places[at] & ((1 << SOURCE_SHIFT) - 1)) for at in order]


class Groups:
    """All groups in order of their first record. `kinds` gives each rule's kind, by its index."""

    def __init__(self, rules: Sequence[tuple[str, str]], bound: int = BOUND) -> None:
        self._rules = rules
        self._bound = bound
        self._groups: list[Group] = []
        self._index: dict[bytes, int] = {}
        self._sizes: dict[str, int] = {}
        self._spilled = 0
        self._kept = 0
        self.merged_records = 0

    def __len__(self) -> int:
        return len(self._groups)

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups)

    def __getitem__(self, index: int) -> Group:
        return self._groups[index]

    def again(self, index: int, outcome: str, *, complete: bool, confidence: str) -> None:
        """What another capture tells of a record that is counted already."""
        group = self._groups[index]
        group.complete = group.complete or complete
        if confidence == CERTAIN and not complete:
            confidence = LIKELY
        if CONFIDENCES.index(confidence) < CONFIDENCES.index(group.confidence):
            group.confidence = confidence
        if OUTCOMES.index(outcome) < OUTCOMES.index(group.outcome):
            group.outcome = outcome

    def find(self, identity: Identity, exposure: str) -> int:
        """The index of the group that the identity belongs to, made where it is new."""
        digest = identity.digest()
        index = self._index.get(digest)
        if index is not None:
            return index
        rule, kind = self._rules[identity.rule]
        if self._sizes.get(kind, 0) < self._bound:
            self._sizes[kind] = self._sizes.get(kind, 0) + 1
            return self._add(digest, identity, rule, exposure, merged=False)
        self.merged_records += 1
        for server in (identity.server, "several servers"):
            coarse = Identity(identity.rule, None, None, "several clients", server)
            digest = coarse.digest()
            index = self._index.get(digest)
            if index is not None:
                return index
            if self._spilled < SPILL or server == "several servers":
                self._spilled += 1
                break
        return self._add(digest, coarse, rule, exposure, merged=True)

    def _add(self, digest: bytes, identity: Identity, rule: str, exposure: str, *, merged: bool) -> int:
        self._index[digest] = len(self._groups)
        self._groups.append(Group(identity.shortened(), identity.key(rule), exposure, merged))
        return len(self._groups) - 1

    def count(
        self,
        index: int,
        source: int,
        offset: int,
        time: int,
        outcome: str,
        *,
        complete: bool,
        confidence: str = CERTAIN,
    ) -> None:
        """Add a record to a group. The hundred earliest are kept, ten where very many are kept already."""
        group = self._groups[index]
        group.first = time if group.count == 0 else min(group.first, time)
        group.last = max(group.last, time)
        group.count += 1
        self.again(index, outcome, complete=complete, confidence=confidence)
        if len(group.places) < (INSTANCES if self._kept < KEPT else FEW):
            group.places.append(source << SOURCE_SHIFT | offset)
            group.times.append(time)
            self._kept += 1
        elif time < (latest := max(group.times)):
            at = group.times.index(latest)
            group.places[at] = source << SOURCE_SHIFT | offset
            group.times[at] = time
