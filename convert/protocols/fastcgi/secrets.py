"""What is secret in the parameters and the form of a FastCGI request: as in HTTP, from where web servers take it.

What is secret is left out of the record; what HTTP's own headers and bodies would tell is sighted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ...model.exchange import HttpRequest
from ...model.sighting import FORM_BODY, URL_QUERY, Sighting
from ...model.span import Span
from ..http.authorization import in_authorization, in_header
from ..http.body_secrets import OTHER, UNSAID, kind_of, read_body
from ..http.form import MOST_SECRETS, Form
from ..http.sightings import sent_cookies
from ..http1.heads import HeadText

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model.record import Value
    from ..http.memory import Memory
    from ..http1.kept import Kept

PARAM = "fastcgi-param"
_PASSWORD = re.compile(
    r"(?:\A|.*[_.\-])(?:PASSWORD|PASSWD|PASSWORT|PASS|PWD|PW|PASSPHRASE|SECRET|SECRET_KEY|API_?KEY|AUTH_TOKEN"
    r"|ACCESS_TOKEN)\Z",
    re.IGNORECASE,
)
_NO_PASSWORD = re.compile(r"\A(?:HTTP_|SSL_|PWD\Z)", re.IGNORECASE)
_AUTHORIZATION = re.compile(r"\A(?:REDIRECT_)*(?:HTTP_)?(?:PROXY_)?AUTHORIZATION\Z", re.IGNORECASE)
_TOKEN = re.compile(
    r"\A(?:REDIRECT_)*(?:HTTP_COOKIE2?|PHP_AUTH_DIGEST|HTTP_.*(?:TOKEN|API_?KEY|SECRET|PASSWORD|PASSWD|SESSION)"
    r"|HTTP_SEC_WEBSOCKET_PROTOCOL)\Z",
    re.IGNORECASE,
)
_HEADER_NAME = re.compile(r"\A(?:REDIRECT_)*(?:HTTP_)?", re.IGNORECASE)
_USERINFO = re.compile(r"(://[^/?#@:\s]{0,256}:)[^/?#@\s]{1,1024}@")
# As in the data source of a database, or a setting of PHP.
_ASSIGNED = re.compile(r"((?:passw(?:or)?d|passphrase|secret|pwd|_pw)[ \t]{0,8}=[ \t]{0,8})[^;&\s]+", re.IGNORECASE)
_QUERIES = frozenset(("QUERY_STRING", "REQUEST_URI"))
_PLAIN_TYPE = re.compile(
    r"\s*(?:image|audio|video|font)/|\s*application/(?:octet-stream|pdf|zip|gzip)\b", re.IGNORECASE
)


class Params(NamedTuple):
    """Parameters without what is secret, and that."""

    shown: list[Value]
    by_name: dict[str, str]
    """The first value of each name, as shown."""
    sightings: list[Sighting]
    left_out: bool
    """Something secret was, whether it is sighted or not."""


def read_params(kept: Kept, found: list[tuple[int, int, int]], whole: bool, memory: Memory | None = None) -> Params:
    """`found`: as records.pairs gives them for the first run of `kept`; `whole`: the last one is not cut.

    `memory`: of the conversation, for its cookies.
    """
    data = bytes(kept.runs[0]) if kept.runs else b""
    named = [(data[at:value].decode("latin-1"), data[value:end], value) for at, value, end in found]
    plain = {name.upper(): value.decode("latin-1") for name, value, _ in reversed(named)}
    request = _http(plain.get("REQUEST_METHOD"), _plain_target(plain), plain.get("HTTP_HOST"))
    shown: list[Value] = []
    by_name: dict[str, str] = {}
    sightings: list[Sighting] = []
    left_out = False
    for number, (name, value, at) in enumerate(named):
        complete = whole or number < len(named) - 1
        say: str | None = None
        if (_TOKEN.search(name) or _AUTHORIZATION.search(name)) and value:
            left_out = True
            sightings += _in_header(request, name, value, complete, kept, at, memory)
        elif name.upper() == "PHP_AUTH_PW" or (_PASSWORD.match(name) and not _NO_PASSWORD.match(name)):
            left_out = left_out or bool(value)
            user = plain.get("PHP_AUTH_USER") if name.upper() == "PHP_AUTH_PW" else None
            if value:
                span = _locator(kept, at)(0, len(value))
                sightings.append(_sighting(request, PARAM, name, user, value, value, complete, span))
        else:
            say, seen, stripped = _stripped(request, name, value, complete, _locator(kept, at))
            left_out = left_out or stripped
            told = {sighting.secret for sighting in sightings}
            sightings += [sighting for sighting in seen if sighting.secret not in told]
        shown.append([name, say])
        if say is not None:
            by_name.setdefault(name.upper(), say)
    return Params(shown, by_name, sightings, left_out)


def read_form(kept: Kept, params: dict[str, str], ended: bool) -> list[Sighting]:
    """Secrets in a body that holds fields; what the parameters say of the request is theirs too."""
    target = params.get("REQUEST_URI")
    form = Form(_http(params.get("REQUEST_METHOD"), target, params.get("HTTP_HOST")), FORM_BODY)
    runs = [bytes(run) for run in kept.runs]
    read_body(form, params.get("CONTENT_TYPE"), runs, kept.begins_cut, kept.ends_cut or not ended, kept.span)
    return [_ours(sighting) for sighting in form.found]


def is_form(content_type: str | None) -> bool:
    """Whether a body of this type may hold fields."""
    return content_type is not None and kind_of(content_type) not in {OTHER, UNSAID}


def may_hold_secret(content_type: str | None) -> bool:
    """Whether a body's hash would be an oracle for a secret in it: pictures and archives hold none."""
    return content_type is None or _PLAIN_TYPE.match(content_type) is None


