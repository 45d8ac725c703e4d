"""NTLM in telnet's AUTHENTICATION option, as Microsoft's client and server speak it (RFC 2941, MS-TNAP 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message
from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from ..ntlm.exchange import NtlmExchange, sighting_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model.record import Value
    from .stream import Sub

NTLM = 15
_REPLY, _ACCEPT, _REJECT = 2, 3, 4
_HEAD = 3
"""Bytes between IAC and what is negotiated."""


class Authentication:
    """The exchanges of one session."""

    def __init__(self, login: Callable[[Message, Message | None], int], sight: Callable[[Sighting], None]) -> None:
        self._login = login
        self._sight = sight
        self._ntlm = NtlmExchange()
        self._pending: tuple[Message, Sighting] | None = None

    def said(self, to_server: bool, sub: Sub) -> None:
        """What one side negotiates: command, type, modifiers, NTLM's own command, a message."""
        if sub.data[1:2] != bytes((NTLM,)):
            return
        if to_server:
            self._answered(sub)
        elif sub.data[0] == _REPLY:
            verdict = {_ACCEPT: ACCEPTED, _REJECT: REFUSED}.get(sub.data[3] if len(sub.data) > 3 else 0)
            if verdict is not None:
                self._settle(verdict, Message(sub.span, {"result": verdict}))
            self._ntlm.server(sub.data)

    def _answered(self, sub: Sub) -> None:
        answer = self._ntlm.client(sub.data)
        if answer is None:
            return
        self.close()
        user = (answer.username or "").encode("utf-8", "replace").decode("latin-1")
        fields: dict[str, Value] = {"user": user or None, "mechanism": "NTLM", "ntlm_version": answer.version}
        if answer.workstation:
            fields["workstation"] = answer.workstation.encode("utf-8", "replace").decode("latin-1")
        fields["secret"] = True
        at = max(sub.data.find(answer.parts[0]), 0)
        raw = _doubled(answer.parts[0])
        span = Span(sub.span.place, sub.span.offset + _HEAD + len(_doubled(sub.data[:at])), len(raw))
        told = sighting_fields(answer)
        told["parts"] = (*told["parts"], raw) if raw not in told["parts"] else told["parts"]
        sighting = Sighting("login", None, raw=raw, secret_complete=True, span=span, protocol="telnet", **told)
        self._pending = Message(sub.span, fields), sighting

    def close(self) -> None:
        """No verdict follows."""
        self._settle(UNKNOWN, None)

    def _settle(self, verdict: str, response: Message | None) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending[1].exchange = self._login(pending[0], response)
            pending[1].outcome = verdict
            self._sight(pending[1])


def _doubled(data: bytes) -> bytes:
    """As telnet sends it: a byte of 255 twice."""
    return data.replace(b"\xff", b"\xff\xff")
