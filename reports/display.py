"""How text and numbers are shown to a reader.

Everything that comes out of a capture is hostile: it may hold control characters, direction overrides,
characters that cannot be seen, or a word without end. `visible` and `captured` are the one way by which such text
reaches a page, a cell or a packet comment. Secrets are not this module's affair: they are masked before.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime

from markupsafe import Markup, escape

from .language import plural, text

WORD = 48
MARKS = 4
_BREAKABLE = re.compile(rf"\S{{{WORD + 1},}}")
_LOOKALIKES = {0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800}


def visible(text: object, limit: int = 0) -> str:
    r"""The text with every character that has no sight of its own written as `\u{hex}`.

    Escaped are control, format and direction characters, separators other than the plain blank, unassigned and
    private characters, lone surrogates, fillers that look like nothing, and combining marks beyond four on one letter.
    With a limit the text ends once so many characters are shown, and says how many follow.
    """
    return "".join(part for part, _ in _parts(str(text), limit))


def captured(text: object, limit: int = 0) -> Markup:
    """As `visible`, for HTML: escapes stand out, long words may break, and direction cannot leak to what is around."""
    body = "".join(
        f'<span class="esc">{_broken(part)}</span>' if odd else _broken(part) for part, odd in _parts(str(text), limit)
    )
    return Markup(body if body.isascii() else f"<bdi>{body}</bdi>")


def _parts(text: str, limit: int) -> list[tuple[str, bool]]:
    """Runs of the text with whether the run was made by us."""
    if text.isascii() and text.isprintable():
        rest = len(text) - limit if limit else 0
        return [(text, False)] if rest <= 0 else [(text[:limit], False), (_more(rest), True)]
    return _escaped(text, limit)


def _more(rest: int) -> str:
    return f"... ({rest:,} more characters)"


def _escaped(text: str, limit: int) -> list[tuple[str, bool]]:
    parts: list[tuple[str, bool]] = []
    marks = length = 0
    for at, character in enumerate(text):
        if limit and length >= limit:
            parts.append((_more(len(text) - at), True))
            break
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        odd = not character.isprintable() or marks > MARKS or ord(character) in _LOOKALIKES or _selector(character)
        shown = f"\\u{{{ord(character):x}}}" if odd else character
        length += len(shown)
        if parts and parts[-1][1] == odd:
            parts[-1] = (parts[-1][0] + shown, odd)
        else:
            parts.append((shown, odd))
    return parts


def _selector(character: str) -> bool:
    return 0xFE00 <= ord(character) <= 0xFE0F or 0xE0100 <= ord(character) <= 0xE01EF


def _broken(text: str) -> str:
    """HTML of the text in which a word longer than WORD characters may break, so that layout stays linear."""
    pieces, end = [], 0
    for match in _BREAKABLE.finditer(text):
        pieces.append(escape(text[end : match.start()]))
        word = match.group()
        pieces.append(Markup("<wbr>").join(escape(word[at : at + WORD]) for at in range(0, len(word), WORD)))
        end = match.end()
    pieces.append(escape(text[end:]))
    return "".join(pieces)


def number(value: int) -> str:
    """An integer with thousands separators."""
    return f"{value:,}"


def size(count: int) -> str:
    """A number of bytes in the largest unit that keeps it at or above one: `331.7 KB` (1 KB is 1,000 bytes)."""
    amount = float(count)
    for unit in ("bytes", "KB", "MB", "GB"):
        if amount < 1000:
            return text("{count} bytes", count=count) if unit == "bytes" else f"{amount:,.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"


UNITS: tuple[tuple[int, Callable[[int], str]], ...] = (
    (86_400, lambda count: plural(count, "day")),
    (3_600, lambda count: plural(count, "hour")),
    (60, lambda count: plural(count, "minute")),
    (1, lambda count: plural(count, "second")),
)


def duration(nanoseconds: int) -> str:
    """A span of time in words, in the two largest units that matter."""
    seconds = nanoseconds // 1_000_000_000
    if seconds < 1:
        return f"{nanoseconds / 1e6:.0f} ms"
    parts = []
    for length, told in UNITS:
        amount, seconds = divmod(seconds, length)
        if amount:
            parts.append(told(amount))
    return " ".join(parts[:2])


def moment(time: str | None) -> str:
    """An RFC 3339 time as `2026-11-20 09:17:00.123456 UTC`; microseconds suffice for a reader."""
    if not time or len(time) < 20:
        return visible(time, 40) if time else text("unknown")
    fraction = time[19:-1][:7]
    return f"{time[:10]} {time[11:19]}{fraction} UTC"


def nanoseconds(time: str | None) -> int | None:
    """Nanoseconds since 1970 of an RFC 3339 UTC time ending in Z; None where there is none or it is not one."""
    if not time or not time.endswith("Z"):
        return None
    try:
        whole = datetime.strptime(time[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
        fraction = int((time[20:-1] or "0").ljust(9, "0")[:9])
    except ValueError:
        return None
    return int(whole.timestamp()) * 1_000_000_000 + fraction


def timestamp(nanos: int) -> str:
    """The inverse of `nanoseconds`."""
    whole, fraction = divmod(nanos, 1_000_000_000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"