def without_secrets(text: str) -> tuple[str, bool]:
    """A text with a URL in it without its passwords; and whether there were any."""
    say, _, stripped = _stripped(_http(None, None, None), "", text.encode("latin-1"), True, _nowhere)
    return say or "", stripped


def _nowhere(begin: int, end: int) -> Span:
    return Span(None, begin, end - begin)


def _locator(kept: Kept, at: int) -> Callable[[int, int], Span]:
    return lambda begin, end: kept.span(0, at + begin, at + end)


def _plain_target(plain: dict[str, str]) -> str | None:
    """Without its query, in which secrets may stand."""
    target = plain.get("REQUEST_URI")
    return target.partition("?")[0] if target is not None else None


def _http(method: str | None, target: str | None, host: str | None) -> HttpRequest:
    return HttpRequest(Span(None, 0, 0), method or "", target or "", host, "", [], True, 0, True, False)


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
    found = Sighting(location, field, user, secret, raw, complete, span, request.method, request.host, request.target)
    return _ours(found)


def _ours(sighting: Sighting) -> Sighting:
    sighting.protocol = "fastcgi"
    sighting.method = sighting.method or None
    sighting.target = sighting.target or None
    return sighting


def _in_header(
    request: HttpRequest, name: str, value: bytes, complete: bool, kept: Kept, at: int, memory: Memory | None
) -> list[Sighting]:
    """A header that came as a parameter, read as in HTTP: Basic, Bearer, Digest, cookies, tokens."""
    header = _HEADER_NAME.sub("", name).lower().replace("_", "-")
    if name.upper().endswith("PHP_AUTH_DIGEST"):
        header, shown, shift = "authorization", b"Digest " + value, 7
    else:
        shown, shift = value, 0
    text, size = shown.decode("latin-1"), len(shown)
    # The text of a header alone, whose bytes stand in the parameters.
    head = HeadText(shown, 0, [(0, None)])
    asked = msgspec.structs.replace(request, headers_complete=complete)
    found: list[Sighting] = []
    if header == "cookie":
        found += sent_cookies(asked, head, text, 0, size, memory) if memory is not None else []
    elif header.endswith("authorization"):
        sighting = in_authorization(asked, head, text, 0, size, memory, None)
        found += [] if sighting is None else [sighting]
    else:
        found += in_header(asked, head, header, text, 0, size)
    locate = _locator(kept, at - shift)
    for sighting in found:
        sighting.span = locate(sighting.span.offset, sighting.span.offset + sighting.span.length)
        sighting.secret_complete = sighting.secret_complete and complete
    return [_ours(sighting) for sighting in found]


def _stripped(
    request: HttpRequest, name: str, value: bytes, complete: bool, locate: Callable[[int, int], Span]
) -> tuple[str | None, list[Sighting], bool]:
    """A value without the secrets in its query or its URL; those of the request's own query; whether there were any."""
    text = value.decode("latin-1")
    begin = 0 if name.upper().endswith("QUERY_STRING") else value.find(b"?") + 1
    seen: list[Sighting] = []
    size = len(text)
    if begin or name.upper().endswith("QUERY_STRING"):
        end = value.find(b"#", begin)
        query = value[begin : end if end >= 0 else len(value)]
        cuts: list[tuple[int, int]] = []

        def mark(first: int, last: int) -> Span:
            cuts.append((begin + first, begin + last))
            return locate(begin + first, begin + last)

        form = Form(request, URL_QUERY)
        form.read(query, False, not complete and end < 0, mark)
        if len(form.found) >= MOST_SECRETS:
            return None, [_ours(sighting) for sighting in form.found], True
        for first, last in reversed(cuts):
            text = text[:first] + text[last:]
        if name.upper() in _QUERIES:
            seen = [_ours(sighting) for sighting in form.found]
    if "://" in text:
        text = _USERINFO.sub(r"\1@", text)
    if "=" in text:
        text = _ASSIGNED.sub(r"\1", text)
    return text, seen, len(text) < size
