"""Judging: one pass over the annotations, every record offered to the rules that consume its kind."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..annotations import Annotations, Http, Process, Said, Sighting, Spread, Stream, Watched
from ..inputs import Inputs
from ..names import endpoint, machine
from ..survey import Survey
from . import severity
from .accepted import Accepted
from .attempts import Attempts
from .collection import Findings
from .comments import Marks
from .derived import Derived, Sources
from .groups import SOURCE_SHIFT, Groups, Identity
from .pattern import HTTP as HTTP_RECORD
from .rule import HTTP, RECORD, Rule
from .spreads import Spreads
from .table import RULES, Sorted

NO_PATH = "(request not captured)"
CASE_KEY = "case.key"
MASKED = "********"
JUDGED = ("accepted", "refused")


def judge(
    directory: Path,
    manifest: Mapping[str, Any],
    *,
    paths: Mapping[int, Path] | None = None,
    rules: Sequence[Rule] = (),
    accepted: Accepted | None = None,
    case_key: Path | None = None,
) -> Findings:
    """Findings of all inputs of a manifest whose annotations are in the directory.

    Args:
        directory: where `STEM.annotations.jsonl` of each input lies.
        manifest: as written to manifest.json; of it `inputs`, their `source` and `stem`, are looked at.
        paths: where a source's annotations lie, if not there.
        rules: the user's, beside those that come with syswire.
        accepted: risks that the user accepted.
        case_key: the key of the fingerprints, if not in the directory; without one, secrets that everyone knows are
            recognised only where they are not masked.

    Raises:
        AnnotationsDamaged: a line is not the record that it should be.
    """
    judged = _Judge((*RULES, *rules), _key(case_key or directory / CASE_KEY))
    inputs = Inputs(manifest)
    for each in inputs:
        path = (paths or {}).get(each.source, directory / f"{each.entry['stem']}.annotations.jsonl")
        if path.is_file():
            judged.survey.next_source(each.source, packets=each.packets, several=len(inputs) > 1)
            judged.source(Annotations(path, each.source))
    return judged.done(accepted)


def _key(path: Path) -> bytes | None:
    """The case's key; None where there is none, or none that can be read: then nothing is compared."""
    try:
        return bytes.fromhex(path.read_text("ascii")) or None
    except (OSError, ValueError):
        return None


