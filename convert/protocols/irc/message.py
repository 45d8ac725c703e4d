"""A line of IRC: tags, source, command and parameters (RFC 2812, 2.3.1; IRCv3's message tags)."""

from __future__ import annotations

import re
from typing import NamedTuple

_BEGIN = re.compile(rb" *(?:@[^ ]* +)?(?::([^ ]*) +)?([A-Za-z]{1,32}|[0-9]{3})(?= |\Z)")
_PARAMETER = re.compile(rb" +(?::(.*)|([^ ]+))", re.DOTALL)
_MOST_PARAMETERS = 15


class Parameter(NamedTuple):
    """One of a command."""

    text: bytes
    begin: int
    """Where it begins in the line."""


class Said(NamedTuple):
    """A line."""

    source: bytes
    """Who said it, empty where the line does not tell."""
    command: bytes
    """In upper case, or three digits."""
    parameters: list[Parameter]

    @property
    def nick(self) -> bytes:
        """Of who said it, in lower case."""
        return self.source.partition(b"!")[0].partition(b"@")[0].lower()

    @property
    def last(self) -> bytes:
        """The last parameter, which is text for people in most answers."""
        return self.parameters[-1].text if self.parameters else b""

    def parameter(self, index: int) -> bytes:
        """One by its number from 0; empty where there is none."""
        return self.parameters[index].text if index < len(self.parameters) else b""


def parse(line: bytes) -> Said | None:
    """A line without its end; None where it is none of IRC."""
    head = _BEGIN.match(line)
    if head is None:
        return None
    found: list[Parameter] = []
    at = head.end()
    while len(found) < _MOST_PARAMETERS and (match := _PARAMETER.match(line, at)) is not None:
        group = 2 if match[1] is None else 1
        found.append(Parameter(match[group], match.start(group)))
        at = match.end()
    return Said(head[1] or b"", head[2].upper(), found)
