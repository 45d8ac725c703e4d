"""Globs and path prefixes, as fnmatch(3) without FNM_PATHNAME and sysdig's pmatch judge them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": r" \t\n\r\f\v",
    "blank": r" \t", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f", "cntrl": r"\x00-\x1f\x7f", "print": r"\x20-\x7e",
    "graph": r"\x21-\x7e",
}  # fmt: skip


MOST_GLOBS = 64
_globs: dict[tuple[str, bool], Callable[[str], bool]] = {}
"""Globs that were compiled: fields take some as arguments, and see them again with each event."""


def bracket(pattern: str, place: int) -> tuple[str, int] | None:
    """The set that begins at `place` (a `[`) as a regular expression, and where it ends; None if it never closes."""
    import re

    at = place + 1
    negated = pattern[at : at + 1] in ("!", "^") and pattern[at : at + 1] != ""
    at += negated
    first = True
    parts: list[str] = []
    while at < len(pattern):
        char = pattern[at]
        if char == "]" and not first:
            if not parts:
                return None
            return f"[{'^' if negated else ''}{''.join(parts)}]", at + 1
        first = False
        if char == "[" and pattern[at + 1 : at + 2] == ":" and (end := pattern.find(":]", at + 2)) > 0:
            if (known := CLASSES.get(pattern[at + 2 : end])) is None:
                return None
            parts.append(known)
            at = end + 2
            continue
        if char == "\\" and at + 1 < len(pattern):
            at += 1
            char = pattern[at]
        if pattern[at + 1 : at + 2] == "-" and pattern[at + 2 : at + 3] not in ("", "]"):
            last = pattern[at + 2]
            if char <= last:
                parts.append(f"{re.escape(char)}-{re.escape(last)}")
            at += 3
            continue
        parts.append(re.escape(char))
        at += 1
    return None


def glob(pattern: str, ignore_case: bool = False) -> Callable[[str], bool]:
    """Whether a text is matched as a whole. Linear in the text for each star: what a star took is not tried again."""
    found = _globs.get((pattern, ignore_case))
    if found is None:
        if len(_globs) >= MOST_GLOBS:
            _globs.clear()
        found = _globs[pattern, ignore_case] = _compiled(pattern, ignore_case)
    return found


def _compiled(pattern: str, ignore_case: bool) -> Callable[[str], bool]:
    import re

    pieces = [""]
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "*":
            pieces.append("")
        elif char == "?":
            pieces[-1] += "."
        elif char == "[" and (found := bracket(pattern, at - 1)) is not None:
            pieces[-1] += found[0]
            at = found[1]
        else:
            if char == "\\" and at < len(pattern):
                char = pattern[at]
                at += 1
            pieces[-1] += re.escape(char)
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[1:-1] if piece)
    whole = pieces[0] + (middle + ".*" + pieces[-1] if len(pieces) > 1 else "")
    flags = re.DOTALL | (re.IGNORECASE | re.ASCII if ignore_case else 0)
    match = re.compile(whole, flags).fullmatch
    return lambda text: match(text) is not None


def parts_of(path: str) -> tuple[str, ...]:
    """The components of a path."""
    return tuple(filter(None, path.split("/")))


def path_prefixes(prefixes: Iterable[str]) -> Callable[[str], bool]:
    """Whether one of the paths is the text, or a directory above it."""
    known = {parts_of(prefix) for prefix in prefixes}
    lengths = sorted({len(parts) for parts in known})

    def judge(text: str) -> bool:
        parts = parts_of(text)
        return any(length <= len(parts) and parts[:length] in known for length in lengths)

    return judge
