"""Judging: one pass over the annotations, every record offered to the rules that consume its kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..annotations import Annotations, Http, Process, Sighting, Stream
from ..inputs import Inputs
from ..names import endpoint, machine
from ..survey import Survey
from . import severity
from .collection import Findings
from .comments import Marks
from .groups import Groups, Identity
from .table import RULES

NO_PATH = "(request not captured)"


def judge(directory: Path, manifest: Mapping[str, Any], *, paths: Mapping[int, Path] | None = None) -> Findings:
    """Findings of all inputs of a manifest whose annotations are in the directory.

    Args:
        directory: where `STEM.annotations.jsonl` of each input lies.
        manifest: as written to manifest.json; of it `inputs`, their `source` and `stem`, are looked at.
        paths: where a source's annotations lie, if not there.

    Raises:
        AnnotationsDamaged: a line is not the record that it should be.
    """
    judged = _Judge()
    inputs = Inputs(manifest)
    for each in inputs:
        path = (paths or {}).get(each.source, directory / f"{each.entry['stem']}.annotations.jsonl")
        if path.is_file():
            judged.survey.next_source(each.source, packets=each.packets, several=len(inputs) > 1)
            judged.source(Annotations(path, each.source))
    return judged.done()


class _Judge:
    """The state of one pass."""

    def __init__(self) -> None:
        self.groups = Groups([(rule.id, rule.kind) for rule in RULES])
        self.survey = Survey()
        self.marks: dict[int, Marks] = {}
        self.annotations: dict[int, Annotations] = {}
        self._sightings = [(at, rule) for at, rule in enumerate(RULES) if rule.consumes == "sighting"]
        self._http = [(at, rule) for at, rule in enumerate(RULES) if rule.consumes == "http"]

    def source(self, annotations: Annotations) -> None:
        self.annotations[annotations.source] = annotations
        marks = self.marks[annotations.source] = Marks()
        for offset, record in annotations.scan():
            if isinstance(record, Http):
                self._exchange(record, annotations.source, offset, marks)
            elif isinstance(record, Stream):
                self.survey.stream(record)
            elif isinstance(record, Process):
                self.survey.process(record)
            else:
                self._sighting(record, annotations.source, offset, marks)
        annotations.close()

    def _exchange(self, record: Http, source: int, offset: int, marks: Marks) -> None:
        time = self.survey.clock.read(record.time)
        self.survey.exchange(record, time)
        response = record.response
        if response is None:
            return
        for at, rule in self._http:
            if not rule.matches(record):
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
            group = self.groups.find(identity, severity.exposure(record.client, record.server))
            self.groups.count(group, source, offset, seen, "unknown", complete=True)
            if where is not None and where.frame is not None:
                marks.add(where.frame, group)

    def _sighting(self, record: Sighting, source: int, offset: int, marks: Marks) -> None:
        for at, rule in self._sightings:
            if not rule.matches(record):
                continue
            identity = Identity(
                rule=at,
                user=record.username,
                fingerprint=record.secret_fingerprint,
                client=machine(record.client),
                server=endpoint(record.server),
            )
            group = self.groups.find(identity, severity.exposure(record.client, record.server))
            outcome = record.outcome if record.outcome in severity.OUTCOMES else "unknown"
            time = self.survey.clock.read(record.time)
            self.groups.count(group, source, offset, time, outcome, complete=record.secret_complete)
            if record.where is not None and record.where.frame is not None:
                marks.add(record.where.frame, group)

    def done(self) -> Findings:
        return Findings(self.groups, self.survey, self.marks, self.annotations)


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
