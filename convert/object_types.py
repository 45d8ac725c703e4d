"""What kind of file some bytes begin as: told by content alone, never by a name or a header from the wire.

And what a record says of a file that is not there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .model.record import Value

HEAD = 512
"""Bytes that are looked at."""

_BEGINS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"\0\0\x01\0", "ico"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"%PDF-", "pdf"),
    (b"{\\rtf", "rtf"),
    (b"%!PS", "ps"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"!<arch>\n", "ar"),
    (b"\xed\xab\xee\xdb", "rpm"),
    (b"MSCF\0\0\0\0", "cab"),
    (b"\x7fELF", "elf"),
    (b"\xca\xfe\xba\xbe", "class"),
    (b"\xcf\xfa\xed\xfe", "macho"),
    (b"\xce\xfa\xed\xfe", "macho"),
    (b"\0asm", "wasm"),
    (b"dex\n", "dex"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"SQLite format 3\0", "sqlite"),
    (b"wOFF", "woff"),
    (b"wOF2", "woff2"),
    (b"OTTO", "otf"),
    (b"\0\x01\0\0\0", "ttf"),
    (b"ID3", "mp3"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"\x1aE\xdf\xa3", "matroska"),
    (b"FLV\x01", "flv"),
    (b"FWS", "swf"),
    (b"CWS", "swf"),
    (b"\xd4\xc3\xb2\xa1", "pcap"),
    (b"\xa1\xb2\xc3\xd4", "pcap"),
    (b"\n\r\r\n", "pcapng"),
    (b"<?php", "php"),
    (b"#!", "script"),
)
_EXTENSIONS = {
    "jpeg": "jpg",
    "gzip": "gz",
    "bzip2": "bz2",
    "zstd": "zst",
    "matroska": "mkv",
    "pe": "pe",
    "script": "txt",
    "text": "txt",
    "data": "bin",
}
_RIFF = {b"WEBP": "webp", b"WAVE": "wav", b"AVI ": "avi"}
_BLANKS = b"\xef\xbb\xbf \t\r\n"
_HTML = re.compile(
    rb"(?:<!--.{0,200}?-->\s*)?<(?:!doctype\s+html|html|head|body|script|title|table|div|h1|p)\b", re.I | re.S
)
_TAG = re.compile(rb"<[A-Za-z_][\w.:-]*(?:\s[^<>]*)?/?>")
_JSON = re.compile(rb'\{\s*(?:"|\}\s*\Z)|\[\s*(?:["{\[\]\d-]|true|false|null)')
_FORM = re.compile(rb"[A-Za-z0-9_.\-\[\]%+]{1,256}=[^\s<>\"{}]*(?:&[A-Za-z0-9_.\-\[\]%+]{1,256}=[^\s<>\"{}]*)*\s*\Z")
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def type_of(head: bytes) -> str:
    """The type of what begins with these bytes (HEAD of them, or all); `data` where it is nothing known."""
    for magic, kind in _BEGINS:
        if head.startswith(magic) and (kind != "bmp" or head[6:10] == b"\0\0\0\0"):
            return kind
    if head.startswith(b"MZ"):
        return "pe"
    if head.startswith(b"RIFF") and head[8:12] in _RIFF:
        return _RIFF[head[8:12]]
    if head[4:8] == b"ftyp":
        return "mp4"
    if head[257:262] == b"ustar":
        return "tar"
    return _text_type(head)


def _text_type(head: bytes) -> str:
    text = head.lstrip(_BLANKS)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) and len(head) % 2 == 0 and b"\0" in head:
        return "text"
    if not text:
        return "text" if head else "data"
    if _NO_TEXT.search(head):
        return "data"
    if _HTML.match(text):
        return "html"
    if text.startswith(b"<svg"):
        return "svg"
    if text.startswith(b"<?xml"):
        return "svg" if b"<svg" in text else "html" if b"<html" in text else "xml"
    if _TAG.match(text):
        return "xml"
    if _JSON.match(text):
        return "json"
    if _FORM.match(text):
        return "form"
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # more than a character that is cut at the end
            return "data" if sum(byte > 126 for byte in head) * 4 > len(head) else "text"
    return "text"


def extension(kind: str) -> str:
    """The file name's extension for a type; those of texts and programs run nothing when they are opened."""
    return _EXTENSIONS.get(kind, "txt" if kind in {"form", "php"} else kind)


def left_out(size: int) -> dict[str, Value]:
    """What a record says of an object for which there was no room."""
    return {"file": None, "size": size, "left_out": True}
