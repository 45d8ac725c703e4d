"""Passwords and tokens in text messages: values of JSON's, STOMP's and forms' fields that are named so.

They are left out of what is shown. Nothing says what a text means, so they are no sightings.
"""

from __future__ import annotations

import re

MASK = "********"
_NAMES = (
    r"(?:[a-z]+[_\-])?(?:password|passwd|passcode|passphrase|passwort|pwd|pass|secret|token|jwt|api[_\-]?key|pin"
    r"|authorization|credentials?|[a-z]{1,20}(?:password|passwd|token|secret))"
)
_JSON = re.compile(
    rf'(?<!\\)"{_NAMES}"\s*:\s*(?:"(?P<text>(?:[^"\\]|\\.)*)|(?P<number>[\d.+\-]+))', re.IGNORECASE | re.DOTALL
)
_JSON_IN_TEXT = re.compile(
    rf'(?<!\\)(?P<quote>\\{{1,7}}"){_NAMES}(?P=quote)\s*:\s*(?:(?P=quote)(?P<text>.*?)(?:(?P=quote)|\Z)|(?P<number>[\d.+\-]+))',
    re.IGNORECASE | re.DOTALL,
)
_HEADER = re.compile(rf"(?:^|\n){_NAMES}:[ \t]*(?P<text>[^\r\n\0]+)", re.IGNORECASE)
_FORM = re.compile(rf"(?:^|[?&;\s]){_NAMES}=(?P<text>[^&;\s\"']+)", re.IGNORECASE)


def without_secrets(text: str) -> tuple[str, bool]:
    """A text without what is named a password or token, and whether there was any."""
    before = text
    for pattern in (_JSON, _JSON_IN_TEXT, _HEADER, _FORM):
        text = pattern.sub(_masked, text)
    return text, text != before


def _masked(match: re.Match[str]) -> str:
    group = "text" if match["text"] is not None else "number" if "number" in match.re.groupindex else "text"
    begin, end = match.start(group) - match.start(), match.end(group) - match.start()
    return match[0][:begin] + MASK + match[0][end:] if end > begin else match[0]
