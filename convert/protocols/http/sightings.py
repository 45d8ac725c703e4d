"""Secrets in HTTP requests: where each kind is looked for.

Secrets are found by the grammar of the message, never by searching for words. Which field names hold a secret is a
closed list (form_fields.py): names such as `key`, `token`, `sid` or `signature` are as often something else.
"""

from __future__ import annotations

import re
from hashlib import md5
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from ...model.sighting import FORM_BODY, URL_QUERY, URL_USERINFO, Sighting
from .authorization import in_authorization, in_header
from .body_secrets import looks_like_form, read_body
from .form import MOST_SECRETS, Form, sighting_of
from .form_fields import is_secret_field, is_user_field, own_name, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...model.exchange import HttpRequest, HttpResponse
    from ...model.span import Span
    from ..http1.heads import HeadText
    from ..http1.kept import Kept
    from ..http1.scan import Head
    from .content import BodyContent
    from .memory import Memory

REFERER = "referer"
# What is part of each name, or hides one, or begins a JWT; asked as query_may_hold_secret(target, where its query
# begins).
query_may_hold_secret = re.compile(
    r"pass|pw|pin|secret|key|token|kennwort|contrasena|mot|jwt|=eyJ|%", re.IGNORECASE
).search
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{0,15}://([^/?#]*)")


def find_secrets(
    request: HttpRequest,
    head: Head,
    text: HeadText,
    kept: Kept | None,
    body_ended: bool,
    content: BodyContent | None = None,
    memory: Memory | None = None,
) -> Sequence[Sighting]:
    """Every secret in a request whose bytes have passed; `body_ended`: the end of its body was seen.

    `content` is what was found in the body, where there is more to it than its bytes; `memory`: of the conversation.
    Cookies are told where there is a memory: it knows which are new.
    """
    target, host = request.target, request.host
    query = target.find("?")
    if (
        kept is None
        and content is None
        and query < 0
        and head.authorizations is None
        and head.telling is None
        and "@" not in target
        and "@" not in (host or "")
    ):
        return ()
    found: list[Sighting] = []
    if query >= 0 and query_may_hold_secret(target, query):
        found += _in_query(request, text)
    if content is not None and (content.divided or content.decoder is not None):
        found += _in_content(request, head, kept, content, body_ended)
    elif kept is not None and kept.runs:
        found += _in_body(request, head, kept, body_ended)
    if "@" in target or (host is not None and "@" in host):
        found += _in_userinfo(request, head, text)
    for value, begin, end in head.authorizations or ():
        body_md5 = _body_md5(kept, body_ended) if "auth-int" in value else None
        sighting = in_authorization(request, text, value, begin, end, memory, body_md5)
        if sighting is not None:
            found.append(sighting)
    for name, value, begin, end in head.telling or ():
        found += _in_telling(request, text, name.lower(), value, begin, end, memory)
    return found[:MOST_SECRETS]


def _body_md5(kept: Kept | None, body_ended: bool) -> str | None:
    """Of a body that is known as a whole, as Digest's auth-int wants it."""
    if kept is None or not body_ended or len(kept.runs) != 1 or kept.begins_cut or kept.ends_cut:
        return None
    return md5(kept.runs[0], usedforsecurity=False).hexdigest()


def find_stray_secrets(request: HttpRequest, text: HeadText) -> Sequence[Sighting]:
    """Secrets in what looks like a form but stands behind a request that announced no body."""
    if not looks_like_form([text.raw], False):
        return ()
    form = Form(request, FORM_BODY)
    form.read(text.raw, False, False, text.span)
    for sighting in form.found:
        sighting.announced = False
    return form.found


def sent_cookies(
    request: HttpRequest, text: HeadText, value: str, begin: int, end: int, memory: Memory
) -> list[Sighting]:
    """The session cookies in a Cookie header, whose bytes are text.raw[begin:end], where they are new."""
    if text.raw[begin:end] != value.encode("latin-1"):
        return []  # in folded lines
    return memory.jar.sent(request, value, lambda first, last: text.span(begin + first, begin + last))


def given_cookies(
    request: HttpRequest | None, response: HttpResponse, text: HeadText, memory: Memory
) -> Sequence[Sighting]:
    """The session cookies that a response sets, where they are new."""
    found: list[Sighting] = []
    at = 0
    for name, value in response.headers:
        if name.lower() != "set-cookie" or len(found) >= MOST_SECRETS:
            continue
        begin = text.raw.find(value.encode("latin-1"), at)
        if begin >= 0:
            at = begin

            def locate(first: int, last: int, begin: int = begin) -> Span:
                return text.span(begin + first, begin + last)

            cookie = memory.jar.given(request, value, locate)
            if cookie is not None:
                found.append(cookie)
    return found


