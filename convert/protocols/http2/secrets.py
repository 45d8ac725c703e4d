"""Secrets in requests of HTTP/2: the same places as in HTTP/1 (http_sightings.py), shown to the same eyes.

Header fields are compressed, so a secret in one has no bytes of its own on the wire: its `raw` is the value as it was
spelled, and its span that of the frames that hold the header block. A body's bytes stand as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from ...model.sighting import FORM_BODY, Sighting
from ..http.sightings import find_secrets, given_cookies, sent_cookies
from ..http1.heads import HeadText
from ..http1.scan import parse_head

if TYPE_CHECKING:
    from ...model.exchange import HttpRequest, HttpResponse
    from ...model.span import Span
    from ..http.content import BodyContent
    from ..http.memory import Memory
    from ..http1.kept import Kept

_TOKEN = re.compile(r"[!-~]{1,64}")
_BREAKS = re.compile(r"[\r\n\0]")
_TELLING = frozenset(
    {"authorization", "proxy-authorization", "content-type", "cookie", "referer", "sec-websocket-protocol", "x-wsse"}
)
_MAY_TELL = ("token", "key", "secret", "apikey")


def request_secrets(
    request: HttpRequest,
    head_span: Span,
    kept: Kept | None,
    body_ended: bool,
    content: BodyContent | None,
    memory: Memory,
) -> list[Sighting]:
    """Every secret in a request, as find_secrets does; `head_span`: the frames of its header block."""
    if content is None and (kept is None or not kept.runs) and not _may_hold_secrets(request):
        return []
    # What HTTP/1 could not say is read all the same: a method that is not known, line breaks in values.
    method = request.method if _TOKEN.fullmatch(request.method) else "GET"
    asked = msgspec.structs.replace(request, method=method, target=_BREAKS.sub("_", request.target))
    lines = [f"{method} {asked.target} {request.version}"]
    if request.host is not None:
        lines.append(f"host: {request.host}")
    lines += [f"{name}: {value}" for name, value in request.headers if _tells(name)]
    text = _text(lines, head_span)
    head = parse_head(text.raw, True)
    found = list(find_secrets(asked, head, text, kept, body_ended, content, memory))
    if head.cookie is not None:
        found += sent_cookies(asked, text, head.cookie, head.cookie_begin, head.cookie_end, memory)
    return [
        msgspec.structs.replace(
            sighting,
            span=sighting.span if sighting.location == FORM_BODY else head_span,
            compressed=sighting.location != FORM_BODY,
            method=request.method,
            target=request.target,
        )
        for sighting in found
    ]


def _may_hold_secrets(request: HttpRequest) -> bool:
    """A cheap look at what most requests are without."""
    if "?" in request.target or "@" in request.target or "@" in (request.host or ""):
        return True
    return any(_tells(name) and name != "content-type" for name, _ in request.headers)


def _tells(name: str) -> bool:
    return name in _TELLING or name.endswith(_MAY_TELL)


def _text(lines: list[str], head_span: Span) -> HeadText:
    raw = "\r\n".join(_BREAKS.sub(" ", line) for line in lines).encode("latin-1") + b"\r\n\r\n"
    return HeadText(raw, head_span.offset, [(0, head_span.place)])


def response_cookies(
    request: HttpRequest | None, response: HttpResponse, head_span: Span, memory: Memory
) -> list[Sighting]:
    """The session cookies that a response sets."""
    lines = [f"{name}: {value}" for name, value in response.headers if name == "set-cookie"]
    if not lines:
        return []
    asked = msgspec.structs.replace(response, headers=[("set-cookie", _BREAKS.sub(" ", line[12:])) for line in lines])
    found = given_cookies(request, asked, _text(lines, head_span), memory)
    return [msgspec.structs.replace(sighting, span=head_span, compressed=True) for sighting in found]
