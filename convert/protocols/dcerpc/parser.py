"""DCE/RPC over TCP: which interfaces are bound, who logs in for it, and what became of that.

NTLM's messages stand in the verifier of bind, bind_ack, alter_context and auth3 (MS-RPCE 3.3.1.5.2), raw or in SPNEGO.
auth3 has no answer of its own: the first response or fault to what follows it is the verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from ...model.record import Message, Record
from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN, Sighting
from ..ntlm.exchange import NtlmExchange, sighting_fields
from ..ntlm.messages import has_message
from .frames import RpcFramer
from .pdu import (
    ALTER,
    ALTER_RESPONSE,
    AUTH3,
    BIND,
    BIND_ACK,
    BIND_NAK,
    FAULT,
    HEADER,
    LEVELS,
    MECHANISMS,
    RESPONSE,
    Pdu,
    Token,
)

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink
    from ..ntlm.exchange import NtlmAnswer
    from ..sql.packets import Packet

_MOST_CONTEXTS = 64
_MOST_PENDING = 64
_MOST_INTERFACES = 32
_REFUSALS = frozenset((0x5, 0x721, 0x52E, 0x6D3, 0xC000006D, 0xC0000022))
"""Of a fault: no access, a failed security package, a failed logon."""
_RESULTS = {0: "accepted", 1: "refused", 2: "refused", 3: "negotiated"}


class _Bind:
    """A bind or alter_context that waits for its answer."""

    def __init__(self, message: Message, answer: NtlmAnswer | None, sighting: Sighting | None) -> None:
        self.message = message
        self.answer = answer
        self.sighting = sighting


class DceRpc:
    """One conversation's parser."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._ordinal = 0
        self._client = RpcFramer(self._asked, True)
        self._server = RpcFramer(self._answered, False)
        self._exchanges: dict[int, NtlmExchange] = {}
        self._last = NtlmExchange()
        self._pending: dict[int, _Bind] = {}
        self._login: _Bind | None = None
        """An auth3 of which the verdict is not known."""

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """See api.Parser."""
        (self._client if to_server else self._server).feed(data, offset, place)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """See api.Parser."""
        if length > 0:
            (self._client if to_server else self._server).gap(length, offset)

    def close(self, ended: bool = True) -> None:
        """See api.Parser."""
        for bind in self._pending.values():
            self._bound(bind, None, UNKNOWN)
        self._pending.clear()
        self._settle(UNKNOWN, None)

    # The client.

    def _asked(self, packet: Packet) -> None:
        data, pdu = _whole(packet)
        if pdu is None or pdu.kind not in {BIND, ALTER, AUTH3}:
            return
        token = pdu.token(data)
        answer = self._exchange(token).client(token.blob) if token is not None else None
        fields: dict[str, Value] = {}
        if pdu.kind != AUTH3:
            fields["operation"] = "bind" if pdu.kind == BIND else "alter-context"
            fields["interfaces"] = _interfaces(pdu, data)
        if token is not None:
            fields["mechanism"] = "NTLM" if has_message(token.blob) else MECHANISMS.get(token.mechanism)
            fields["auth_level"] = LEVELS.get(token.level, str(token.level))
        sighting = None
        if answer is not None and token is not None:
            fields |= {"ntlm_version": answer.version, "user": _wire(answer.username) if answer.username else None}
            if answer.workstation:
                fields["workstation"] = _wire(answer.workstation)
            fields["secret"] = True
            raw = answer.parts[0]
            at = token.begin - HEADER + max(token.blob.find(raw), 0)
            sighting = Sighting(
                "login",
                None,
                raw=raw,
                secret_complete=True,
                span=packet.part(at, at + len(raw)),
                protocol="dcerpc",
                **sighting_fields(answer),
            )
        bind = _Bind(Message(packet.span, fields), answer, sighting)
        if pdu.kind == AUTH3:
            if answer is not None:
                self._settle(UNKNOWN, None)
                self._login = bind
            return
        before = self._pending.pop(pdu.call, None)
        if before is not None:
            self._bound(before, None, UNKNOWN)
        if len(self._pending) >= _MOST_PENDING:
            self._bound(self._pending.pop(next(iter(self._pending))), None, UNKNOWN)
        self._pending[pdu.call] = bind

    def _exchange(self, token: Token | None) -> NtlmExchange:
        return self._exchanges.get(token.context, self._last) if token is not None else self._last

    # The server.

    def _answered(self, packet: Packet) -> None:
        data, pdu = _whole(packet)
        if pdu is None:
            return
        if pdu.kind in {BIND_ACK, ALTER_RESPONSE}:
            token = pdu.token(data)
            if token is not None and has_message(token.blob):
                self._challenged(token)
            bind = self._pending.pop(pdu.call, None)
            if bind is not None:
                fields: dict[str, Value] = {"result": "ok", "results": _results(pdu, data)}
                self._bound(bind, Message(packet.span, fields), ACCEPTED)
        elif pdu.kind in {BIND_NAK, FAULT}:
            status = pdu.number(data, 24, 4) if pdu.kind == FAULT else pdu.number(data, HEADER, 2)
            refused = pdu.kind == BIND_NAK or status in _REFUSALS
            message = Message(packet.span, {"result": "refused" if refused else "error", "fault": f"{status:#010x}"})
            bind = self._pending.pop(pdu.call, None)
            if bind is not None:
                self._bound(bind, message, REFUSED if refused else UNKNOWN)
            else:
                self._settle(REFUSED if refused else UNKNOWN, message)
        elif pdu.kind == RESPONSE and self._login is not None:
            self._settle(ACCEPTED, Message(packet.span, {"result": "accepted"}))

    def _challenged(self, token: Token) -> None:
        exchange = NtlmExchange()
        exchange.server(token.blob)
        if exchange.challenged:
            if len(self._exchanges) >= _MOST_CONTEXTS:
                self._exchanges.pop(next(iter(self._exchanges)))
            self._exchanges[token.context] = self._last = exchange

    # What goes out.

    def _bound(self, bind: _Bind, response: Message | None, outcome: str) -> None:
        """A bind with its answer; one that ends a login is one."""
        self._hand("login" if bind.answer is not None else "rpc", bind, response, outcome)

    def _settle(self, outcome: str, response: Message | None) -> None:
        """The verdict of an auth3."""
        login, self._login = self._login, None
        if login is not None:
            self._hand("login", login, response, outcome)

    def _hand(self, kind: str, bind: _Bind, response: Message | None, outcome: str) -> None:
        self._ordinal += 1
        if kind == "login" and response is not None:
            response.fields["result"] = outcome
        self._sink.record(Record(kind, "dcerpc", self._ordinal, bind.message, response))
        if bind.sighting is not None:
            bind.sighting.outcome, bind.sighting.exchange = outcome, self._ordinal
            self._sink.sighting(bind.sighting)


