"""The tokens of a TDS server's answer (MS-TDS 2.2.7), up to the first that needs the columns to be understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN

if TYPE_CHECKING:
    from ...model.record import Value

LOGIN_ACK, ERROR, INFO, ENV_CHANGE, SSPI, FEATURES, SESSION = 0xAD, 0xAA, 0xAB, 0xE3, 0xED, 0xAE, 0xE4
DONE, DONE_PROC, DONE_IN_PROC, RETURN_STATUS, EED, CAPABILITY, LOGIN_FAILED = 0xFD, 0xFE, 0xFF, 0x79, 0xE5, 0xE2, 6
_COUNTED, _ERRONEOUS, _MORE = 0x10, 0x02, 0x01
_MOST_TOKENS = 1000
_MOST_MESSAGES = 16
_LONGEST_MESSAGE = 4096
_REFUSALS = frozenset((18456, 18452, 18450, 18451, 18470, 18486, 18487, 18488, 4002, 18461))
"""Login failed, account locked or disabled, password expired; 4002 is Sybase's."""


class Answer:
    """What was read of one message."""

    def __init__(self) -> None:
        self.fields: dict[str, Value] = {}
        self.error: int | None = None
        self.acknowledged: bool | None = None
        """Of a login, by LOGINACK."""
        self.sspi = b""
        self.infos: list[Value] = []
        self.failed = False

    @property
    def verdict(self) -> str:
        """Of a login."""
        if self.acknowledged:
            return ACCEPTED
        refused = self.error in _REFUSALS or self.acknowledged is False
        return REFUSED if refused else UNKNOWN

    def result(self) -> dict[str, Value]:
        """For a record."""
        fields: dict[str, Value] = {"result": "error" if self.failed or self.error is not None else "ok"}
        fields |= self.fields
        if self.infos:
            fields["notices"] = self.infos
        return fields


def read(body: bytes, complete: bool, wide: bool) -> Answer:
    """The answer that a message holds. `wide`: its texts are UTF-16 (TDS 7), else one byte a character."""
    answer = Answer()
    at = 0
    for _ in range(_MOST_TOKENS):
        if at >= len(body):
            break
        step = _token(answer, body, at, wide)
        if step <= 0:
            _ending(answer, body[at:], complete)
            break
        at += step
    return answer


def _token(answer: Answer, body: bytes, at: int, wide: bool) -> int:
    """Read the token at `at`; returns its length, 0 where that is not known."""
    kind = body[at]
    if kind in {DONE, DONE_PROC, DONE_IN_PROC}:
        size = _done_size(body, at)
        _done(answer, body[at + 1 : at + size], size)
        return size
    if kind == RETURN_STATUS:
        return 5
    if kind == FEATURES:
        return _features(body, at)
    if kind not in {LOGIN_ACK, ERROR, INFO, ENV_CHANGE, SSPI, EED, CAPABILITY, SESSION}:
        return 0
    size = 4 if kind == SESSION else 2
    length = int.from_bytes(body[at + 1 : at + 1 + size], "little")
    data = body[at + 1 + size : at + 1 + size + length]
    if kind == LOGIN_ACK:
        _acknowledged(answer, data, wide)
    elif kind in {ERROR, INFO, EED}:
        _message(answer, kind, data, wide)
    elif kind == SSPI:
        answer.sspi = data
    return 1 + size + length


def _done_size(body: bytes, at: int) -> int:
    """12 bytes behind the token since TDS 7.2, 8 before: by what follows."""
    rest = len(body) - at
    if rest in {9, 13}:
        return rest
    following = body[at + 9] if rest > 9 else 0
    high = body[at + 9 : at + 13]
    return 13 if rest > 13 and high == b"\0\0\0\0" or following == 0 else 9


def _done(answer: Answer, data: bytes, size: int) -> None:
    status = int.from_bytes(data[:2], "little")
    if status & _ERRONEOUS:
        answer.failed = True
    if status & _COUNTED:
        count = int.from_bytes(data[4 : size - 1], "little")
        before = answer.fields.get("rows", 0)
        answer.fields["rows"] = count + (before if isinstance(before, int) else 0)


def _ending(answer: Answer, rest: bytes, complete: bool) -> None:
    """Behind rows that are not read the message still ends with DONE."""
    if not complete:
        return
    for size in (13, 9):
        last = rest[-size:]
        if len(last) == size and last[0] in {DONE, DONE_PROC} and not last[2] and not last[1] & _MORE:
            _done(answer, last[1:], size)
            return


def _acknowledged(answer: Answer, data: bytes, wide: bool) -> None:
    # Sybase tells in the first byte: 5 it is, 6 it is not, 7 there is more to come.
    answer.acknowledged = data[:1] != bytes((LOGIN_FAILED,)) if wide or data[:1] != b"\7" else None
    size = data[5] if len(data) > 5 else 0
    name = data[6 : 6 + size * (2 if wide else 1)]
    if name:
        answer.fields["server"] = _text(name, wide).rstrip("\0")
    version = data[-4:]
    if wide and len(version) == 4:
        answer.fields["server_version"] = f"{version[0]}.{version[1]}.{int.from_bytes(version[2:], 'big')}"


def _message(answer: Answer, kind: int, data: bytes, wide: bool) -> None:
    """ERROR, INFO, or Sybase's EED, which has more in front of the text."""
    number = int.from_bytes(data[:4], "little")
    severity = data[5] if len(data) > 5 else 0
    at = 6
    if kind == EED:
        at += 1 + (data[6] if len(data) > 6 else 0) + 3  # SQL state, status, transaction
    size = int.from_bytes(data[at : at + 2], "little") * (2 if wide else 1)
    text = _text(data[at + 2 : at + 2 + min(size, _LONGEST_MESSAGE)], wide)
    if kind == ERROR or (kind == EED and severity > 10):
        if answer.error is None or number in _REFUSALS:
            answer.error = number
            answer.fields |= {"code": number, "class": severity, "message": text}
    elif len(answer.infos) < _MOST_MESSAGES:
        answer.infos.append(text)


def _features(body: bytes, at: int) -> int:
    """FEATUREEXTACK: a list that ends with FF."""
    begin = at
    at += 1
    for _ in range(64):
        if at >= len(body) or body[at] == 0xFF:
            break
        at += 5 + int.from_bytes(body[at + 1 : at + 5], "little")
    return at + 1 - begin


def _text(data: bytes, wide: bool) -> str:
    """As a record holds it: UTF-8, one character a byte."""
    if not wide:
        return data.decode("latin-1")
    return data[: len(data) & ~1].decode("utf-16-le", "replace").encode("utf-8", "replace").decode("latin-1")
