"""Recorded buffers as text, in the five forms that sysdig's switches choose: plain, -A, -x, -X and -b."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

SHORT: Final = 80
"""Bytes of a buffer that the plain form shows; longer ones end in three dots."""
ROW: Final = 16
"""Bytes in a row of the hex forms."""

_DOTS: Final = bytes(byte if 0x20 <= byte < 0x7F else 0x2E for byte in range(256))
_UNPRINTABLE: Final = bytes(byte for byte in range(256) if not 0x20 <= byte < 0x7F)
_NOT_TEXT: Final = bytes(byte for byte in _UNPRINTABLE if byte != 0x0A)


class Form:
    """How buffers are shown: kind is dots, ascii (-A), hex (-x), hexascii (-X) or base64 (-b).

    `full` shows all bytes in the plain form too (-v and -j).
    """

    __slots__ = ("full", "kind")

    def __init__(self, kind: str = "dots", full: bool = False) -> None:
        self.kind = kind
        self.full = full


PLAIN: Final = Form()


def dotted(data: bytes) -> str:
    """Every byte that is no printable ASCII as a dot."""
    return data.translate(_DOTS).decode("ascii")


def printable(data: bytes) -> str:
    """Only the bytes that are printable ASCII."""
    return data.translate(None, _UNPRINTABLE).decode("ascii")


def ascii_lines(data: bytes) -> str:
    """Printable ASCII and ends of lines: CR LF, CR and LF are one each; led by an end of line, which a LF at the very
    beginning is.
    """
    lines = data.removeprefix(b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return "\n" + lines.translate(None, _NOT_TEXT).decode("ascii")


def hex_rows(data: bytes, with_ascii: bool) -> str:
    """Rows of 16 bytes in groups of two, led by their offset and an end of line, ended by one.

    The text beside a row of odd length stands two columns further left, as it does in sysdig.
    """
    out = []
    for start in range(0, len(data), ROW):
        row = data[start : start + ROW]
        digits = row.hex(" ", -2)
        if with_ascii:
            digits = digits.ljust(39 if len(row) & 1 else 41) + dotted(row)
        out.append(f"\n\t0x{start:04x}: {digits}")
    out.append("\n")
    return "".join(out)


def buffer_text(data: bytes, form: Form = PLAIN) -> str:
    """A buffer as text; an empty one is empty in every form."""
    if not data:
        return ""
    if form.kind == "dots":
        if len(data) > SHORT and not form.full:
            return dotted(data[: SHORT - 3]) + "..."
        return dotted(data)
    if form.kind == "ascii":
        return ascii_lines(data)
    if form.kind == "base64":
        from binascii import b2a_base64

        return b2a_base64(data, newline=False).decode("ascii")
    return hex_rows(data, form.kind == "hexascii")
