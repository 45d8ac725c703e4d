"""The process records of STEM.annotations.jsonl, and those of secrets in arguments and environments, as dictionaries.

A process is told with its parents as they were when it began. Fields and meanings: docs/formats.md.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .model.sighting import CERTAIN, CLEARTEXT, TOKEN, UNKNOWN
from .model.text import readable, timestamp
from .redact import MASK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .decoded import Decoded
    from .model.process import ProcessSighting, ThreadVersion
    from .redact import Redactor
    from .scap.identity_store import IdentityStore

Record = dict[str, Any]

PROCESS = "process"
"""The protocol of a secret that was in arguments or an environment."""
MOST_PARENTS = 8
LONGEST_PARENT = 1024
"""Characters of a parent's command line."""


class ProcessRecords:
    """The records of one input's processes. Secrets are in the clear but for what `redactor` has to hide at once."""

    def __init__(self, source: int, decoded: Decoded, identities: IdentityStore, redactor: Redactor) -> None:
        self._source, self._decoded, self._identities, self._redactor = source, decoded, identities, redactor
        self._listed: dict[int, int] = {}
        for version in identities:
            if not version.listed:
                break  # whoever was listed comes first
            if version.tid == version.pid:
                self._listed.setdefault(version.tid, version.id)
        self._told = lru_cache(maxsize=1024)(self._tell)

    def __iter__(self) -> Iterator[Record]:
        """All, by id."""
        return map(self.record, self._identities)

    def record(self, version: ThreadVersion) -> Record:
        """One thread version. `from` is the capture's first event where the thread was there before."""
        decoded = self._decoded
        identity = version.id, version.tid, version.pid, version.ppid
        record: Record = {"type": "process", **dict(zip(("id", "tid", "pid", "ppid"), identity, strict=True))}
        escaped = []
        texts = {
            "name": version.name,
            "exe": version.exepath or version.exe,
            "cmdline": self._cmdline(version),
            "user": version.user,
            "login_user": version.login_user,
            "container_name": decoded.container_names.get(version.container or ""),
        }
        for name, raw in texts.items():
            record[name], odd = readable(raw) if raw is not None else (None, False)
            if odd:
                escaped.append(name)
        record |= {
            "uid": version.uid,
            "login_uid": version.login_uid,
            "container": version.container,
            "from": timestamp(version.begin or decoded.first),
            "listed": version.listed,
            "to": timestamp(version.end) if version.end else None,
            "previous": version.previous or None,
            "parents": [self._told(number) for number in self._lineage(version)],
        }
        if escaped:
            record["escaped"] = escaped
        return record

    def _cmdline(self, version: ThreadVersion) -> bytes:
        return version.cmdline if self._redactor.reveal else version.masked_cmdline(MASK.encode())

    def _lineage(self, version: ThreadVersion) -> list[int]:
        """The versions of the parents, the nearest first."""
        found: list[int] = []
        seen = {version.pid}
        while len(found) < MOST_PARENTS:
            number = version.parent
            if not number and version.listed:
                number = self._listed.get(version.ppid, 0)
            if not number:
                break
            version = self._identities.get(number)
            if version.pid in seen:
                break
            seen.add(version.pid)
            found.append(number)
        return found

    def _tell(self, number: int) -> Record:
        version = self._identities.get(number)
        command = self._redactor.text(readable(self._cmdline(version))[0])  # masked before it is cut
        return {"pid": version.pid, "name": readable(version.name)[0], "cmdline": command[:LONGEST_PARENT]}

    def sighting(self, found: ProcessSighting) -> Record:
        """A secret in the arguments or the environment of a program."""
        time = found.time or self._decoded.first
        escaped: list[str] = []
        shown = self._redactor.shown(found.secret)
        if self._redactor.reveal and readable(found.secret)[1]:
            escaped.append("secret")
        record: Record = {
            "type": "sighting",
            "stream": None,
            "exchange": None,
            "protocol": PROCESS,
            "location": found.location,
            "field": found.field,
            "form": TOKEN if found.token else CLEARTEXT,
            "username": found.username,
            "secret": shown,
            "secret_length": len(found.secret),
            "secret_fingerprint": self._redactor.fingerprint(found.secret),
            "secret_complete": True,
            "outcome": UNKNOWN,
            "method": None,
            "host": None,
            "target": None,
            "client": None,
            "server": None,
            "client_process": found.process,
            "server_process": None,
            "client_attribution": "observed" if found.event else "inferred",
            "server_attribution": "none",
            "time": timestamp(time),
            "where": event_where(self._source, found.event, found.evt_num, found.offset, len(found.raw), time),
            "confidence": CERTAIN,
        }
        if escaped:
            record["escaped"] = escaped
        return record


def event_where(source: int, event: int, evt_num: int, offset: int, length: int, time: int) -> Record:
    """A place in a scap file that no frame of the pcapng stands for; `event` 0: the lists before the events."""
    return {
        "source": source,
        "event": event or None,
        "evt_num": evt_num or None,
        "source_frame": None,
        "frame": None,
        "frame_has_bytes": False,
        "offset": offset,
        "stream_offset": None,
        "length": length,
        "time": timestamp(time) if event else None,
    }
