"""Passwords and tokens in text messages: values of JSON's, STOMP's and forms' fields that are named so.

They are left out of what is shown. What a client sends as JSON is read as in the body of a request: a login.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...model.exchange import HttpRequest
from ...model.sighting import CERTAIN, LIKELY, Sighting
from ...model.span import Span
from ..http.form import Form
from ..http.json_fields import looks_like_json, read_json

if TYPE_CHECKING:
    from collections.abc import Sequence

MESSAGE = "websocket-message"
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


def logins(text: bytes, span: Span, plain: bool, cut: bool) -> Sequence[Sighting]:
    """Secrets in a message of JSON. `span`: of its payload, in which they stand where they do in the text if it is
    `plain`, though each byte is masked on the wire; else each has the whole span.
    """
    if not looks_like_json(text[:16]):
        return ()
    form = Form(HttpRequest(span, "", "", None, "", [], True, 0, True, True), MESSAGE)

    def locate(begin: int, end: int) -> Span:
        return Span(span.place, span.offset + begin, end - begin) if plain else span

    read_json(form, text, cut, locate)
    for sighting in form.found:
        sighting.protocol = "websocket"
        sighting.method = sighting.host = sighting.target = None
        if sighting.username is None and sighting.confidence == CERTAIN and sighting.details is None:
            sighting.confidence = LIKELY
    return form.found
