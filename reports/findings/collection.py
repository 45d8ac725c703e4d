"""The findings of a case: ordered, numbered, counted, and readable one by one."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from typing import Any

from ..annotations import Annotations
from ..display import timestamp, visible
from ..names import endpoint_of
from ..survey import Survey
from . import severity
from .comments import FrameComments, Marks
from .groups import Group, Groups
from .table import RULES, Facts, Rule

USER = 80
_PROCESS = ("id", "pid", "tid", "name", "exe", "cmdline", "user", "container")


class Findings:
    """What `judge` found. Positions run from 0 in the order of the ids (severity, then first time, then key)."""

    def __init__(
        self, groups: Groups, survey: Survey, marks: Mapping[int, Marks], annotations: Mapping[int, Annotations]
    ) -> None:
        self.survey = survey
        self.merged_records = groups.merged_records
        self.comments_left_out = sum(mark.left_out for mark in marks.values())
        self._groups = groups
        self._annotations = annotations
        self._levels = bytes(severity.LEVELS.index(self._grade(group)) for group in groups)
        self._order = array(
            "I", sorted(range(len(groups)), key=lambda at: (self._levels[at], groups[at].first, groups[at].key, at))
        )
        self._rank = array("I", bytes(4 * len(groups)))
        for position, at in enumerate(self._order):
            self._rank[at] = position
        self._packed = {source: mark.sorted() for source, mark in marks.items()}

    @staticmethod
    def _grade(group: Group) -> str:
        return RULES[group.identity.rule].grade(Facts(group.exposure, group.outcome, group.count))

    def __len__(self) -> int:
        return len(self._order)

    def group(self, position: int) -> Group:
        """What the finding at a position came to, without reading the annotations."""
        return self._groups[self._order[position]]

    def rule(self, position: int) -> Rule:
        """The rule that made the finding at a position."""
        return RULES[self.group(position).identity.rule]

    def level(self, position: int) -> str:
        """Severity of the finding at a position."""
        return severity.LEVELS[self._levels[self._order[position]]]

    @staticmethod
    def number(position: int) -> str:
        """The id of the finding at a position."""
        return f"SW-{position + 1:04d}"

    def worst(self) -> str | None:
        """The gravest severity of all findings; None where there is none."""
        return self.level(0) if len(self) else None

    def by_level(self) -> dict[str, int]:
        """Number of findings of each severity, the gravest first, zeros too."""
        counts = dict.fromkeys(severity.LEVELS, 0)
        for level in self._levels:
            counts[severity.LEVELS[level]] += 1
        return counts

    def of_kind(self, kind: str) -> Iterator[int]:
        """Positions of the findings of a kind."""
        return (position for position in range(len(self)) if self.rule(position).kind == kind)

    def frame_comments(self, source: int) -> FrameComments:
        """Comments for the frames of a source's capture, without secrets."""
        return FrameComments(self._packed.get(source, array("Q")), self._comment)

    def _comment(self, group: int) -> str:
        position = self._rank[group]
        found = self._groups[group]
        rule = RULES[found.identity.rule]
        text = f"syswire {self.number(position)} {self.level(position)}: {rule.short}"
        if rule.kind == "credential":
            user = found.identity.user
            return f"{text}, user {visible(user, USER)}" if user else f"{text}, no user name"
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
        return f"{rule.title if rule.id == 'http-404' else f'HTTP {found.status} server error'}: {found.path}"

    def records(self, position: int, limit: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
        """(source, annotation record) of a finding's kept instances, the earliest first."""
        instances = self.group(position).instances()
        for source, offset in instances[:limit] if limit else instances:
            yield source, self._annotations[source].at(offset)

    def numbered(self, source: int, kind: str, number: int | None) -> dict[str, Any] | None:
        """A process, stream or http record of a source by its number; None where there is none."""
        return self._annotations[source].numbered(kind, number)

    def process(self, source: int, number: int | None) -> dict[str, Any] | None:
        """The process object of a finding; None where the process is not known."""
        record = self.numbered(source, "process", number)
        return None if record is None else {name: record.get(name) for name in _PROCESS}

    def record(self, position: int) -> dict[str, Any]:
        """The finding as written to findings.jsonl: the fields of docs/formats.md, plain data."""
        group, rule = self.group(position), self.rule(position)
        source, first, wheres = -1, {}, []
        for index, record in self.records(position):
            if source < 0:
                source, first = index, record
            where = record.get("where") if rule.consumes == "sighting" else (record.get("response") or {}).get("where")
            if where is not None:
                wheres.append({**where, "stream": record.get("stream"), "outcome": record.get("outcome")})
        stream = self.numbered(source, "stream", first.get("stream"))
        credential = rule.kind == "credential"
        return {
            "id": self.number(position),
            "key": group.key,
            "rule": rule.id,
            "kind": rule.kind,
            "severity": self.level(position),
            "title": self.title(position),
            "protocol": first.get("protocol", "http"),
            "form": first.get("form", "cleartext") if credential else None,
            "username": first.get("username"),
            "secret": first.get("secret"),
            "secret_complete": group.complete if credential else None,
            "secret_length": first.get("secret_length"),
            "secret_fingerprint": first.get("secret_fingerprint"),
            "outcome": group.outcome if credential else None,
            "client": first.get("client"),
            "server": first.get("server"),
            "client_process": self.process(source, first.get("client_process")),
            "server_process": self.process(source, first.get("server_process")),
            "client_attribution": (stream or {}).get("client_attribution"),
            "server_attribution": (stream or {}).get("server_attribution"),
            "source": source,
            "stream": first.get("stream"),
            "tcp_stream": (stream or {}).get("tcp_stream"),
            "exposure": group.exposure,
            "location": first.get("location"),
            "field": first.get("field"),
            "method": first.get("method") if credential else (first.get("request") or {}).get("method"),
            "host": first.get("host") if credential else group.identity.host,
            "path": group.identity.path,
            "status": group.identity.status,
            "merged": group.merged,
            "first": timestamp(group.first) if group.first else None,
            "last": timestamp(group.last) if group.last else None,
            "instances": wheres,
            "instances_total": group.count,
            "confidence": self.confidence(position),
            "references": list(rule.references),
            "advice": rule.advice,
        }

    def confidence(self, position: int) -> str:
        """`certain` where the whole secret or status was read, `likely` where part of the secret was cut off."""
        return "certain" if self.group(position).complete else "likely"

    def where_text(self, position: int) -> str:
        """`client > server` of the first instance."""
        for _, record in self.records(position, 1):
            return f"{endpoint_of(record.get('client'))} > {endpoint_of(record.get('server'))}"
        return ""

    def close(self) -> None:
        """Give file handles back."""
        for file in self._annotations.values():
            file.close()
