"""In which language a report speaks.

The texts in the code are its English. What is said in another language stands in one catalogue (gettext, made by
scripts/catalogue.py), and is chosen once for a run by `speaking`. What other programs read (findings.jsonl and the
like, packet comments) is not translated.
"""

from __future__ import annotations

import gettext
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from string import Formatter
from typing import TypeVar

from .languages import ENGLISH
from .model import Captured, Phrase

CATALOGUES = Path(__file__).parent / "languages"
DOMAIN = "syswire"
_Texts = TypeVar("_Texts")
_SPOKEN: ContextVar[tuple[str, gettext.NullTranslations]] = ContextVar(
    "language", default=(ENGLISH, gettext.NullTranslations())
)


@contextmanager
def speaking(language: str, catalogue: gettext.NullTranslations | None = None) -> Iterator[None]:
    """Within it, texts are in that language: one of LANGUAGES, or whatever the catalogue given says."""
    found = catalogue
    if found is None:
        found = gettext.NullTranslations()
        if language != ENGLISH:
            found = gettext.translation(DOMAIN, CATALOGUES, [language])
    before = _SPOKEN.set((language, found))
    try:
        yield
    finally:
        _SPOKEN.reset(before)


def spoken() -> str:
    """The language that is spoken, as HTML names it."""
    return _SPOKEN.get()[0]


def later(messages: _Texts) -> _Texts:
    """The same: says to whoever gathers texts that those in it are translated where they are used."""
    return messages


def text(message: str, /, **values: object) -> str:
    """A text of ours, `{name}` replaced by the values; none of them may come from a capture."""
    told = _SPOKEN.get()[1].gettext(message) if message else ""
    return told.format(**values) if values else told


def heads(names: Sequence[str]) -> tuple[str, ...]:
    """The heads of a table."""
    return tuple(text(name) for name in names)


def phrase(message: str, /, **values: Phrase) -> Phrase:
    """A text of ours into which captured texts and other phrases are put, still marked as what they are."""
    parts: list[str] = []
    for literal, name, _, _ in Formatter().parse(_SPOKEN.get()[1].gettext(message)):
        if literal:
            parts.append(literal)
        if name is not None:
            value = values[name]
            parts += (value,) if isinstance(value, str) else value
    return joined(*parts)


def joined(*phrases: Phrase) -> Phrase:
    """Phrases one behind the other; neighbouring texts of ours become one."""
    parts: list[str] = []
    for part in (part for each in phrases for part in ((each,) if isinstance(each, str) else each)):
        if parts and not isinstance(part, Captured) and not isinstance(parts[-1], Captured):
            parts[-1] += part
        elif part:
            parts.append(part)
    return parts[0] if len(parts) == 1 else tuple(parts)


def plural(count: int, one: str, many: str = "", *, none: str | None = None, **values: object) -> str:
    """`1 finding`, `2 findings`; `many` where an s does not do; `none`, where given, of none and less.

    `{name}` is replaced by the values, as in `text`.
    """
    if none is not None and count <= 0:
        return none
    message = _SPOKEN.get()[1].ngettext(f"{{count}} {one}", f"{{count}} {many or one + 's'}", count)
    return message.format(count=f"{count:,}", **values)


def times(count: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: text("once"), 2: text("twice")}.get(count) or plural(count, "time")


def listing(items: Sequence[str], limit: int = 0) -> str:
    """`a, b and c`; with a limit, `a, b and 7 more`. Of texts of ours alone."""
    told = listed(items, limit)
    return told if isinstance(told, str) else "".join(told)


def listed(items: Sequence[str], limit: int = 0) -> Phrase:
    """The same of texts that may be captured."""
    shown: list[Phrase] = list(items[:limit] if limit and len(items) > limit else items)
    if len(items) > len(shown):
        shown.append(text("{count} more", count=f"{len(items) - len(shown):,}"))
    if not shown:
        return ""
    told, last = shown[0], len(shown) - 1
    for at, item in enumerate(shown[1:], 1):
        told = joined(told, text(" and ") if at == last else text(", "), item)
    return told