def _whole(packet: Packet) -> tuple[bytes, Pdu | None]:
    """A message with its header again, and what that says."""
    head = packet.tag.to_bytes(HEADER, "big")
    return head + packet.body, Pdu.read(head)


def _wire(text: str) -> str:
    return text.encode("utf-8", "replace").decode("latin-1")


def _interfaces(pdu: Pdu, data: bytes) -> list[Value]:
    """[identifier, version] of what is to be called (C706 12.6.4.3, p_context_elem)."""
    found: list[Value] = []
    at = 28
    for _ in range(min(data[24] if len(data) > 24 else 0, _MOST_INTERFACES)):
        if at + 24 > len(data):
            break
        name = UUID(bytes_le=data[at + 4 : at + 20]) if pdu.little else UUID(bytes=data[at + 4 : at + 20])
        version = f"{pdu.number(data, at + 20, 2)}.{pdu.number(data, at + 22, 2)}"
        found.append([str(name), version])
        at += 24 + 20 * data[at + 2]
    return found


def _results(pdu: Pdu, data: bytes) -> list[Value]:
    """Of each interface, in their order."""
    at = 26 + pdu.number(data, 24, 2)
    at += -at % 4
    count = data[at] if at < len(data) else 0
    found: list[Value] = []
    for number in range(min(count, _MOST_INTERFACES)):
        begin = at + 4 + 24 * number
        if begin + 2 > len(data):
            break
        result = pdu.number(data, begin, 2)
        found.append(_RESULTS.get(result, str(result)))
    return found