def _in_telling(
    request: HttpRequest, text: HeadText, name: str, value: str, begin: int, end: int, memory: Memory | None
) -> list[Sighting]:
    """A header of a name that may hold a token; or the page that one came from, or cookies."""
    if name == "cookie":
        return [] if memory is None else sent_cookies(request, text, value, begin, end, memory)
    folded = text.raw[begin:end] != value.encode("latin-1")
    if name != REFERER:
        return in_header(request, text, name, value, begin, end)
    found: list[Sighting] = []
    query = value.find("?") + 1
    if query and not folded and query_may_hold_secret(value, query - 1):
        stop = value.find("#", query)
        data = value[query : stop if stop >= 0 else len(value)].encode("latin-1")
        form = Form(request, REFERER)
        form.read(data, False, False, lambda first, last: text.span(begin + query + first, begin + query + last))
        found += form.found
    authority = _AUTHORITY.match(value)
    if authority is not None and "@" in authority[1] and not folded:
        inner = _userinfo(request, text, authority[1], begin + authority.start(1), False)
        for sighting in inner:
            sighting.field = REFERER
        found += inner
    return found


def _target_begin(text: HeadText, request: HttpRequest) -> int:
    begin = len(request.method)
    while text.raw[begin : begin + 1] in {b" ", b"\t"}:
        begin += 1
    return begin


def _in_query(request: HttpRequest, text: HeadText) -> list[Sighting]:
    target = request.target.encode("latin-1")
    begin = target.index(b"?") + 1
    end = target.find(b"#", begin)
    query = target[begin : end if end >= 0 else len(target)]
    shift = _target_begin(text, request) + begin
    form = Form(request, URL_QUERY)
    cut = not request.target_complete and end < 0
    form.read(query, False, cut, lambda first, last: text.span(shift + first, shift + last))
    return form.found


def _in_body(request: HttpRequest, head: Head, kept: Kept, body_ended: bool) -> list[Sighting]:
    form = Form(request, FORM_BODY)
    runs = [bytes(run) for run in kept.runs]
    read_body(form, head.content_type, runs, kept.begins_cut, kept.ends_cut or not body_ended, kept.span)
    return form.found


def _in_content(
    request: HttpRequest, head: Head, kept: Kept | None, content: BodyContent, body_ended: bool
) -> list[Sighting]:
    """In a body that was decoded, or is in parts. What is not on the wire as it is has the whole body's span."""
    whole = request.span
    if kept is not None and kept.runs:
        whole = kept.span(0, 0, len(kept.runs[0]))
    form = Form(request, FORM_BODY)
    if content.form:
        cut = content.form_cut or not body_ended
        read_body(form, head.content_type, [bytes(content.form)], False, cut, lambda _run, _begin, _end: whole)
    for name, value, complete, run, begin in content.values:
        if is_user_field(name):
            form.name(text_of(value), own_name(name.encode("latin-1")))
        elif is_secret_field(name) and value and not form.full:
            span, end = whole, begin + len(value)
            if content.decoder is None and kept is not None and run < len(kept.runs) and end <= len(kept.runs[run]):
                span = kept.span(run, begin, end)
            form.add(text_of(name.encode("latin-1")), value, value, complete, span)
    if content.decoder is not None:
        for sighting in form.found:
            sighting.raw = sighting.secret
    return form.found


def _in_userinfo(request: HttpRequest, head: Head, text: HeadText) -> list[Sighting]:
    found: list[Sighting] = []
    target = request.target
    authority = _AUTHORITY.match(target)
    if authority is not None:
        begin, value = authority.start(1), authority[1]
    elif request.method == "CONNECT":
        begin, value = 0, target
    else:
        begin, value = 0, ""
    cut = not request.target_complete and begin + len(value) == len(target)
    shift = _target_begin(text, request) + begin
    found += _userinfo(request, text, value, shift, cut)
    if not found and head.host is not None and "@" in head.host:
        host = head.host.encode("latin-1")
        shift = text.raw.find(host, len(request.method) + len(target))
        if shift >= 0:
            cut = not request.headers_complete and shift + len(host) == len(text.raw)
            found += _userinfo(request, text, head.host, shift, cut)
    return found


def _userinfo(request: HttpRequest, text: HeadText, authority: str, shift: int, cut: bool) -> list[Sighting]:
    userinfo, at, _ = authority.rpartition("@")
    user, colon, password = userinfo.partition(":")
    if not at or not colon or not password:
        return []
    raw = password.encode("latin-1")
    begin = shift + len(user) + 1
    username = text_of(unquote_to_bytes(user)) or None
    secret = unquote_to_bytes(raw)
    span = text.span(begin, begin + len(raw))
    return [sighting_of(request, URL_USERINFO, None, username, secret, raw, True, span)]
