"""Records of exchanges and sightings as plain dictionaries, word by word from docs/formats.md: the oracle."""

from __future__ import annotations

from typing import Any

from support.http1 import Found
from support.pieces_made import Pieces
from syswire.convert.model.exchange import HttpRequest, HttpResponse
from syswire.convert.model.rows import Piece
from syswire.convert.model.span import Span
from syswire.convert.model.text import timestamp

Record = dict[str, Any]


def spelled(raw: bytes) -> tuple[str, bool]:
    """UTF-8, or escaped."""
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return raw.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace"), True


def text(value: str, name: str, escaped: list[str]) -> str:
    """Text of the wire."""
    out, odd = spelled(value.encode("latin-1"))
    if odd:
        escaped.append(name)
    return out


def headers(pairs: list[tuple[str, str]], name: str, escaped: list[str]) -> list[list[str]]:
    """All are escaped where one has to be."""
    raw = [[part.encode("latin-1") for part in pair] for pair in pairs]
    if not any(spelled(part)[1] for pair in raw for part in pair):
        return [[part.decode() for part in pair] for pair in raw]
    escaped.append(name)
    return [[part.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace") for part in pair] for pair in raw]


class Plain:
    """The records of one conversation of a packet capture that was made of pieces by hand, secrets revealed."""

    def __init__(self, pieces: Pieces, number: int) -> None:
        self.rows = [row for row in pieces.rows if row.conv == number]
        self.number = number
        self.ends: Record = {
            "client": {"ip": "0.0.0.0", "port": 40_000 + number},
            "server": {"ip": "0.0.0.0", "port": 80},
        }
        self.nobody: Record = {"client_process": None, "server_process": None}

    def piece(self, span: Span, to_server: int) -> Piece:
        """The one that holds the first byte."""
        for row in self.rows:
            if row.to_server == to_server and 0 <= span.offset - row.stream_offset < row.length:
                return row
        raise AssertionError(span)

    def where(self, span: Span, to_server: int) -> Record:
        row = self.piece(span, to_server)
        return {
            "source": 0,
            "event": None,
            "evt_num": None,
            "source_frame": row.event,
            "frame": row.frame + 1,
            "frame_has_bytes": bool(row.known),
            "offset": row.block,
            "stream_offset": span.offset,
            "length": span.length,
            "time": timestamp(row.recorded),
        }

    def message(self, said: HttpRequest | HttpResponse, name: str, escaped: list[str]) -> Record:
        """What requests and responses have in common, behind their start lines."""
        return {
            "headers": headers(said.headers, f"{name}.headers", escaped),
            "headers_complete": said.headers_complete,
            "body_length": said.body_length,
            "body_complete": said.body_complete,
            "body_sha256": said.body_sha256,
            "where": self.where(said.span, int(name == "request")),
        }

    def rare(self, said: HttpRequest | HttpResponse, name: str, escaped: list[str]) -> Record:
        out: Record = {}
        if said.headers_total > len(said.headers):
            out["headers_total"] = said.headers_total
        if said.trailers:
            out["trailers"] = headers(said.trailers, f"{name}.trailers", escaped)
        out.update(said.more or {})
        return out

    def request(self, asked: HttpRequest, escaped: list[str]) -> Record:
        rare = self.rare(asked, "request", escaped)
        start = {
            "method": text(asked.method, "request.method", escaped),
            "target": text(asked.target, "request.target", escaped),
            "host": None if asked.host is None else text(asked.host, "request.host", escaped),
            "version": asked.version,
        }
        cut = {} if asked.target_complete else {"target_complete": False}
        return start | self.message(asked, "request", escaped) | rare | cut

    def response(self, answered: HttpResponse, escaped: list[str]) -> Record:
        start = {
            "status": answered.status,
            "reason": text(answered.reason, "response.reason", escaped),
            "version": answered.version,
        }
        return start | self.message(answered, "response", escaped) | self.rare(answered, "response", escaped)

    def records(self, found: Found) -> list[Record]:
        """Exchanges, each with its sightings behind it; those that came later stand where they came."""
        out: list[Record] = []
        for exchange in found.exchanges:
            escaped: list[str] = []
            asked, answered = exchange.request, exchange.response
            reply = None if answered is None else self.response(answered, escaped)
            call = None if asked is None else self.request(asked, escaped)
            first = (asked or answered).span  # type: ignore[union-attr]
            record = {
                "type": "http",
                "stream": self.number,
                **self.ends,
                "time": timestamp(self.piece(first, int(asked is not None)).time),
                **self.nobody,
                "request": call,
                "response": reply,
            }
            out.append(record | ({"escaped": escaped} if escaped else {}))
            out += [self.sighting(s) for s in found.sightings if s.exchange == exchange.ordinal]
        return out

    def sighting(self, s: Any) -> Record:
        escaped: list[str] = []
        method, target = text(s.method, "method", escaped), s.target
        host = None if s.host is None else text(s.host, "host", escaped)
        target = text(target, "target", escaped)
        secret, odd = spelled(s.secret)
        if odd:
            escaped.append("secret")
        record = {
            "type": "sighting",
            "stream": self.number,
            "exchange": s.exchange,
            "protocol": "http",
            "location": s.location,
            "field": s.field,
            "form": s.form,
            "username": s.username,
            "secret": secret,
            "secret_length": len(s.secret),
            "secret_fingerprint": None,  # for the caller to fill in
            "secret_complete": s.secret_complete,
            "outcome": s.outcome,
            "method": method,
            "host": host,
            "target": target,
            **self.ends,
            **self.nobody,
            "client_attribution": "none",
            "server_attribution": "none",
            "time": timestamp(self.piece(s.span, 1).time),
            "where": self.where(s.span, 1),
            "confidence": s.confidence,
        }
        if s.details:
            record["details"] = s.details
        if not s.announced:
            record["announced"] = False
        return record | ({"escaped": escaped} if escaped else {})