class _Judge:
    """The state of one pass."""

    def __init__(self, rules: Sequence[Rule], key: bytes | None) -> None:
        self.rules = rules
        self.groups = Groups([(rule.id, rule.kind) for rule in rules])
        self.survey = Survey()
        self.marks: dict[int, Marks] = {}
        self.annotations: dict[int, Annotations] = {}
        self._sightings = Sorted(rules)
        self._http = [(at, rule) for at, rule in enumerate(rules) if rule.consumes == HTTP]
        self._patterns = [(at, rule) for at, rule in enumerate(rules) if rule.consumes == RECORD]
        self._attempts, self._spreads = Attempts(), Spreads()
        self._key = key
        self._known: dict[str, str] = {}

    def source(self, annotations: Annotations) -> None:
        self.annotations[annotations.source] = annotations
        marks = self.marks[annotations.source] = Marks()
        source = annotations.source
        for offset, record in annotations.scan(self._watched if self._patterns else None):
            if isinstance(record, Http):
                self._exchange(record, source, offset, marks)
            elif isinstance(record, Sighting):
                self._sighting(record, source, offset, marks)
            elif isinstance(record, Said):
                self.survey.said(record.request, record.response)
            elif isinstance(record, Watched):
                self._pattern(record.value, source, offset, marks)
            elif isinstance(record, Stream):
                self.survey.stream(record)
            elif isinstance(record, Process):
                self.survey.process(record)
            elif isinstance(record, Spread):
                self._spreads.add(record, self.survey.clock.read(record.time), source << SOURCE_SHIFT | offset)
        annotations.close()

    def _exchange(self, record: Http, source: int, offset: int, marks: Marks) -> None:
        time = self.survey.clock.read(record.time)
        self.survey.exchange(record, time)
        response = record.response
        if response is None:
            return
        for at, rule in self._http:
            if not rule.answers(record):
                continue
            host, path = asked_for(record)
            programs = self.survey.programs
            identity = Identity(
                rule=at,
                user=None,
                fingerprint=None,
                client=machine(record.client),
                server=endpoint(record.server),
                status=response.status,
                host=host,
                path=path,
                client_program=programs.table[programs.of(record.client_process)].name,
                server_program=programs.table[programs.of(record.server_process)].name,
            )
            where = response.where
            seen = self.survey.clock.read(where.time) if where is not None and where.time else time
            group = self.groups.find(identity, rule.exposure or severity.exposure(record.client, record.server))
            self.groups.count(group, source, offset, seen, "unknown", complete=True)
            if where is not None and where.frame is not None:
                marks.add(where.frame, group)

    def _sighting(self, record: Sighting, source: int, offset: int, marks: Marks) -> None:
        """The first of our rules that takes it makes the finding; a user's rules come in addition."""
        taken = False
        for at, rule in self._sightings.of(record):
            if (taken and not rule.own) or not rule.takes(record, self._same):
                continue
            taken = taken or not rule.own
            programs = self.survey.programs
            identity = Identity(
                rule=at,
                user=record.username,
                fingerprint=record.secret_fingerprint,
                client=machine(record.client),
                server=endpoint(record.server),
                client_program=programs.table[programs.of(record.client_process)].name if record.stream is None else "",
                form=record.form,
            )
            group = self.groups.find(identity, rule.exposure or severity.exposure(record.client, record.server))
            outcome = record.outcome if record.outcome in severity.OUTCOMES else "unknown"
            time = self.survey.clock.read(record.time)
            self.groups.count(
                group, source, offset, time, outcome, complete=record.secret_complete, confidence=sure(record)
            )
            if not rule.own and rule.kind == "credential" and outcome in JUDGED and record.form != "token":
                self._attempts.add(
                    (identity.client, identity.server),
                    record.username,
                    record.secret_fingerprint,
                    (time, source << SOURCE_SHIFT | offset, group),
                    accepted=outcome == "accepted",
                    hashed=record.form == "hash",
                )
            if record.where is not None and record.where.frame is not None:
                marks.add(record.where.frame, group)

    def _same(self, record: Sighting, secret: str) -> bool:
        """Whether a sighting's secret is one that everyone knows: by its text where that is shown, else by the key."""
        if record.secret is not None and record.secret != MASKED:
            return record.secret == secret
        if self._key is None:
            return False
        if secret not in self._known:
            self._known[secret] = hmac.new(self._key, secret.encode(), "sha256").hexdigest()[:12]
        return record.secret_fingerprint == self._known[secret]

    def _watched(self, kind: str) -> bool:
        """Whether a user's rule may look at records of a type."""
        return any(
            rule.pattern is not None
            and rule.pattern.kind in (None, kind)
            and (rule.pattern.protocol is None or (rule.pattern.protocol == HTTP_RECORD) == (kind == HTTP_RECORD))
            for _, rule in self._patterns
        )

    def _pattern(self, record: dict[str, Any], source: int, offset: int, marks: Marks) -> None:
        for at, rule in self._patterns:
            side = None if rule.pattern is None else rule.pattern.side(record)
            if side is None:
                continue
            client, server = Sources.end(record.get("client")), Sources.end(record.get("server"))
            identity = Identity(rule=at, user=None, fingerprint=None, client=machine(client), server=endpoint(server))
            where = (record.get(side) or {}).get("where") or {}
            group = self.groups.find(identity, rule.exposure or severity.exposure(client, server))
            time = self.survey.clock.read(where.get("time") or record.get("time"))
            self.groups.count(group, source, offset, time, "unknown", complete=True)
            if isinstance(where.get("frame"), int):
                marks.add(where["frame"], group)

    def done(self, accepted: Accepted | None) -> Findings:
        derived = Derived(self.rules, self.groups, Sources(self.annotations), self.marks)
        derived.attempts(self._attempts)
        derived.scans()
        derived.spreads(self._spreads)
        return Findings(self.rules, self.groups, self.survey, self.marks, self.annotations, derived.told, accepted)


def sure(record: Sighting) -> str:
    """How sure a sighting is, by the words that are known."""
    return record.confidence if record.confidence in ("certain", "likely", "possible") else "possible"


def asked_for(record: Http) -> tuple[str | None, str]:
    """Host and path of a request, without query and fragment; the absolute form's host goes before the header's."""
    request = record.request
    if request is None or request.target is None:
        return None, NO_PATH
    host, path = request.host, request.target
    for delimiter in "?#":
        path = path.partition(delimiter)[0]
    scheme, mark, rest = path.partition("://")
    if mark and scheme.isalpha():
        authority, slash, rest = rest.partition("/")
        host, path = authority.rpartition("@")[2] or host, slash + rest
    return host, path or "/"
