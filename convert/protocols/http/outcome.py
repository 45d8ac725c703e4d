"""What became of a secret, by the response to its request: accepted, refused, or not known. Only what is plain.

Rules, in this order; the first that says something counts:
Authorization: 401 and 407 refuse, 101 and 200 to 399 accept.
Anything else: 401 and 403 refuse (429 and other errors say nothing).
A form: 302, 303 (and 301 after POST) to a page that is no login page accept; to one whose query tells a failure refuse.
A cookie that only one who is logged in gets accepts.
JSON: a member `error`, `errors`, or false under `success`, `ok`, `authenticated` refuses; a token accepts.
A page: words of a failed login, or a field for a password together with the word error, refuse; a link to log out
where no password is asked for accepts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...model.sighting import (
    ACCEPTED,
    AUTHORIZATION_BASIC,
    COOKIE,
    FORM_BODY,
    HASH,
    REFUSED,
    UNKNOWN,
    URL_QUERY,
    URL_USERINFO,
    Sighting,
)
from .json_fields import looks_like_json

if TYPE_CHECKING:
    from ...model.exchange import HttpResponse

LOOKED_AT = 1 << 16
"""Bytes of a response's body that are kept for it, decoded."""
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{0,15}://([^/?#]*)")
_LOGIN_PAGE = re.compile(
    r"(?:^|[^a-z])(?:wp-)?(?:log[-_]?[io]n|sign[-_]?in|auth|authenticate|error|fail|failed|failure|denied|invalid)"
    r"(?:[^a-z]|$)"
)
_FAILED_QUERY = re.compile(
    r"[?&#](?:(?:login|auth|signin)?_?(?:error|err|failed|failure|fail|invalid|denied|badlogin|loginerror|authfail)"
    r"(?:=(?!0(?:[&#]|\Z)|false|none|&|\Z)|[&#]|\Z)|(?:status|msg|message|result|login)=(?:error|fail|failed|invalid|denied|"
    r"badlogin|incorrect|wrong))"
)
_LOGGED_IN_COOKIE = re.compile(r"auth|logged_?in|remember|jwt|token", re.IGNORECASE)
_ANONYMOUS_COOKIE = re.compile(r"csrf|xsrf|authenticity|antiforgery|verification", re.IGNORECASE)

