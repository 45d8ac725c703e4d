"""Secrets in HTTP requests: form bodies, query strings, user and password in URLs, and Basic authorization (RFC 7617).

Secrets are found by the grammar of the message, never by searching for words. Which field names hold a secret is a
closed list: names such as `key`, `token`, `sid` or `signature` are as often something else.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from ...model.sighting import (
    ACCEPTED,
    AUTHORIZATION_BASIC,
    FORM_BODY,
    REFUSED,
    UNKNOWN,
    URL_QUERY,
    URL_USERINFO,
    Sighting,
)
from .form_fields import SECRET_FIELDS, USER_FIELDS, decoded, is_secret_field, is_user_field, own_name, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ...model.exchange import HttpRequest, HttpResponse
    from ...model.span import Span
    from ..http1.heads import HeadText
    from ..http1.kept import Kept
    from ..http1.scan import Head
    from .content import BodyContent

MOST_SECRETS = 100
"""Of one request; more are no login."""
_LONGEST_NAME = 256

# What is part of each name, or hides one; asked as query_may_hold_secret(target, where its query begins).
query_may_hold_secret = re.compile(r"pass|pw|pin|secret|key|token|%", re.IGNORECASE).search
_FORM_BEGINS = re.compile(rb"[A-Za-z0-9_.\-\[\]%+$~*:]{1,256}=")
_NOT_IN_FORMS = bytes(range(0x21)) + b'<>"{}\x7f'
_BASIC = re.compile(r"basic[ \t]+([A-Za-z0-9+/_\-]+={0,2})", re.IGNORECASE)
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{0,15}://([^/?#]*)")
_LOGIN_PAGE = re.compile(
    r"(?:^|[^a-z])(?:wp-)?(?:log[-_]?[io]n|sign[-_]?in|auth|authenticate|error|fail|failed|failure|denied|invalid)"
    r"(?:[^a-z]|$)"
)
_LOGGED_IN_COOKIE = re.compile(r"auth|logged_?in|remember|jwt|token", re.IGNORECASE)


def find_secrets(
    request: HttpRequest,
    head: Head,
    text: HeadText,
    kept: Kept | None,
    body_ended: bool,
    content: BodyContent | None = None,
) -> Sequence[Sighting]:
    """Every secret in a request whose bytes have passed; `body_ended`: the end of its body was seen.

    `content` is what was found in the body, where there is more to it than its bytes.
    """
    target, host = request.target, request.host
    query = target.find("?")
    if (
        kept is None
        and content is None
        and query < 0
        and head.authorizations is None
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
    if head.authorizations is not None:
        found += _in_basic(request, head, text)
    return found[:MOST_SECRETS]


def find_stray_secrets(request: HttpRequest, text: HeadText) -> Sequence[Sighting]:
    """Secrets in what looks like a form but stands behind a request that announced no body."""
    if not _looks_like_form([text.raw], False):
        return ()
    form = Form(request, FORM_BODY)
    form.read(text.raw, False, False, text.span)
    for sighting in form.found:
        sighting.announced = False
    return form.found


def _fields(data: bytes, begins_cut: bool) -> Iterator[tuple[bytes, int, int]]:
    """(name, begin and end of the value) of each field in k=v&k=v; a first one without its beginning is passed over."""
    begin = data.find(b"&") + 1 if begins_cut else 0
    if begins_cut and not begin:
        return
    size = len(data)
    while begin <= size:
        end = data.find(b"&", begin)
        if end < 0:
            end = size
        equals = data.find(b"=", begin, min(end, begin + _LONGEST_NAME + 1))
        if equals > begin:
            yield data[begin:equals], equals + 1, end
        begin = end + 1


class Form:
    """Secrets in the fields of one form, or of one query, as these are given in their order.

    A secret's user is the nearest user field before it, else the first after it. `request` and `location` are what
    each Sighting says of where it was found.
    """

    def __init__(self, request: HttpRequest, location: str) -> None:
        self._request = request
        self._location = location
        self._user: str | None = None
        self._without: list[Sighting] = []
        self.found: list[Sighting] = []
        """At most MOST_SECRETS from what was read; without their outcome."""

    def read(self, data: bytes, begins_cut: bool, ends_cut: bool, locate: Callable[[int, int], Span]) -> None:
        """One stretch of fields without a loss in it."""
        for name, begin, end in _fields(data, begins_cut):
            field = own_name(name)
            if field in USER_FIELDS:
                self.name(text_of(decoded(data[begin:end].rstrip(b"\r\n"), True)))
            elif field in SECRET_FIELDS:
                complete = end < len(data) or not ends_cut
                raw = data[begin:end].rstrip(b"\r\n") if end == len(data) else data[begin:end]
                secret = decoded(raw, complete)
                if secret and len(self.found) < MOST_SECRETS:
                    span = locate(begin, begin + len(raw))
                    self.add(text_of(decoded(name, True)), secret, raw, complete, span)

    def name(self, user: str) -> None:
        """A field that names the user."""
        if not user:
            return
        self._user = user
        for sighting in self._without:
            sighting.username = user
        self._without.clear()

    def add(self, field: str, secret: bytes, raw: bytes, complete: bool, span: Span) -> None:
        """A field that holds a secret."""
        sighting = _sighting(self._request, self._location, field, self._user, secret, raw, complete, span)
        self.found.append(sighting)
        if self._user is None:
            self._without.append(sighting)


def _sighting(
    request: HttpRequest,
    location: str,
    field: str | None,
    user: str | None,
    secret: bytes,
    raw: bytes,
    complete: bool,
    span: Span,
) -> Sighting:
    return Sighting(location, field, user, secret, raw, complete, span, request.method, request.host, request.target)


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
    runs = [bytes(run) for run in kept.runs]
    if head.content_type is None and not _looks_like_form(runs, kept.begins_cut):
        return []
    form = Form(request, FORM_BODY)
    for index, run in enumerate(runs):
        last = index == len(runs) - 1
        ends_cut = not last or kept.ends_cut or not body_ended
        begins_cut = index > 0 or kept.begins_cut

        def locate(begin: int, end: int, index: int = index) -> Span:
            return kept.span(index, begin, end)

        form.read(run, begins_cut, ends_cut, locate)
    return form.found


def _in_content(
    request: HttpRequest, head: Head, kept: Kept | None, content: BodyContent, body_ended: bool
) -> list[Sighting]:
    """In a form that was decoded, or is in parts. What is not on the wire as it is has the whole body's span."""
    whole = request.span
    if kept is not None and kept.runs:
        whole = kept.span(0, 0, len(kept.runs[0]))
    form = Form(request, FORM_BODY)
    if content.form:
        said = bytes(content.form)
        if head.content_type is not None or _looks_like_form([said], False):
            form.read(said, False, content.form_cut or not body_ended, lambda _begin, _end: whole)
    for name, value, complete, run, begin in content.values:
        if is_user_field(name):
            form.name(text_of(value))
        elif is_secret_field(name) and value and len(form.found) < MOST_SECRETS:
            span, end = whole, begin + len(value)
            if content.decoder is None and kept is not None and run < len(kept.runs) and end <= len(kept.runs[run]):
                span = kept.span(run, begin, end)
            form.add(text_of(name.encode("latin-1")), value, value, complete, span)
    if content.decoder is not None:
        for sighting in form.found:
            sighting.raw = sighting.secret
    return form.found


