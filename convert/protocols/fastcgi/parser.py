"""FastCGI 1.0, as nginx and Apache speak it to PHP-FPM: each request with its parameters, and the application's answer.

Requests are told apart by their number, several may be open at once on one connection.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.span import Span
from ..http.memory import Memory
from ..http.outcome import outcome
from ..http1.kept import Kept
from .records import (
    ABORT_REQUEST,
    BEGIN_REQUEST,
    DATA,
    END_REQUEST,
    HEAD,
    PARAMS,
    STDERR,
    STDIN,
    STDOUT,
    Piece,
    Records,
    pairs,
)
from .response import Answer
from .secrets import PARAM, Params, is_form, may_hold_secret, read_form, read_params

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.sighting import Sighting
    from ..api import Sink

_MOST_OPEN = 64
_MOST_PARAMS = 64 * 1024
_MOST_PAIRS = 1000
_MOST_FORM = 256 * 1024
_ROLES = {1: "responder", 2: "authorizer", 3: "filter"}
_ENDINGS = {0: "request-complete", 1: "cannot-multiplex", 2: "overloaded", 3: "unknown-role"}
_KEEP_CONNECTION = 1
_SHOWN = (
    ("method", "REQUEST_METHOD"),
    ("uri", "REQUEST_URI"),
    ("script", "SCRIPT_FILENAME"),
    ("host", "HTTP_HOST"),
    ("client_address", "REMOTE_ADDR"),
    ("client_port", "REMOTE_PORT"),
    ("content_type", "CONTENT_TYPE"),
)


class _Request:
    """One request while it is open."""

    def __init__(self) -> None:
        self.begin = bytearray()
        self.end = bytearray()
        self.params = Kept()
        self.params_room = _MOST_PARAMS
        self.params_ended = False
        self.params_cut = False
        self.form = Kept()
        self.form_room = _MOST_FORM
        self.stdin_length = 0
        self.stdin_known = 0
        self.stdin_ended = False
        self.stdin_sha256 = sha256()
        self.aborted = False
        self.asked: Span | None = None
        self.answered: Span | None = None
        self.answer = Answer()
        self.ended = False

    def add_params(self, piece: Piece) -> None:
        """Part of the parameters' stream."""
        if piece.lost or len(piece.data) > self.params_room:
            self.params_cut = True
        if not self.params_cut:
            self.params.add(piece.data, piece.offset, piece.place)
            self.params_room -= len(piece.data)

    def add_stdin(self, piece: Piece) -> None:
        """Part of the body."""
        self.stdin_length += len(piece.data) + piece.lost
        self.stdin_known += len(piece.data)
        if piece.lost:
            self.form.cut()
        self.stdin_sha256.update(piece.data)
        data = piece.data[: self.form_room]
        self.form.add(data, piece.offset, piece.place)
        self.form_room -= len(data)
        if len(data) < len(piece.data):
            self.form.cut()