_JSON_REFUSED = re.compile(
    rb'"(?:success|succeeded|ok|authenticated|logged_?in|valid|is_?authenticated|authorized|result)"\s*:\s*'
    rb'(?:false\b|"(?:false|fail|failed|failure|error|denied)")'
    rb'|"(?:error|errors|error_code|error_description|errcode)"\s*:\s*(?!null\b|false\b|0\b|""|\[\s*\]|\{\s*\}|none)'
    rb'|"(?:status|state|code)"\s*:\s*"(?:error|fail|failed|failure|denied|unauthori[sz]ed|invalid\w*|forbidden)"',
    re.IGNORECASE,
)
_JSON_ACCEPTED = re.compile(
    rb'"(?:access_?token|id_?token|auth_?token|jwt|session_?(?:id|token|key)|token|refresh_?token|bearer|authtoken|sid)"\s*:\s*'
    rb'"[^"]{8,}"|"(?:success|succeeded|ok|authenticated|logged_?in|is_?authenticated)"\s*:\s*(?:true\b|"true")'
    rb'|"(?:status|result|state)"\s*:\s*"(?:success|ok|authenticated|logged[ _]?in)"',
    re.IGNORECASE,
)
_FAILED_WORDS = re.compile(
    rb"(?:invalid|incorrect|wrong|bad|unknown|unrecogni[sz]ed)\s+(?:\w+\s+(?:or|and|/)\s+)?(?:user(?:\s?name)?|login|password"
    rb"|credentials?|e-?mail(?:\s+address)?|passphrase|pin)\b"
    rb"|(?:user(?:\s?name)?|login|password|credentials?|e-?mail)(?:\s+(?:or|and)\s+(?:user\s?name|password))?\s+"
    rb"(?:(?:you\s+)?(?:entered|provided|supplied)\s+)?(?:is|are|was|were)\s+(?:invalid|incorrect|wrong|not\s+(?:correct|valid|recogni[sz]ed))"
    rb"|(?:log[\s-]?in|sign[\s-]?in|authentication|logon)\s+(?:has\s+)?(?:failed|failure|incorrect|unsuccessful|error|denied)"
    rb"|(?:failed|unable)\s+to\s+(?:log|sign)\s?[io]n|access\s+denied|could\s+not\s+(?:log|sign)\s+you\s+in"
    rb"|(?:user\s?name|password|credentials?)\s+(?:do(?:es)?\s+not|doesn['&]\S*t|don['&]\S*t)\s+match"
    rb"|benutzername\s+oder\s+(?:das\s+)?(?:kenn|pass)wort|falsches\s+(?:kenn|pass)wort|anmeldung\s+fehlgeschlagen"
    rb"|mot\s+de\s+passe\s+(?:est\s+)?incorrect|contrase\S{1,9}\s+incorrecta",
    re.IGNORECASE,
)
_PASSWORD_FIELD = re.compile(rb"<input\b[^<>]{0,500}\btype\s*=\s*[\"']?password\b", re.IGNORECASE)
_ERROR_WORD = re.compile(rb"\b(?:error|failed|failure|incorrect|denied|try\s+again)\b", re.IGNORECASE)
_LOG_OUT = re.compile(
    rb"<a\b[^<>]{0,500}\bhref\s*=\s*[\"']?[^\"'<>\s]{0,300}(?:log[-_]?(?:out|off)|sign[-_]?out|abmelden)"
    rb"|<(?:form|button)\b[^<>]{0,300}(?:log[-_]?out|sign[-_]?out)",
    re.IGNORECASE,
)
_HIDDEN = re.compile(rb"<(script|style)\b.*?(?:</\1|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL)
_WELCOME = re.compile(
    rb"\bwelcome(?:\s+back)?,?\s|\blogged\s+in\s+(?:as|successfully)\b|\blogin\s+success", re.IGNORECASE
)
_IN_A_BODY = frozenset((FORM_BODY, URL_QUERY))


def outcome(secret: Sighting, response: HttpResponse, body: bytes | None = None) -> str:
    """What the response says of the secret; `body`: the beginning of its content, decoded, where that was kept."""
    status = response.status
    if secret.location == COOKIE:
        return UNKNOWN
    if secret.location.startswith("authorization") or secret.location == AUTHORIZATION_BASIC:
        if status in {401, 407}:
            return REFUSED
        # A Digest that is answered by 200 was taken; so was NTLM, and a token.
        return ACCEPTED if status == 101 or 200 <= status < 400 else UNKNOWN
    if status in {401, 403}:
        return REFUSED
    if secret.location in {URL_USERINFO, "referer"}:
        return UNKNOWN
    if secret.form == HASH or secret.location not in _IN_A_BODY:
        return ACCEPTED if 200 <= status < 300 else UNKNOWN
    if status in {302, 303} or (status == 301 and secret.method == "POST"):
        return _judge_redirect(secret, response)
    if 200 <= status < 300 and _logged_in(response):
        return ACCEPTED
    if body and 200 <= status < 500:
        return judge_body(body, status)
    return UNKNOWN


def is_judged_by_body(secrets: list[Sighting], status: int) -> bool:
    """Whether a response's body is to be looked at for these secrets of its request."""
    return 200 <= status < 500 and status not in {204, 304, 401, 403} and any(
        secret.location in _IN_A_BODY and secret.form != HASH for secret in secrets
    )  # fmt: skip


def _judge_redirect(secret: Sighting, response: HttpResponse) -> str:
    """Sent on to a page that is not a login page: accepted. Sent back to the form, or to the same page: unknown."""
    for name, value in response.headers:
        if name.lower() == "location":
            location = value.lower()
            authority = _AUTHORITY.match(location)
            path = location[authority.end() :] if authority else location
            if _FAILED_QUERY.search(path):
                return REFUSED
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
            if not equals or not content or content.lower() == "deleted" or _ANONYMOUS_COOKIE.search(cookie):
                continue
            if _LOGGED_IN_COOKIE.search(cookie):
                return True
    return False


def judge_body(body: bytes, status: int = 200) -> str:
    """What a page, or JSON, says of the login that it answers."""
    if looks_like_json(body):
        refused, accepted = _JSON_REFUSED.search(body), status < 300 and _JSON_ACCEPTED.search(body)
        if refused and not accepted:
            return REFUSED
        if refused or not accepted:
            return REFUSED if not accepted and _FAILED_WORDS.search(body) else UNKNOWN
        return ACCEPTED
    text = _HIDDEN.sub(b" ", body)
    asks_again = _PASSWORD_FIELD.search(text) is not None
    leaves = _LOG_OUT.search(text) is not None
    failed = _FAILED_WORDS.search(text) is not None
    if failed and not leaves:
        return REFUSED
    if asks_again and not leaves and _ERROR_WORD.search(text):
        return REFUSED
    if status < 300 and not asks_again and not failed and (leaves or _WELCOME.search(text)):
        return ACCEPTED
    return UNKNOWN
