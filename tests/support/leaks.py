"""Looking for secrets in files, in whatever spelling: written apart from the product's redaction, as its oracle.

A file is looked at through views of it (what a PDF says and draws, what a JSON string means ...), each view undone of
percent, form, HTML and JSON escapes; a secret is looked for as it is, in hexadecimal, and in base64 of either alphabet
at every alignment, alone and behind "user:".
"""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

JSON_ESCAPE = re.compile(rb"\\u([0-9a-fA-F]{4})|\\([\"\\/bfnrt])")
NAMED = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def spellings(user: str | None, secret: str) -> set[bytes]:
    """What must not stand in a view, in lower case where case does not matter (hexadecimal is looked for apart)."""
    found = set()
    for raw in {secret.encode(), secret.encode("utf-16-le"), secret.encode("utf-16-be"), latin(secret)}:
        found.add(raw)
        for lead in range(3):
            text = base64.b64encode(bytes(lead) + raw + bytes(3))
            first, last = -(-8 * lead // 6), 8 * (lead + len(raw)) // 6
            found |= {text[first:last], text[first:last].translate(bytes.maketrans(b"+/", b"-_"))}
    if user is not None:
        whole = base64.b64encode(f"{user}:{secret}".encode()).rstrip(b"=")
        found |= {whole, whole.translate(bytes.maketrans(b"+/", b"-_"))}
    return {spelling for spelling in found if len(spelling) >= 4}


def latin(text: str) -> bytes:
    return text.encode("latin-1", "ignore")


def unescaped(data: bytes) -> Iterator[bytes]:
    """The bytes, and what they mean where some kind of escape is undone, up to twice."""
    seen = {data}
    fresh = [data]
    for _ in range(2):
        made = []
        for one in fresh:
            text = one.decode("utf-8", "surrogateescape")
            made.append(unquote_to_bytes(one))
            made.append(unquote_to_bytes(one.replace(b"+", b" ")))
            made.append(html.unescape(text).encode("utf-8", "surrogateescape"))
            made.append(JSON_ESCAPE.sub(json_character, one))
            made.append(re.sub(rb"\\x([0-9a-fA-F]{2})", lambda match: bytes([int(match[1], 16)]), one))
        fresh = [one for one in made if one not in seen]
        seen.update(fresh)
    yield from seen


def json_character(match: re.Match[bytes]) -> bytes:
    if match[1]:
        return chr(int(match[1], 16)).encode("utf-8", "surrogatepass")
    return NAMED.get(match[2], match[2])


def views(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of everything that a file shows."""
    data = path.read_bytes()
    yield path.name, data
    if path.suffix == ".pdf":
        for command in (["pdftotext", str(path), "-"], ["pdftotext", "-raw", str(path), "-"], ["pdfinfo", str(path)]):
            told = subprocess.run(command, capture_output=True, check=True).stdout
            yield " ".join(command[:-2]), told
            yield " ".join(command[:-2]) + " in one line", re.sub(rb"\s+", b"", told)
        for number, stream in enumerate(re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)):
            try:
                yield f"stream {number} of {path.name}", zlib.decompress(stream)
            except zlib.error:
                continue
    elif path.suffix in (".json", ".jsonl"):
        for number, line in enumerate(data.splitlines() if path.suffix == ".jsonl" else [data]):
            for text in strings(json.loads(line)):
                yield f"record {number} of {path.name}", text.encode("utf-8", "surrogatepass")


def strings(value: object) -> Iterator[str]:
    """Every string in a JSON value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from strings(one)


def leaks(name: str, data: bytes, secrets: set[tuple[str | None, str]]) -> list[tuple[str, str]]:
    """(view, secret) of every secret that a view shows."""
    found = []
    for meaning in unescaped(data):
        low = meaning.lower()
        for user, secret in secrets:
            wanted = spellings(user, secret)
            if any(one in meaning for one in wanted) or secret.encode().hex().encode() in low:
                found.append((name, secret))
    return found
