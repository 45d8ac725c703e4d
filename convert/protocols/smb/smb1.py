"""The messages of SMB 1 (MS-CIFS 2.2.4, MS-SMB 2.2.4), as far as they say who logs in and what is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .messages import LONGEST_NAME, NEGOTIATE, OPEN, PIPE, SETUP, TREE, Plain, Said, narrow, number, wide, wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...model.record import Value

_HEADER = 32
_UNICODE, _LONG_STATUS = 0x8000, 0x4000
_SETUP, _TREE, _OPEN, _NEGOTIATE, _TRANSACTION, _READ, _WRITE = 0x73, 0x75, 0xA2, 0x72, 0x25, 0x2E, 0x2F
_ANDX = frozenset((_SETUP, _TREE, _OPEN, _READ, _WRITE, 0x24, 0x2D, 0x74))
_KINDS = {
    _NEGOTIATE: NEGOTIATE,
    _SETUP: SETUP,
    _TREE: TREE,
    _OPEN: OPEN,
    _TRANSACTION: PIPE,
    _READ: PIPE,
    _WRITE: PIPE,
}
_MOST_CHAINED = 16
_LONGEST_PIPED = 1 << 14
_EXTENDED = 0x80000000


class _Block(NamedTuple):
    """One command: its words, its bytes, and what the header says."""

    data: bytes
    """The message up to the end of the bytes."""
    words: bytes
    begin: int
    """Index of the bytes."""
    unicode: bool
    response: bool

    def text(self, at: int) -> tuple[str, int]:
        """A string that ends with a NUL at index `at`, and the index behind it."""
        if self.unicode:
            at += at & 1  # counted from the header, with which the message begins
            end = at
            while (end := self.data.find(b"\0\0", end)) >= 0 and (end - at) & 1:
                end += 1
            end = len(self.data) if end < 0 else end
            return wide(self.data[at : min(end, at + LONGEST_NAME)]), end + 2
        end = self.data.find(b"\0", at)
        end = len(self.data) if end < 0 else end
        return narrow(self.data[at : min(end, at + LONGEST_NAME)]), end + 1


def split(body: bytes, to_server: bool) -> Iterator[Said]:
    """The commands of one message; AndX chains them."""
    if len(body) < _HEADER + 3:
        return
    flags, command, at = number(body, 10, 2), body[4], _HEADER
    response = bool(body[9] & 0x80) or not to_server
    # The process and the number of the message; the number alone is used again by other processes.
    key = (1, number(body, 30, 2) | number(body, 26, 2) << 16 | number(body, 12, 2) << 32)
    status = number(body, 5, 4) if response else 0
    if status and not flags & _LONG_STATUS:
        status = _from_dos(status)
    for _ in range(_MOST_CHAINED):
        if at + 1 > len(body):
            return
        begin = at + 1 + 2 * body[at]
        if begin + 2 > len(body):
            return
        end = begin + 2 + number(body, begin, 2)
        words = body[at + 1 : begin]
        # A read's or write's count of bytes has 16 bits, its data may be longer.
        data = body if command in {_READ, _WRITE} else body[:end]
        block = _Block(data, words, begin + 2, bool(flags & _UNICODE), response)
        kind = _KINDS.get(command)
        said = _read(command, block) if kind is not None else None
        if kind is not None and said is not None:
            fields, blob_at, blob, plain = said
            user, tree = number(body, 28, 2), number(body, 24, 2)
            yield Said(kind, key, user, tree, status, fields, blob, blob_at, plain)
        if command not in _ANDX or len(words) < 4 or words[0] == 0xFF:
            return
        command, following = words[0], number(words, 2, 2)
        if following <= at:
            return
        at = following


def _from_dos(status: int) -> int:
    """An error of DOS, class and code: those for a wrong password and for no right are given NT's number."""
    kind, code = status & 0xFF, status >> 16
    if kind == 2 and code in {2, 2240, 2239, 2242}:
        return 0xC000006D
    return 0xC0000022 if kind in {1, 2} and code in {4, 5} else 0xC0000001


_Told = tuple[dict[str, "Value"], int, bytes, Plain | None]


def _read(command: int, block: _Block) -> _Told | None:
    if command == _SETUP:
        return _setup_response(block) if block.response else _setup(block)
    if command == _NEGOTIATE:
        return _negotiated(block) if block.response else None
    if command == _TREE:
        return _tree(block)
    if command == _OPEN:
        return _open(block)
    return _piped(command, block)