def _looks_like_form(runs: list[bytes], begins_cut: bool) -> bool:
    """Whether a body of no declared type is k=v(&k=v)* and nothing else."""
    if not begins_cut and not _FORM_BEGINS.match(runs[0]):
        return False
    return all(len(run.rstrip(b"\r\n").translate(None, _NOT_IN_FORMS)) == len(run.rstrip(b"\r\n")) for run in runs)


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
    return [_sighting(request, URL_USERINFO, None, username, secret, raw, True, span)]


def _in_basic(request: HttpRequest, head: Head, text: HeadText) -> list[Sighting]:
    found: list[Sighting] = []
    for value, begin, end in head.authorizations or ():
        match = _BASIC.match(value)
        if match is None:
            continue
        token = match[1].encode("ascii")
        complete = request.headers_complete or end < len(text.raw)
        at = text.raw.find(token, begin, end)
        user, colon, password = _base64(token).partition(b":")
        if colon and at >= 0:
            span = text.span(at, at + len(token))
            found.append(_sighting(request, AUTHORIZATION_BASIC, None, text_of(user), password, token, complete, span))
    return found


def _base64(token: bytes) -> bytes:
    """Decode either alphabet, padded or not; what is left over of a cut token gives the bytes that it holds whole."""
    digits = token.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return b64decode(digits + b"=" * (-len(digits) % 4))


def outcome(secret: Sighting, response: HttpResponse) -> str:
    """What the response says of the secret; only what is plain from it."""
    status = response.status
    if secret.location == AUTHORIZATION_BASIC:
        if status in {401, 407}:
            return REFUSED
        return ACCEPTED if status == 101 or 200 <= status < 400 else UNKNOWN
    if status in {401, 403}:
        return REFUSED
    if secret.location == URL_USERINFO:
        return UNKNOWN
    if status in {302, 303} or (status == 301 and secret.method == "POST"):
        return _judge_redirect(secret, response)
    if 200 <= status < 300 and _logged_in(response):
        return ACCEPTED
    return UNKNOWN


def _judge_redirect(secret: Sighting, response: HttpResponse) -> str:
    """Sent on to a page that is not a login page: accepted. Sent back to the form, or to the same page: unknown."""
    for name, value in response.headers:
        if name.lower() == "location":
            location = value.lower()
            authority = _AUTHORITY.match(location)
            path = location[authority.end() :] if authority else location
            own = (secret.target or "").lower()
            own_authority = _AUTHORITY.match(own)
            own = own[own_authority.end() :] if own_authority else own
            if _LOGIN_PAGE.search(path) or not path or path.partition("?")[0] == own.partition("?")[0]:
                return UNKNOWN
            return ACCEPTED
    return UNKNOWN


def _logged_in(response: HttpResponse) -> bool:
    """A cookie that only one who is logged in gets; a session's cookie is handed to anyone."""
    for name, value in response.headers:
        if name.lower() == "set-cookie":
            cookie, equals, rest = value.partition("=")
            content = rest.partition(";")[0].strip(' "')
            if equals and content and content.lower() != "deleted" and _LOGGED_IN_COOKIE.search(cookie):
                return True
    return False
