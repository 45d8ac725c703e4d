"""Judging: one pass over the annotations, every record offered to the rules that consume its kind."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..annotations import Annotations, Http, Place, Process, Said, Sighting, Spread, Stream, Watched
from ..inputs import Inputs
from ..names import Program, Programs, endpoint, machine
from ..sides import Sides
from ..survey import Clock, Survey
from . import severity
from .accepted import Accepted
from .attempts import Attempts
from .collection import Findings
from .comments import Marks
from .derived import Derived, Sources
from .doubles import Doubles, Message
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
    inputs = Inputs(manifest)
    files = {
        each.source: Annotations(path, each.source)
        for each in inputs
        if (path := (paths or {}).get(each.source, directory / f"{each.entry['stem']}.annotations.jsonl")).is_file()
    }
    judged = _Judge((*RULES, *rules), _key(case_key or directory / CASE_KEY), _sides(files, inputs))
    for each in inputs:
        if each.source in files:
            judged.survey.next_source(each.source, packets=each.packets, several=len(inputs) > 1)
            judged.source(files[each.source])
    return judged.done(accepted)


def _sides(files: Mapping[int, Annotations], inputs: Inputs) -> Sides | None:
    """Which connections stand in several inputs; None where there is but one."""
    if len(files) < 2:
        return None
    sides, programs, clock = Sides(), Programs(), Clock()

    def known(process: int | None) -> Program | None:
        index = programs.of(process)
        return programs.table[index] if index else None

    for source, file in files.items():
        programs.next_source()
        for record in file.streams():
            if isinstance(record, Process):
                programs.learn(record)
            else:
                sides.add(source, record, clock.read(record.opened), known)
        file.close()
    sides.join(inputs.overlap)
    return sides


def _key(path: Path) -> bytes | None:
    """The case's key; None where there is none, or none that can be read: then nothing is compared."""
    try:
        return bytes.fromhex(path.read_text("ascii")) or None
    except (OSError, ValueError):
        return None