def _negotiated(block: _Block) -> _Told | None:
    """The server's choice: its challenge, and whether passwords are sent as they are."""
    words, begin = block.words, block.begin
    fields: dict[str, Value] = {}
    if len(words) >= 34:  # NT LM 0.12
        fields = {"dialect": "NT LM 0.12", "mode": words[2]}
        if number(words, 19, 4) & _EXTENDED:
            return fields, begin + 16, block.data[begin + 16 :], None
        size = words[33]
    elif len(words) == 26:  # LANMAN
        fields = {"dialect": "LANMAN", "mode": words[2]}
        size = number(words, 22, 2)
    else:
        return None
    if size == 8 and len(block.data) >= begin + 8:
        return fields, begin, b"", Plain(block.data[begin : begin + 8], b"", begin, 0, "", "")
    return fields, 0, b"", None


def _setup(block: _Block) -> _Told | None:
    words, begin, data = block.words, block.begin, block.data
    fields: dict[str, Value] = {}
    if len(words) == 24:  # extended security
        size = number(words, 14, 2)
        at = begin + size
        for name in ("native_os", "native_lan_manager"):
            value, at = block.text(at)
            if value:
                fields[name] = wire(value)
        return fields, begin, data[begin : begin + size], None
    if len(words) == 26:
        oem, unicode = number(words, 14, 2), number(words, 16, 2)
    elif len(words) == 20:
        oem, unicode = number(words, 14, 2), 0
    else:
        return None
    at = begin + oem + unicode
    if at > len(data):
        return None
    texts = []
    for _ in range(4):
        value, at = block.text(at)
        texts.append(value)
    for name, value in zip(("native_os", "native_lan_manager"), texts[2:], strict=True):
        if value:
            fields[name] = wire(value)
    middle = begin + oem
    plain = Plain(data[begin:middle], data[middle : middle + unicode], begin, middle, texts[1], texts[0])
    return fields, 0, b"", plain


def _setup_response(block: _Block) -> _Told | None:
    fields: dict[str, Value] = {}
    words, begin = block.words, block.begin
    if len(words) >= 6 and number(words, 4, 2) & 1:
        fields["guest"] = True
    size = number(words, 6, 2) if len(words) == 8 else 0
    if len(words) not in {6, 8, 24}:
        return fields, 0, b"", None
    if len(words) == 24:  # some servers answer in the form of a request
        size = number(words, 14, 2)
    at = begin + size
    for name in ("native_os", "native_lan_manager"):
        value, at = block.text(at)
        if value:
            fields[name] = wire(value)
    return fields, begin, block.data[begin : begin + size], None


def _tree(block: _Block) -> _Told | None:
    words, begin = block.words, block.begin
    if block.response:
        value, _ = _Block(block.data, words, begin, False, True).text(begin)
        return {"service": wire(value)} if value else {}, 0, b"", None
    if len(words) != 8:
        return None
    size = number(words, 6, 2)
    if begin + size > len(block.data):
        return None
    path, _ = block.text(begin + size)
    secret = block.data[begin : begin + size]
    plain = Plain(secret, b"", begin, 0, "", "") if secret.strip(b"\0") else None
    return {"path": wire(path)}, 0, b"", plain


def _open(block: _Block) -> _Told | None:
    if block.response:
        return {}, 0, b"", None
    if len(block.words) != 48:
        return None
    at, size = block.begin, min(number(block.words, 5, 2), LONGEST_NAME)
    if block.unicode:
        at += at & 1
    data = block.data[at : at + size]
    name = wide(data) if block.unicode else narrow(data)
    return {"path": wire(name.rstrip("\0"))}, 0, b"", None


def _piped(command: int, block: _Block) -> _Told | None:
    """What is written to or read from what may be a pipe: WriteAndX, ReadAndX, TransactNmPipe."""
    words = block.words
    if command == _WRITE and not block.response and len(words) in {24, 28}:
        at, size = number(words, 22, 2), number(words, 20, 2)
    elif command == _READ and block.response and len(words) == 24:
        at, size = number(words, 12, 2), number(words, 10, 2)
    elif command == _TRANSACTION and not block.response and len(words) >= 28:
        at, size = number(words, 24, 2), number(words, 22, 2)
    elif command == _TRANSACTION and block.response and len(words) >= 20:
        at, size = number(words, 14, 2), number(words, 12, 2)
    else:
        return None
    if at < _HEADER:
        return None
    return {}, at, block.data[at : at + min(size, _LONGEST_PIPED)], None
