"""Session cookies in Cookie and Set-Cookie (RFC 6265): by their names, from a closed list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ...model.sighting import CERTAIN, COOKIE, LIKELY, TOKEN, Sighting
from . import jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...model.exchange import HttpRequest
    from ...model.span import Span

MOST_SEEN = 4096
"""Cookies of one conversation that are remembered; beyond it none is told again as new."""
_MOST = 50
_NAMED = (
    "phpsessid jsessionid jsessionidsso asp.net_sessionid aspsessionid cfid cftoken connect.sid sid ssid session"
    " sessionid session_id sessid sess _session_id laravel_session ci_session express.sid koa.sid koa:sess"
    " play_session rack.session beaker.session.id wordpress_logged_in grafana_session session_token auth auth_token"
    " authtoken access_token refresh_token id_token token jwt remember_token remember_me rememberme remember_user_token"
    " .aspxauth .aspnetcore.cookies .aspnet.applicationcookie jenkins-session sails.sid mysapsso2 ltpatoken ltpatoken2"
    " frontend adminhtml horde phorum_session_v5 mybbuser sessionkey bearer xs msisauth fedauth rtfa smsession"
    " opensession cpsession webvpn mrhsession icinga2session zbx_session zbx_sessionid session-id hsid sapisid apisid"
)
_SESSIONS = frozenset(_NAMED.split())
_PATTERN = re.compile(
    r"(?:.*[_.\-])?(?:sess(?:ion)?(?:[_\-]?(?:id|key|token))?|auth[_\-]?(?:token|key|session|cookie)?|"
    r"access[_\-]?token|refresh[_\-]?token|id[_\-]?token|login[_\-]?token|jwt)|aspsessionid[a-z]{8}"
    r"|wordpress(?:_logged_in|_sec)?_[0-9a-f]{32}|s?sess[0-9a-f]{32}|[a-z]{0,20}sess(?:ion)?id|phpbb3?_\w{1,20}_sid"
    r"|\.aspnetcore\.(?:session|cookies|identity\.application)|jsessionid\w{0,20}|remember_web_[0-9a-f]{40}"
)
_NOT = re.compile(r"csrf|xsrf|consent|pref|analytics|_ga|_gid|utm|optimizely|ab_test|expires|timeout|lang|locale")
_PAIR = re.compile(r"(?:^|;)[ \t]*([^=;\s\"]{1,128})[ \t]*=[ \t]*(\"?)([^;\"]*)")
_VALUE = re.compile(r"[!-~]{6,4096}")
_LATER = re.compile(r";[ \t]*(secure|httponly)[ \t]*(?=;|\Z)", re.IGNORECASE)


class Found(NamedTuple):
    """A session cookie in a header's value."""

    name: str
    value: str
    begin: int


def is_session(name: str) -> bool:
    """Whether a cookie of this name stands for a login or a session."""
    low = name.lower()
    if low.startswith(("__host-", "__secure-")):
        low = low.partition("-")[2]
    return (low in _SESSIONS or _PATTERN.fullmatch(low) is not None) and _NOT.search(low) is None


def sessions(header: str) -> Iterator[Found]:
    """The session cookies of a Cookie header; of Set-Cookie the first pair alone is one."""
    for number, match in enumerate(_PAIR.finditer(header)):
        if number >= _MOST * 10:
            return
        value = match[3].rstrip(" \t")
        named = is_session(match[1]) and _VALUE.fullmatch(value) and not value.isalpha()
        if named or (value.startswith("eyJ") and jwt.read(value) is not None):
            yield Found(match[1], value, match.start(3))


class Jar:
    """The cookies that were seen in one conversation: each is told once."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._last = ""

    def _is_new(self, cookie: Found) -> bool:
        key = hash((cookie.name, cookie.value))
        if key in self._seen or len(self._seen) >= MOST_SEEN:
            return False
        self._seen.add(key)
        return True

    def sent(self, request: HttpRequest, value: str, locate: Callable[[int, int], Span]) -> list[Sighting]:
        """Of a Cookie header. The same header again is not looked at."""
        if value == self._last:
            return []
        self._last = value
        return [
            _sighting(request, cookie, locate, {"secure": None, "httponly": None})
            for _, cookie in zip(range(_MOST), sessions(value), strict=False)
            if self._is_new(cookie)
        ]

    def given(self, request: HttpRequest | None, value: str, locate: Callable[[int, int], Span]) -> Sighting | None:
        """Of a Set-Cookie header; None where it sets no session, takes one away, or was seen."""
        cookie = next(sessions(value.partition(";")[0]), None)
        if cookie is None or cookie.value.lower() in {"deleted", "expired"} or not self._is_new(cookie):
            return None
        said = {match[1].lower() for match in _LATER.finditer(value)}
        return _sighting(request, cookie, locate, {"secure": "secure" in said, "httponly": "httponly" in said})


def _sighting(
    request: HttpRequest | None,
    cookie: Found,
    locate: Callable[[int, int], Span],
    details: dict[str, bool | None],
) -> Sighting:
    raw = cookie.value.encode("latin-1")
    span = locate(cookie.begin, cookie.begin + len(raw))
    found = Sighting(COOKIE, cookie.name, None, raw, raw, True, span, form=TOKEN, confidence=LIKELY)
    if request is not None:
        found.method, found.host, found.target = request.method, request.host, request.target
    found.details = {**details}
    told = jwt.read(cookie.value)
    if told is not None:
        found.username, found.confidence = told[0], CERTAIN
        found.details = {**details, **told[1]}
    return found
