"""The findings of a case: ordered, numbered, counted, and readable one by one."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..annotations import Annotations
from ..display import timestamp, visible
from ..names import endpoint_of
from ..sides import Sides
from ..survey import Survey
from . import severity
from .accepted import Accepted, Entry
from .baseline import NEW, UNCHANGED, Baseline, Old
from .comments import FrameComments, Marks
from .derived import Told
from .doubles import Doubles
from .groups import SOURCE_SHIFT, Group, Groups
from .kinds import SECRETS, WITH_SECRET
from .rule import LIKELY, Facts, Rule

USER = 80
_End = tuple[dict[str, Any] | None, int | None, str | None]
_PROCESS = ("id", "pid", "tid", "name", "exe", "cmdline", "user", "container")
_PERHAPS = ("parents", "login_user", "login_uid", "container_name")


class Findings:
    """What `judge` found. Positions run from 0 in the order of the ids (severity, then first time, then key).

    `told` holds what is known of findings beside their groups; `accepted` are risks that somebody accepted: they stay
    findings with their ids, and count nowhere.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        groups: Groups,
        survey: Survey,
        marks: Mapping[int, Marks],
        annotations: Mapping[int, Annotations],
        told: Told,
        accepted: Accepted | None = None,
        sides: Sides | None = None,
        doubles: Doubles | None = None,
    ) -> None:
        self.rules = rules
        self.sides = sides or Sides()
        self.doubles = doubles or Doubles(self.sides, survey.clock)
        self.survey = survey
        self.told = told
        self.accepted = accepted
        self.baseline: Baseline | None = None
        self.gone: list[Old] = []
        self._changes: list[str] = []
        self.merged_records = groups.merged_records
        self.comments_left_out = sum(mark.left_out for mark in marks.values())
        self._groups = groups
        self._annotations = annotations
        self._levels = bytes(severity.LEVELS.index(self._grade(at, group)) for at, group in enumerate(groups))
        self._order = array(
            "I", sorted(range(len(groups)), key=lambda at: (self._levels[at], groups[at].first, groups[at].key, at))
        )
        self._rank = array("I", bytes(4 * len(groups)))
        for position, at in enumerate(self._order):
            self._rank[at] = position
        self._packed = {source: mark.sorted() for source, mark in marks.items()}
        self._ignored: dict[int, Entry] = {}
        if accepted is not None:
            for at, group in enumerate(groups):
                if (entry := accepted.entry(rules[group.identity.rule].id, group)) is not None:
                    self._ignored[at] = entry

    def compare(self, baseline: Baseline) -> None:
        """Tell of each finding whether an earlier report had it."""
        keys = [self.group(position).key for position in range(len(self))]
        self._changes = baseline.changes(keys)
        self.gone = baseline.gone(keys)
        self.baseline = baseline

    def change(self, position: int) -> str | None:
        """`new` or `unchanged`; None where there is nothing to compare with."""
        return self._changes[position] if self._changes else None

    def compared(self) -> dict[str, int]:
        """How many findings are new, unchanged and gone."""
        new = self._changes.count(NEW)
        return {NEW: new, UNCHANGED: len(self._changes) - new, "gone": len(self.gone)}

    def _grade(self, at: int, group: Group) -> str:
        times = self.told.paths.get(at, group.count)
        place = self.told.places.get(at, "")
        facts = Facts(group.exposure, group.outcome, times, group.confidence, place)
        return self.rules[group.identity.rule].grade(facts)

    def __len__(self) -> int:
        return len(self._order)

    def group(self, position: int) -> Group:
        """What the finding at a position came to, without reading the annotations."""
        return self._groups[self._order[position]]

    def rule(self, position: int) -> Rule:
        """The rule that made the finding at a position."""
        return self.rules[self.group(position).identity.rule]

    def level(self, position: int) -> str:
        """Severity of the finding at a position."""
        return severity.LEVELS[self._levels[self._order[position]]]

    def ignored(self, position: int) -> Entry | None:
        """The accepted risk that names the finding at a position."""
        return self._ignored.get(self._order[position])

    @property
    def ignored_count(self) -> int:
        """How many findings are accepted risks."""
        return len(self._ignored)

    @staticmethod
    def number(position: int) -> str:
        """The id of the finding at a position."""
        return f"SW-{position + 1:04d}"

    def worst(self) -> str | None:
        """The gravest severity of all findings that nobody accepted; None where there is none."""
        return next((self.level(at) for at in range(len(self)) if self.ignored(at) is None), None)

    def by_level(self) -> dict[str, int]:
        """Number of findings of each severity that nobody accepted, the gravest first, zeros too."""
        counts = dict.fromkeys(severity.LEVELS, 0)
        for at, level in enumerate(self._levels):
            counts[severity.LEVELS[level]] += at not in self._ignored
        return counts

    def of_kind(self, kind: str) -> Iterator[int]:
        """Positions of the findings of a kind that nobody accepted."""
        return (at for at in range(len(self)) if self.rule(at).kind == kind and self.ignored(at) is None)

    def form(self, position: int) -> str:
        """The form of a credential's secret; that of a merged finding, whose records may differ, is `cleartext`."""
        return self.group(position).identity.form or "cleartext"

    def frame_comments(self, source: int) -> FrameComments:
        """Comments for the frames of a source's capture, without secrets."""
        return FrameComments(self._packed.get(source, array("Q")), self._comment)

    def _comment(self, group: int) -> str:
        position = self._rank[group]
        found = self._groups[group]
        rule = self.rules[found.identity.rule]
        text = f"syswire {self.number(position)} {self.level(position)}: {rule.short}"
        if self.ignored(position) is not None:
            text += " (accepted risk)"
        if rule.kind in WITH_SECRET:
            user = found.identity.user
            return f"{text}, user {visible(user, USER)}" if user else f"{text}, no user name"
        if rule.statuses is None:
            return text
        path, status = found.identity.path, str(found.identity.status)
        told = text if status in text else f"{text} {status}"
        return f"{told} for {visible(path, USER)}" if path else told

    def title(self, position: int) -> str:
        """One line on what was found. Holds text from the capture: show it only through `display`."""
        found, rule = self.group(position).identity, self.rule(position)
        if self.group(position).merged:
            return f"{rule.title}: many more, counted together"
        if found.path is None:
            return rule.title
        return (
            f"HTTP {found.status} server error: {found.path}"
            if rule.id == "http-5xx"
            else f"{rule.title}: {found.path}"
        )

    def also(self, source: int, offset: int) -> Iterator[tuple[int, dict[str, Any]]]:
        """(source, annotation record) of what other inputs hold of the record at an offset."""
        for place in self.doubles.also.get(source << SOURCE_SHIFT | offset, ()):
            other = place >> SOURCE_SHIFT
            yield other, self._annotations[other].at(place & ((1 << SOURCE_SHIFT) - 1))

    def records(self, position: int, limit: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
        """(source, annotation record) of a finding's kept instances, the earliest first."""
        instances = self.group(position).instances()
        for source, offset in instances[:limit] if limit else instances:
            yield source, self._annotations[source].at(offset)

    def numbered(self, source: int, kind: str, number: int | None) -> dict[str, Any] | None:
        """A process, stream or http record of a source by its number; None where there is none."""
        return self._annotations[source].numbered(kind, number)

    def process(self, source: int, number: int | None) -> dict[str, Any] | None:
        """The process object of a finding; None where the process is not known. Parents and login where they are."""
        record = self.numbered(source, "process", number)
        if record is None:
            return None
        told = {name: record.get(name) for name in _PROCESS}
        return told | {name: record[name] for name in _PERHAPS if record.get(name) is not None}

    def record(self, position: int) -> dict[str, Any]:
        """The finding as written to findings.jsonl: the fields of docs/formats.md, plain data."""
        at, group, rule = self._order[position], self.group(position), self.rule(position)
        source, first, wheres = -1, dict[str, Any](), []
        for (index, offset), (_, record) in zip(group.instances(), self.records(position), strict=True):
            if source < 0:
                source, first = index, record
            where = _where(rule, record)
            if where is not None:
                told = {**where, "stream": record.get("stream"), "outcome": record.get("outcome")}
                if also := [
                    {**place, "stream": other.get("stream")}
                    for _, other in self.also(index, offset)
                    if (place := _where(rule, other)) is not None
                ]:
                    told["also"] = also
                wheres.append(told)
        ends = self._ends(rule, source, first)
        near = ends.get("source", source)
        client, server = self._sides_of(rule, near, ends)
        stream = self.numbered(source, "stream", first.get("stream")) if rule.kind != "spread" else None
        secret, judged = rule.kind in WITH_SECRET, rule.kind in (*SECRETS, "brute_force")
        shown = first if secret else {}
        details = shown.get("details") or {}
        entry = self.ignored(position)
        return {
            "id": self.number(position),
            "key": group.key,
            "rule": rule.id,
            "kind": rule.kind,
            "severity": self.level(position),
            "title": self.title(position),
            "protocol": _protocol(rule, first, ends),
            "form": first.get("form", "cleartext") if rule.kind in SECRETS else None,
            "username": first.get("username") if secret else group.identity.user,
            "secret": shown.get("secret"),
            "secret_complete": group.complete if secret else None,
            "secret_length": shown.get("secret_length"),
            "secret_fingerprint": shown.get("secret_fingerprint"),
            "mechanism": details.get("mechanism"),
            "hashcat": details.get("hashcat"),
            "details": details or None,
            "outcome": group.outcome if judged else None,
            "refused_before": self.told.refused_before.get(at) if judged and secret else None,
            "client": ends.get("client"),
            "server": ends.get("server"),
            "client_process": client[0],
            "server_process": server[0],
            "client_process_source": client[1],
            "server_process_source": server[1],
            "client_attribution": client[2] or (stream or ends).get("client_attribution"),
            "server_attribution": server[2] or (stream or ends).get("server_attribution"),
            "source": source,
            "stream": ends.get("stream"),
            "tcp_stream": (stream or ends).get("tcp_stream"),
            "exposure": group.exposure,
            "location": shown.get("location"),
            "field": shown.get("field"),
            "method": shown.get("method") if secret else (first.get("request") or {}).get("method"),
            "host": shown.get("host") if secret else group.identity.host,
            "path": group.identity.path,
            "status": group.identity.status,
            "merged": group.merged,
            "first": timestamp(group.first) if group.first else None,
            "last": timestamp(group.last) if group.last else None,
            "instances": wheres,
            "instances_total": group.count,
            "attempts": self.told.attempts.get(at),
            "paths": self.told.paths.get(at),
            "scan": self._scan(at),
            "hops": self.told.hops.get(at),
            "confidence": self.confidence(position),
            "ignored": None
            if entry is None
            else {"reason": entry.reason, "by": entry.by, "expires": entry.expires.isoformat()},
            "change": self.change(position),
            "references": list(rule.references),
            "advice": rule.advice,
        }

    def _sides_of(self, rule: Rule, source: int, ends: Mapping[str, Any]) -> list[_End]:
        """For each end: the process, the input that names it, and where that is another one, how sure that is."""
        told: list[_End] = []
        stream = ends.get("id") if rule.kind == "spread" else ends.get("stream")
        others = self.sides.processes(source, stream)
        for field, other in zip(("client_process", "server_process"), others, strict=True):
            process = self.process(source, ends.get(field))
            if process is not None:
                told.append((process, source, None))
            elif other is not None:
                told.append((self.process(other.source, other.process), other.source, other.attribution))
            else:
                told.append((None, None, None))
        return told

    def _scan(self, at: int) -> str | None:
        """The id of the scan that a missing page is part of."""
        scan = self.told.scan.get(at)
        return None if scan is None else self.number(self._rank[scan])

    def _ends(self, rule: Rule, source: int, first: Mapping[str, Any]) -> Mapping[str, Any]:
        """What says who spoke with whom: the record itself; of a hop, the stream in which the secret came."""
        if rule.kind != "spread":
            return first
        origin = first.get("from_sighting") or {}
        came = self._annotations.get(origin.get("source", source))
        stream = None if came is None else came.numbered("stream", origin.get("stream"))
        return {**(stream or {}), "stream": origin.get("stream"), "source": origin.get("source", source)}

    def confidence(self, position: int) -> str:
        """How sure the best of its records is; `likely` where part of the secret was cut off in all of them."""
        group = self.group(position)
        return group.confidence if group.complete or group.confidence != "certain" else LIKELY

    def where_text(self, position: int) -> str:
        """`client > server` of the first instance."""
        for _, record in self.records(position, 1):
            return f"{endpoint_of(record.get('client'))} > {endpoint_of(record.get('server'))}"
        return ""

    def close(self) -> None:
        """Give file handles back."""
        for file in self._annotations.values():
            file.close()


def _where(rule: Rule, record: Mapping[str, Any]) -> Any:
    """Where a record stands: of an answer the response, of a pattern the side on which it was found."""
    if (where := record.get("where")) is not None:
        return where
    side = rule.pattern.side(record) if rule.pattern is not None else "response"
    return (record.get(side or "response") or {}).get("where")


def _protocol(rule: Rule, first: Mapping[str, Any], ends: Mapping[str, Any]) -> str:
    if rule.kind == "spread":
        return str(next(iter(ends.get("protocols") or ()), "unknown"))
    return str(first.get("protocol") or "http")
