"""What is wrong with a filter, told so that it can be mended: a sentence, and a caret under the place."""

from __future__ import annotations

from ..errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

WINDOW: Final = 100  # characters of the filter that are shown around the place


class FilterError(UsageError):
    """A filter that cannot be judged. `position` counts characters of `text` from 0; `hint` says what to do, or "".

    `str()` gives three lines: the message with the hint, the filter, and a caret under the place.
    """

    def __init__(self, message: str, text: str = "", position: int = 0, hint: str = "") -> None:
        self.message = message
        self.text = text
        self.position = min(max(position, 0), len(text))
        self.hint = hint
        super().__init__(self.shown())

    def shown(self) -> str:
        """The message as it is printed."""
        line = f"{self.message}; {self.hint}" if self.hint else self.message
        if not self.text:
            return line
        first = max(0, self.position - WINDOW // 2)
        part = "".join(char if char.isprintable() else "?" for char in self.text[first : first + WINDOW])
        before, after = "..." if first else "", "..." if first + WINDOW < len(self.text) else ""
        caret = " " * (len(before) + self.position - first)
        return f"{line}\n  {before}{part}{after}\n  {caret}^"


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The existing name that is most like `name`; None where none is like it."""
    known = list(names)
    word = name[:80].lower()
    for guess in (word, f"proc.{word}", f"fd.{word}", f"evt.{word}", f"user.{word}"):
        if guess in known:
            return guess
    from difflib import get_close_matches

    found = get_close_matches(word, known, 1, 0.7)
    if not found and "." in word:
        last = word.rsplit(".", 1)[1]
        found = [known_name for known_name in known if known_name.rsplit(".", 1)[1:] == [last]][:1]
    return found[0] if found else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The hint for a name that does not exist; "" where no other is like it."""
    found = nearest(name, names)
    return f"did you mean {found}?" if found else ""
