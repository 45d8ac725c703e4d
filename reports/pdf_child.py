"""The child process that makes the PDF: HTML and attachments on standard input, PDF on standard output.

It is run as a file of its own, and knows nothing of the rest: `pdf_child.py SECONDS BYTES`. Standard input begins with
a line of JSON: `variant`, `page` (its length), `created` (seconds since 1970), `letters` (that a font has to have),
`attachments` (name, description, relationship, type, length of each); then page and attachments follow. It may fetch
nothing. Ends with 5 where WeasyPrint or a library is missing, 6 where no font has the letters, 7 where memory ran out.
"""

from __future__ import annotations

import ctypes
import io
import json
import mimetypes
import re
import resource
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

MISSING, NO_FONT, OUT_OF_MEMORY = 5, 6, 7
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")


class _FontSet(ctypes.Structure):
    _fields_ = (("count", ctypes.c_int), ("size", ctypes.c_int), ("fonts", ctypes.POINTER(ctypes.c_void_p)))


def glyphs() -> Any:
    """A function that says whether any installed font has a glyph for a code point (by fontconfig)."""
    library = ctypes.CDLL("libfontconfig.so.1")
    library.FcPatternCreate.restype = ctypes.c_void_p
    library.FcObjectSetBuild.restype = ctypes.c_void_p
    library.FcFontList.restype = ctypes.POINTER(_FontSet)
    library.FcFontList.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    library.FcPatternGetCharSet.argtypes = (
        ctypes.c_void_p,
        ctypes.c_char_p,
        ctypes.c_int,
        ctypes.POINTER(ctypes.c_void_p),
    )
    library.FcCharSetHasChar.argtypes = (ctypes.c_void_p, ctypes.c_uint32)
    wanted = library.FcObjectSetBuild(ctypes.c_char_p(b"charset"), ctypes.c_char_p(None))
    found = library.FcFontList(None, library.FcPatternCreate(), wanted)
    sets = []
    for at in range(found.contents.count if found else 0):
        characters = ctypes.c_void_p()
        if library.FcPatternGetCharSet(found.contents.fonts[at], b"charset", 0, ctypes.byref(characters)) == 0:
            sets.append(characters)
    return lambda code: any(library.FcCharSetHasChar(characters, code) for characters in sets)


def printable(page: str, drawable: Callable[[int], bool]) -> str:
    """The page with every character that no font can draw written as an escape, which PDF/UA asks for."""
    known: dict[str, str] = {}

    def shown(match: re.Match[str]) -> str:
        character = match.group()
        if character not in known:
            known[character] = character if drawable(ord(character)) else f"\\u{{{ord(character):x}}}"
        return known[character]

    return _BEYOND_ASCII.sub(shown, page)


def main(seconds: int, memory: int) -> int:
    """Lay out and write; returns the exit status."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        from weasyprint import HTML, Attachment
        from weasyprint.urls import URLFetcher

        head = json.loads(sys.stdin.buffer.readline())
        drawable = glyphs()
        if not all(drawable(ord(letter)) for letter in head["letters"]):
            return NO_FONT
        page = printable(sys.stdin.buffer.read(head["page"]).decode("utf-8"), drawable)
    except (ImportError, OSError) as error:
        sys.stderr.write(str(error).splitlines()[0] if str(error) else type(error).__name__)
        return MISSING

    class Refusing(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            raise ValueError("nothing is fetched")

    try:
        mimetypes.init([])  # what the machine's own table says would make PDFs differ
        when = datetime.fromtimestamp(head["created"], UTC)
        attachments = []
        for told in head["attachments"]:
            mimetypes.add_type(told["type"], "." + told["name"].rpartition(".")[2])
            attachments.append(
                Attachment(
                    file_obj=io.BytesIO(sys.stdin.buffer.read(told["length"])),
                    name=told["name"],
                    description=told["description"],
                    relationship=told["relationship"],
                    created=when,
                    modified=when,
                )
            )
        document = HTML(string=page, base_url=None, url_fetcher=Refusing())
        variant = f"pdf/{head['variant']}"
        sys.stdout.buffer.write(document.write_pdf(pdf_variant=variant, attachments=attachments))
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
