"""A search's filter as text (RFC 4515), without the values of attributes that are secret."""

from __future__ import annotations

from ..asn1 import ber
from ..asn1.ber import Tlv
from .secrets import is_secret

_DEEP = 24
_LONG = 4096
_AND, _OR, _NOT, _EQUAL, _PARTS, _GREATER, _LESS, _PRESENT, _ALMOST, _EXTENSIBLE = range(0xA0, 0xAA)
_PRESENT_TAG = 0x87
_SIGNS = {_EQUAL: "=", _GREATER: ">=", _LESS: "<=", _ALMOST: "~="}
_SPECIAL = {ord(c): f"\\{ord(c):02x}" for c in "*()\\\0"}


class FilterText:
    """Writes one filter, within bounds."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._parts: list[str] = []
        self._size = 0
        self.complete = True
        self.secrets: list[tuple[str, Tlv]] = []
        """(Attribute, value) of what was compared with a password."""

    def text(self, tlv: Tlv) -> str:
        """The filter."""
        self._write(tlv, 0)
        return "".join(self._parts)[:_LONG]

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._size += len(text)

    def _write(self, tlv: Tlv, depth: int) -> None:
        if depth > _DEEP or self._size > _LONG:
            self.complete = False
            return
        if tlv.tag in (_AND, _OR, _NOT):
            self._add("(" + "&|!"[tlv.tag - _AND])
            parts = ber.children(self._data, tlv, 256)
            for part in parts or ():
                self._write(part, depth + 1)
            self.complete = self.complete and parts is not None and len(parts) < 256
            self._add(")")
        elif tlv.tag == _PRESENT_TAG:
            self._add(f"({ber.text(self._data, tlv, 256)}=*)")
        elif tlv.tag in _SIGNS:
            self._compared(tlv)
        elif tlv.tag == _PARTS:
            self._substrings(tlv)
        else:
            self._extended(tlv)

    def _value(self, name: str, tlv: Tlv) -> str:
        if is_secret(name):
            self.secrets.append((name, tlv))
            return "..."
        return (ber.text(self._data, tlv, 1024) or "").translate(_SPECIAL)

    def _compared(self, tlv: Tlv) -> None:
        parts = ber.children(self._data, tlv, 3)
        if parts is None or len(parts) != 2:
            self.complete = False
            return
        name = ber.text(self._data, parts[0], 256) or ""
        self._add(f"({name}{_SIGNS[tlv.tag]}{self._value(name, parts[1])})")

    def _substrings(self, tlv: Tlv) -> None:
        parts = ber.children(self._data, tlv, 3)
        if parts is None or len(parts) != 2:
            self.complete = False
            return
        name = ber.text(self._data, parts[0], 256) or ""
        pieces = ber.children(self._data, parts[1], 64) or []
        first = self._value(name, pieces[0]) if pieces and pieces[0].tag == 0x80 else ""
        last = self._value(name, pieces[-1]) if pieces and pieces[-1].tag == 0x82 else ""
        middle = [self._value(name, piece) for piece in pieces if piece.tag == 0x81]
        self._add(f"({name}={'*'.join([first, *middle, last])})")

    def _extended(self, tlv: Tlv) -> None:
        parts = ber.fields(self._data, tlv, 5) if tlv.tag == _EXTENSIBLE else None
        if parts is None or 0x83 not in parts:
            self.complete = False
            return
        name = ber.text(self._data, parts.get(0x82), 256) or ""
        rule = ber.text(self._data, parts.get(0x81), 256)
        whole = ":dn" if 0x84 in parts and ber.integer(self._data, parts[0x84]) else ""
        self._add(f"({name}{whole}{':' + rule if rule else ''}:={self._value(name, parts[0x83])})")
