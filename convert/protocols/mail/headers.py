"""What headers of mail say: encoded words (RFC 2047) and parameters (RFC 2045, 2231), undone.

Text is bytes throughout: as it stood on the wire, or UTF-8 where its character set was named.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as BinasciiError
from binascii import a2b_qp
from urllib.parse import unquote_to_bytes

MOST_PARAMETERS = 64
_WORD = re.compile(rb"=\?([A-Za-z0-9_.:+\-]{1,40})(?:\*[A-Za-z0-9\-]{0,20})?\?([bBqQ])\?([^?\r\n]{0,4096})\?=")
_PARAMETER = re.compile(rb";[ \t\r\n]*([^\s=;\"]{1,100})[ \t\r\n]*=[ \t\r\n]*(\"(?:[^\"\\]|\\.)*+\"?|[^;]*)", re.DOTALL)
_SECTION = re.compile(rb"([^*]+)(?:\*(\d{1,3}))?(\*)?\Z")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_LINE_END = re.compile(rb"\r?\n")

# The names of RFC 2978's registry that occur in mail, as Python's decoders are called. Others are not looked up: the
# input would choose what is imported.
_CHARSETS = {
    name: decoder
    for decoder, names in {
        "utf-8": "utf-8 utf8 us-ascii ascii ansi_x3.4-1968 unicode-1-1-utf-8",
        "utf-16": "utf-16",
        "gb18030": "gb18030 gbk gb2312 cp936 x-gbk",
        "big5": "big5 big5-hkscs cp950",
        "shift_jis": "shift_jis shift-jis sjis x-sjis cp932 windows-31j",
        "euc_jp": "euc-jp",
        "iso2022_jp_2": "iso-2022-jp iso-2022-jp-2",
        "cp949": "euc-kr ks_c_5601-1987 cp949",
        "iso2022_kr": "iso-2022-kr",
        "koi8-r": "koi8-r",
        "koi8-u": "koi8-u",
        "cp874": "tis-620 windows-874",
        "mac_roman": "macintosh",
        "cp437": "ibm437 cp437",
        "cp850": "ibm850 cp850",
        "cp866": "ibm866 cp866",
    }.items()
    for name in names.split()
}
_CHARSETS.update({f"iso-8859-{part}": f"iso8859-{part}" for part in range(1, 17) if part != 12})
_CHARSETS.update({f"{prefix}125{part}": f"cp125{part}" for part in range(9) for prefix in ("windows-", "cp")})


def to_utf8(data: bytes, charset: bytes) -> bytes | None:
    """Text of a named character set as UTF-8, what is no text in it as U+FFFD; None where the set is not known."""
    decoder = _CHARSETS.get(charset.decode("latin-1").lower())
    return None if decoder is None else data.decode(decoder, "replace").encode("utf-8", "replace")


def _word(kind: bytes, text: bytes) -> bytes | None:
    if kind in b"qQ":
        return a2b_qp(text, header=True)
    try:
        return b64decode(text + b"=" * (-len(text) % 4))
    except BinasciiError:
        return None


def decode_words(value: bytes) -> bytes:
    """A header's text with its encoded words decoded to UTF-8; those that cannot be stay as they are."""
    if b"=?" not in value:
        return value
    out: list[bytes] = []
    # A character may be divided between words of one set: they are decoded together.
    charset, parts, at, since = b"", b"", 0, 0
    for match in _WORD.finditer(value):
        word = _word(match[2], match[3])
        if word is None or match[1].decode("latin-1").lower() not in _CHARSETS:
            continue
        between = value[at : match.start()]
        adjacent = at > 0 and not between.strip(b" \t\r\n")
        if not adjacent or match[1].lower() != charset:
            out.append(to_utf8(parts, charset) or value[since:at])
            parts, since, charset = b"", match.start(), match[1].lower()
            if not adjacent:
                out.append(between)
        parts += word
        at = match.end()
    out.append((to_utf8(parts, charset) or b"") if parts else b"")
    out.append(value[at:])
    return b"".join(out)


def unfolded(value: bytes) -> bytes:
    """A header's text on one line (RFC 5322, 2.2.3)."""
    return _LINE_END.sub(b"", value).strip(b" \t\r")


def _unquoted(value: bytes) -> bytes:
    if not value.startswith(b'"'):
        return value.strip(b" \t\r\n")
    value = value[1:-1] if len(value) > 1 and value.endswith(b'"') else value[1:]
    return _ESCAPED.sub(rb"\1", _LINE_END.sub(b"", value))


def parameters(value: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """What stands before the first semicolon, in lower case, and the parameters by their names in lower case."""
    first = value.partition(b";")[0].strip(b" \t\r\n").lower()
    plain: dict[bytes, bytes] = {}
    sections: dict[bytes, dict[int, tuple[bytes, bool]]] = {}
    for number, match in enumerate(_PARAMETER.finditer(value)):
        if number >= MOST_PARAMETERS:
            break
        section = _SECTION.match(match[1].lower())
        if section is None:
            continue
        text = _unquoted(match[2])
        if section[2] is None and section[3] is None:
            plain.setdefault(section[1], decode_words(text))
        else:
            place = int(section[2]) if section[2] else 0
            sections.setdefault(section[1], {}).setdefault(place, (text, section[3] is not None))
    for name, pieces in sections.items():  # RFC 2231 goes before the plain form beside it
        plain[name] = _continued(pieces)
    return first, plain


def _continued(pieces: dict[int, tuple[bytes, bool]]) -> bytes:
    """The value of a parameter in sections, each percent-encoded or not (RFC 2231, 3 and 4)."""
    out: list[bytes] = []
    charset = b""
    for number, (text, encoded) in sorted(pieces.items()):
        if encoded and number == 0 and text.count(b"'") >= 2:
            charset, _, text = text.split(b"'", 2)
        out.append(unquote_to_bytes(text) if encoded else text)
    value = b"".join(out)
    return to_utf8(value, charset) or value
