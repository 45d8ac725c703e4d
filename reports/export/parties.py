"""Who spoke in one instance of a finding: the finding's own fields tell only of its first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..findings import Findings


class Parties(NamedTuple):
    """Endpoints and processes as findings.jsonl has them; None where this instance does not tell."""

    client: Mapping[str, Any] | None = None
    server: Mapping[str, Any] | None = None
    client_process: Mapping[str, Any] | None = None
    server_process: Mapping[str, Any] | None = None
    tcp_stream: int | None = None


def parties(findings: Findings, record: Mapping[str, Any], at: int) -> Parties:
    """Those of the instance `at` of a finding's record.

    A later instance has those of its stream, with a process only where the stream has one alone on that side: which of
    several it was the instance does not say.
    """
    where = record["instances"][at]
    if at == 0 and record["kind"] != "spread":  # of a spread the fields are those of where the secret came from
        return Parties(*(record[name] for name in Parties._fields))
    source = int(where.get("source") or 0)
    stream = findings.numbered(source, "stream", where.get("stream"))
    if stream is None:
        return Parties()
    client, server = (findings.process(source, _alone(stream, side)) for side in ("client", "server"))
    return Parties(stream.get("client"), stream.get("server"), client, server, stream.get("tcp_stream"))


def _alone(stream: Mapping[str, Any], side: str) -> int | None:
    known = set(stream.get(f"{side}_processes") or ())
    return known.pop() if len(known) == 1 else None
