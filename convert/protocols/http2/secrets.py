"""Secrets in requests of HTTP/2: the same places as in HTTP/1 (http_sightings.py), shown to the same eyes.

Header fields are compressed, so a secret in one has no bytes of its own on the wire: its `raw` is the value as it was
spelled, and its span that of the frames that hold the header block. A body's bytes stand as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from ...model.sighting import FORM_BODY, Sighting
from ..http.sightings import find_secrets
from ..http1.heads import HeadText
from ..http1.scan import parse_head

if TYPE_CHECKING:
    from ...model.exchange import HttpRequest
    from ...model.span import Span
    from ..http.content import BodyContent
    from ..http1.kept import Kept

_TOKEN = re.compile(r"[!-~]{1,64}")
_BREAKS = re.compile(r"[\r\n\0]")
_TELLING = frozenset({"authorization", "proxy-authorization", "content-type"})


def request_secrets(
    request: HttpRequest, head_span: Span, kept: Kept | None, body_ended: bool, content: BodyContent | None
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
    lines += [f"{name}: {value}" for name, value in request.headers if name in _TELLING]
    raw = "\r\n".join(_BREAKS.sub(" ", line) for line in lines).encode("latin-1") + b"\r\n\r\n"
    text = HeadText(raw, head_span.offset, [(0, head_span.place)])
    found = find_secrets(asked, parse_head(raw, True), text, kept, body_ended, content)
    return [
        msgspec.structs.replace(
            sighting,
            span=sighting.span if sighting.location == FORM_BODY else head_span,
            method=request.method,
            target=request.target,
        )
        for sighting in found
    ]


def _may_hold_secrets(request: HttpRequest) -> bool:
    """A cheap look at what most requests are without."""
    if "?" in request.target or "@" in request.target or "@" in (request.host or ""):
        return True
    return any(name.endswith("authorization") for name, _ in request.headers)