class FastCgi:
    """The parser of one conversation."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._client = Records(to_server=True)
        self._server = Records(to_server=False)
        self._open: dict[int, _Request] = {}
        self._handed = 0
        self._memory = Memory()
        self._closed = False

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """See api.Parser."""
        records = self._client if to_server else self._server
        records.feed(data, offset, place)
        while True:
            piece = records.next()
            if records.bad is not None:
                self._sink.weird("fastcgi-bad-record", records.bad)
                records.bad = None
            if piece is None:
                return
            if piece.id:
                self._take(to_server, piece)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """See api.Parser."""
        records = self._client if to_server else self._server
        records.gap(length, offset)
        if records.lost:
            for request in self._open.values():
                self._lose(request, to_server)
        else:
            while (piece := records.next()) is not None:
                self._take(to_server, piece)

    def close(self, ended: bool = True) -> None:
        """See api.Parser."""
        for request in list(self._open):
            self._hand_out(request)

    def _lose(self, request: _Request, to_server: bool) -> None:
        """An unknown part of all streams of one direction is lost."""
        if to_server:
            request.params_cut = request.params_cut or not request.params_ended
            request.form.cut()
            request.stdin_ended = False
        else:
            request.answer.stdout_lost(0)

    def _take(self, to_server: bool, piece: Piece) -> None:
        if piece.type == BEGIN_REQUEST and piece.begins and piece.id in self._open:
            self._sink.weird("fastcgi-id-in-use", Span(piece.span.place, piece.span.offset, HEAD))
            self._hand_out(piece.id)
        request = self._open.get(piece.id)
        if request is None:
            if len(self._open) >= _MOST_OPEN:
                self._hand_out(next(iter(self._open)))
            request = self._open[piece.id] = _Request()
        if to_server:
            request.asked = _joined(request.asked, piece.span)
            self._ask(request, piece)
        else:
            request.answered = _joined(request.answered, piece.span)
            self._answer(request, piece)

    def _ask(self, request: _Request, piece: Piece) -> None:
        if piece.type == BEGIN_REQUEST:
            request.begin += piece.data[: 8 - len(request.begin)]
        elif piece.type == PARAMS:
            if piece.begins and piece.ends:
                request.params_ended = True
            else:
                request.add_params(piece)
        elif piece.type in {STDIN, DATA}:
            if piece.begins and piece.ends:
                request.stdin_ended = request.stdin_ended or piece.type == STDIN
            elif piece.type == STDIN:
                request.add_stdin(piece)
        elif piece.type == ABORT_REQUEST:
            request.aborted = True

    def _answer(self, request: _Request, piece: Piece) -> None:
        if piece.type == STDOUT:
            if piece.lost:
                request.answer.stdout_lost(piece.lost)
            elif piece.data:
                request.answer.stdout(piece.data)
        elif piece.type == STDERR:
            if piece.data or piece.lost:
                request.answer.stderr(piece.data, piece.lost)
        elif piece.type == END_REQUEST:
            request.end += piece.data[: 8 - len(request.end)]
            if piece.ends:
                request.ended = True
                self._hand_out(piece.id)

    def _hand_out(self, number: int) -> None:
        request = self._open.pop(number)
        asked, sightings = self._request(number, request)
        answered = None
        if request.answered is not None:
            fields = request.answer.fields(request.ended)
            if len(request.end) == 8:
                fields["app_status"] = int.from_bytes(request.end[:4], "big")
                fields["protocol_status"] = _ENDINGS.get(request.end[4], str(request.end[4]))
            answered = Message(request.answered, fields)
        self._handed += 1
        self._sink.record(Record("fastcgi", "fastcgi", self._handed, asked, answered))
        response = request.answer.http()
        for sighting in sightings:
            if response is not None and not (sighting.location == PARAM and sighting.username is None):
                sighting.outcome = outcome(sighting, response)
            sighting.exchange = self._handed
            self._sink.sighting(sighting)

    def _request(self, number: int, request: _Request) -> tuple[Message | None, list[Sighting]]:
        if request.asked is None:
            return None, []
        fields: dict[str, Value] = {"request_id": number}
        if len(request.begin) == 8:
            role = int.from_bytes(request.begin[:2], "big")
            fields["role"] = _ROLES.get(role, str(role))
            fields["keep_connection"] = bool(request.begin[2] & _KEEP_CONNECTION)
        params = _params(request, len(request.begin) == 8, self._memory)
        for name, param in _SHOWN:
            if param in params.by_name:
                fields[name] = params.by_name[param]
        fields["params"] = params.shown
        if request.params_cut or not request.params_ended or len(request.begin) < 8:
            fields["params_complete"] = False
        sightings = list(params.sightings)
        content_type = params.by_name.get("CONTENT_TYPE")
        if request.stdin_length and is_form(content_type):
            sightings += read_form(request.form, params.by_name, request.stdin_ended)
        fields["stdin_length"] = request.stdin_length
        fields["stdin_complete"] = request.stdin_ended and request.stdin_known == request.stdin_length
        if request.stdin_length and may_hold_secret(content_type):
            fields["stdin_sha256"] = None
            fields["stdin_hash_withheld"] = True
        else:
            fields["stdin_sha256"] = request.stdin_sha256.hexdigest() if request.stdin_known else None
        if request.aborted:
            fields["aborted"] = True
        if sightings or params.left_out:
            fields["secret"] = True
        return Message(request.asked, fields), sightings


def _params(request: _Request, begun: bool, memory: Memory) -> Params:
    """Of a stream of which the beginning is known, as far as it is."""
    if not begun or not request.params.runs:
        return Params([], {}, [], False)
    found, whole = pairs(bytes(request.params.runs[0]), _MOST_PAIRS)
    if len(found) >= _MOST_PAIRS or not whole:
        request.params_cut = True
    return read_params(request.params, found, whole, memory)


def _joined(before: Span | None, span: Span) -> Span:
    if before is None:
        return span
    return Span(before.place, before.offset, span.offset + span.length - before.offset)
