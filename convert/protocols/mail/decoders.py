"""Content-Transfer-Encodings undone as a stream (RFC 2045, 6): whatever the cuts of the input, the same output."""

from __future__ import annotations

from binascii import a2b_base64, a2b_qp
from typing import Protocol

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
_JUNK = bytes(byte for byte in range(256) if byte not in _ALPHABET)
LONGEST_LINE = 65536
"""Longer lines of quoted-printable are decoded in pieces of this size."""


class Decoder(Protocol):
    """Takes encoded bytes and gives decoded ones."""

    def feed(self, data: bytes) -> bytes:
        """What has become known."""

    def end(self) -> bytes:
        """The rest, where nothing follows."""


class Identity:
    """7bit, 8bit, binary, and what is not known."""

    def feed(self, data: bytes) -> bytes:
        """The same bytes."""
        return data

    def end(self) -> bytes:
        """Nothing is ever held."""
        return b""


class Base64:
    """Characters outside of the alphabet are passed over (RFC 2045, 6.8); padding ends a run, another may follow."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """Decodes whole groups of four characters."""
        *ended, text = (self._rest + data.translate(None, _JUNK)).split(b"=")
        whole = len(text) // 4 * 4
        self._rest = text[whole:]
        return b"".join(map(_group, ended)) + a2b_base64(text[:whole])

    def end(self) -> bytes:
        """A last group whose padding is missing."""
        rest, self._rest = self._rest, b""
        return _group(rest)


def _group(text: bytes) -> bytes:
    """Characters up to padding; one that is left over alone is of no byte."""
    if len(text) % 4 == 1:
        text = text[:-1]
    return a2b_base64(text + b"=" * (-len(text) % 4))


class QuotedPrintable:
    """Line by line: soft breaks joined, blanks at the ends of lines taken off (RFC 2045, 6.7)."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> bytes:
        """Decodes whole lines."""
        out: list[bytes] = []
        lines = (self._rest + data).split(b"\n")
        for line in lines[:-1]:
            out.append(_printable_line(_long(line, out) + b"\n"))
        self._rest = _long(lines[-1], out)
        return b"".join(out)

    def end(self) -> bytes:
        """A last line without an end."""
        rest, self._rest = self._rest, b""
        return _printable_line(rest)


def _long(line: bytes, out: list[bytes]) -> bytes:
    """Hands all of a very long line but its end to `out`, and gives its end."""
    begin = 0
    while len(line) - begin > LONGEST_LINE:
        end = begin + LONGEST_LINE
        escape = line.find(b"=", end - 2, end)
        end = escape if escape > begin else end
        out.append(a2b_qp(line[begin:end]))
        begin = end
    return line[begin:]


def _printable_line(line: bytes) -> bytes:
    text = line.rstrip(b" \t\r\n")
    if text.endswith(b"="):
        return a2b_qp(text[:-1])
    end = b"\r\n" if line.endswith(b"\r\n") else b"\n" if line.endswith(b"\n") else b""
    return a2b_qp(text) + end


def decoder(encoding: bytes) -> Decoder:
    """The decoder for the value of a Content-Transfer-Encoding, in lower case."""
    if encoding == b"base64":
        return Base64()
    return QuotedPrintable() if encoding == b"quoted-printable" else Identity()