class _Judge:
    """The state of one pass."""

    def __init__(self, rules: Sequence[Rule], key: bytes | None, sides: Sides | None) -> None:
        self.rules = rules
        self.groups = Groups([(rule.id, rule.kind) for rule in rules])
        self.survey = Survey()
        self.marks: dict[int, Marks] = {}
        self.annotations: dict[int, Annotations] = {}
        self._sightings = Sorted(rules)
        self._http = [(at, rule) for at, rule in enumerate(rules) if rule.consumes == HTTP]
        self._patterns = [(at, rule) for at, rule in enumerate(rules) if rule.consumes == RECORD]
        self._attempts, self._spreads = Attempts(), Spreads()
        self._alone = sides is None
        self._sides = sides = sides or Sides()
        self._doubles = Doubles(sides, self.survey.clock)
        self._last: tuple[int, int | None] = (-1, None)
        """Place of the record that was looked at last, and of the same one in an earlier input."""
        self._grouped: dict[int, list[int]] = {}
        """Groups of records whose connection other inputs have too, by place."""
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
                self._said(record, source, offset)
            elif isinstance(record, Watched):
                self._pattern(record.value, source, offset, marks)
            elif isinstance(record, Stream):
                self._stream(record, source)
            elif isinstance(record, Process):
                self.survey.process(record)
            elif isinstance(record, Spread):
                self._spread(record, source, offset)
        annotations.close()

    def _stream(self, record: Stream, source: int) -> None:
        home = self._sides.first(source, record.id)
        if home is not None:
            self.survey.joined[home[0], source] = self.survey.joined.get((home[0], source), 0) + 1
            return
        self.survey.stream(record, *self._programs(record, source, record.id))

    def _programs(self, record: Stream | Http | Sighting, source: int, stream: int | None) -> tuple[int, int]:
        """Which programs spoke, as indexes into the survey's table: where this input does not say, another may."""
        programs = self.survey.programs
        client, server = programs.of(record.client_process), programs.of(record.server_process)
        if not self._alone and (not client or not server):
            others = self._sides.processes(source, stream)
            client = client or (programs.index(others[0].program) if others[0] is not None else 0)
            server = server or (programs.index(others[1].program) if others[1] is not None else 0)
        return client, server

    def _first(self, source: int, offset: int, message: Message) -> int | None:
        """The place of the same record in an earlier input. The present one is noted beside it."""
        place = source << SOURCE_SHIFT | offset
        first = self._doubles.first(source, place, message)
        self._last = place, first
        if first is not None and first in self._grouped:
            self._doubles.also.setdefault(first, []).append(place)
        return first

    def _in_group(self, group: int, source: int, offset: int, stream: int | None) -> None:
        if not self._alone and self._sides.shared(source, stream):
            self._grouped.setdefault(source << SOURCE_SHIFT | offset, []).append(group)

    def _mark(self, first: int, where: Place | None, marks: Marks) -> None:
        """The frame in which another capture has what is counted already."""
        if where is not None and where.frame is not None:
            for group in self._grouped.get(first, ()):
                marks.add(where.frame, group)

    def _said(self, record: Said, source: int, offset: int) -> None:
        sides = [None if side is None else side.where for side in (record.request, record.response)]
        if self._alone or self._first(source, offset, Message(record.stream, "said", record.time, *sides)) is None:
            self.survey.said(record.request, record.response)

    def _spread(self, record: Spread, source: int, offset: int) -> None:
        what = (record.secret_fingerprint, record.way, record.spelling)
        if self._first(source, offset, Message(record.stream, what, record.time, record.where, None)) is None:
            self._spreads.add(record, self.survey.clock.read(record.time), source << SOURCE_SHIFT | offset)

    def _exchange(self, record: Http, source: int, offset: int, marks: Marks) -> None:
        asked, response = record.request, record.response
        at = (None if asked is None else asked.where, None if response is None else response.where)
        first = None if self._alone else self._first(source, offset, Message(record.stream, "http", record.time, *at))
        if first is not None:
            self._mark(first, at[1], marks)
            return
        time = self.survey.clock.read(record.time)
        self.survey.exchange(record, time)
        if response is None:
            return
        programs = self._programs(record, source, record.stream)
        for number, rule in self._http:
            if not rule.answers(record):
                continue
            host, path = asked_for(record)
            identity = Identity(
                rule=number,
                user=None,
                fingerprint=None,
                client=machine(record.client),
                server=endpoint(record.server),
                status=response.status,
                host=host,
                path=path,
                client_program=self.survey.programs.table[programs[0]].name,
                server_program=self.survey.programs.table[programs[1]].name,
            )
            where = response.where
            seen = self.survey.clock.read(where.time) if where is not None and where.time else time
            group = self.groups.find(identity, rule.exposure or severity.exposure(record.client, record.server))
            self.groups.count(group, source, offset, seen, "unknown", complete=True)
            self._in_group(group, source, offset, record.stream)
            if where is not None and where.frame is not None:
                marks.add(where.frame, group)

    def _sighting(self, record: Sighting, source: int, offset: int, marks: Marks) -> None:
        """The first of our rules that takes it makes the finding; a user's rules come in addition."""
        outcome = record.outcome if record.outcome in severity.OUTCOMES else "unknown"
        what = (record.secret_fingerprint, record.location, record.field, record.username)
        first = self._first(source, offset, Message(record.stream, what, record.time, record.where, None))
        if first is not None:
            for group in self._grouped.get(first, ()):
                self.groups.again(group, outcome, complete=record.secret_complete, confidence=sure(record))
            self._mark(first, record.where, marks)
            return
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
            self._in_group(group, source, offset, record.stream)
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
        place, first = self._last
        if first is not None and place == source << SOURCE_SHIFT | offset:
            return
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
            self._in_group(group, source, offset, record.get("stream"))
            if isinstance(where.get("frame"), int):
                marks.add(where["frame"], group)

    def done(self, accepted: Accepted | None) -> Findings:
        derived = Derived(self.rules, self.groups, Sources(self.annotations), self.marks)
        derived.attempts(self._attempts)
        derived.scans()
        derived.spreads(self._spreads)
        return Findings(
            self.rules,
            self.groups,
            self.survey,
            self.marks,
            self.annotations,
            derived.told,
            accepted,
            self._sides,
            self._doubles,
        )


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
