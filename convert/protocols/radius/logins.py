"""What an Access-Request proves itself with: hidden password, CHAP, Microsoft's CHAP, EAP."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from ...model.sighting import CERTAIN, CLEARTEXT, POSSIBLE
from ..ppp import chap, eap
from . import messages
from .passwords import reveal, signed_with

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...model.record import Value
    from .messages import Packet

_CHALLENGES = 256
"""Challenges of EAP that wait for their answer."""


class Proof(NamedTuple):
    """One secret in a request: what a Sighting says of it."""

    secret: bytes
    form: str
    confidence: str
    details: dict[str, Value]
    parts: tuple[bytes, ...]
    begin: int
    """Of the bytes that hold it, in the packet."""
    end: int


class Eap:
    """EAP's packets in a conversation: challenges by the state that the server wants back, and the identifier."""

    def __init__(self) -> None:
        self._asked: OrderedDict[tuple[bytes, int], bytes] = OrderedDict()

    def heard(self, packet: Packet) -> None:
        """An Access-Challenge."""
        inner = eap.read(_joined(packet)[0])
        asked = eap.challenge(inner) if inner is not None else None
        if inner is not None and asked is not None:
            state = packet.first(messages.STATE)
            self._asked[state.value if state is not None else b"", inner.identifier] = asked
            if len(self._asked) > _CHALLENGES:
                self._asked.popitem(last=False)

    def proof(self, packet: Packet, user: bytes) -> Proof | None:
        """Of an Access-Request."""
        joined, places = _joined(packet)
        inner = eap.read(joined)
        if inner is None:
            return None
        state = packet.first(messages.STATE)
        asked = self._asked.get((state.value if state is not None else b"", inner.identifier))
        found = eap.answer(inner, asked, user)
        if found is None:
            return None
        begin, end = places[found.begin], places[found.end - 1] + 1
        if found.answer is None:
            told: dict[str, Value] = {"mechanism": "EAP-GTC"}
            return Proof(joined[found.begin : found.end], CLEARTEXT, CERTAIN, told, (), begin, end)
        return _hash(found.answer, begin, end)


def method(packet: Packet) -> str | None:
    """The method of the EAP packet in there."""
    inner = eap.read(_joined(packet)[0])
    if inner is None:
        return None
    if not inner.method:
        return "success" if inner.code == eap.SUCCESS else "failure"
    return eap.NAMES.get(inner.method, str(inner.method))


def verdict(packet: Packet) -> bool | None:
    """What the EAP packet in an Access-Challenge says of the response before it."""
    inner = eap.read(_joined(packet)[0])
    return eap.verdict(inner) if inner is not None else None


def proofs(packet: Packet, known: Sequence[bytes]) -> list[Proof]:
    """All of an Access-Request but EAP's; `known`: shared secrets, of which one may be that of this request."""
    found: list[Proof] = []
    name = packet.first(messages.USER_NAME)
    user = name.value if name is not None else b""
    hidden = packet.first(messages.USER_PASSWORD)
    if hidden is not None and len(hidden.value) >= 16:
        found += _password(packet, hidden, known)
    answer = packet.first(messages.CHAP_PASSWORD)
    if answer is not None and len(answer.value) == 17:
        told = packet.first(messages.CHAP_CHALLENGE)
        asked = told.value if told is not None else packet.authenticator
        made = chap.md5("CHAP", answer.value[0], asked, answer.value[1:])
        found.append(_hash(made, answer.at + 1, answer.at + 17))
    asked_ms = packet.microsoft(messages.MS_CHALLENGE)
    challenge = asked_ms.value if asked_ms is not None else None
    first, second = packet.microsoft(messages.MS_RESPONSE), packet.microsoft(messages.MS_RESPONSE_2)
    if first is not None and len(first.value) == 50:
        value = first.value
        lm, nt = value[2:26], value[26:50]
        made = chap.mschap("MS-CHAP", user, challenge, lm if lm.strip(b"\0") else b"", nt)
        found.append(_hash(made, first.at + 2, first.at + 50))
    if second is not None and len(second.value) == 50:
        value = second.value
        made = chap.mschap2("MS-CHAPv2", user, challenge, value[2:18], value[26:50])
        found.append(_hash(made, second.at + 26, second.at + 50))
    return found


def _password(packet: Packet, hidden: messages.Attribute, known: Sequence[bytes]) -> list[Proof]:
    """User-Password, where the shared secret is known. Else nothing can be guessed from it: no tool reads it."""
    begin, end = hidden.at, hidden.at + len(hidden.value)
    signature = packet.first(messages.MESSAGE_AUTHENTICATOR)
    signed = signature is not None and len(signature.value) == 16
    for secret in known:
        if signed and signature is not None and not signed_with(packet.raw, signature.at, secret):
            continue
        password = reveal(hidden.value, packet.authenticator, secret)
        if password and (signed or _is_text(password)):
            sure = CERTAIN if signed else POSSIBLE
            return [Proof(password, CLEARTEXT, sure, {"mechanism": "PAP"}, (hidden.value,), begin, end)]
    return []


def _is_text(password: bytes) -> bool:
    """What another secret than the right one gives hardly ever is."""
    try:
        return password.decode().isprintable()
    except UnicodeDecodeError:
        return False


def _hash(answer: chap.Answer, begin: int, end: int) -> Proof:
    return Proof(answer.line, answer.form, answer.confidence, answer.told(), answer.parts, begin, end)


def _joined(packet: Packet) -> tuple[bytes, list[int]]:
    """EAP's packet, put together of its attributes, and where each of its bytes stands in the datagram."""
    whole = bytearray()
    places: list[int] = []
    for one in packet.attributes:
        if one.number == messages.EAP_MESSAGE:
            whole += one.value
            places += range(one.at, one.at + len(one.value))
    return bytes(whole), places
