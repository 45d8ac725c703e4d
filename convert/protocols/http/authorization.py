"""What Authorization and Proxy-Authorization, and headers that hold tokens, say: Basic, Bearer, Digest, NTLM, API keys.

RFC 7617, 6750, 7616 and MS-NTHT. A scheme whose token is a signature of this one request (AWS, Hawk, OAuth 1) reveals
nothing that could be used again. Of a scheme that is not known it is only possible that it holds a secret.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING

from ...model.sighting import AUTHORIZATION_BASIC, CERTAIN, HEADER, LIKELY, POSSIBLE, TOKEN, Sighting
from ..ntlm.exchange import sighting_fields as ntlm_fields
from . import digest, jwt
from .form import Form, sighting_of
from .form_fields import Kind, sure, text_of
from .memory import unbased
from .xml_fields import add_digest

if TYPE_CHECKING:
    from ...model.exchange import HttpRequest
    from ..http1.heads import HeadText
    from .memory import Memory

AUTHORIZATION_BEARER = "authorization-bearer"
AUTHORIZATION_DIGEST = "authorization-digest"
AUTHORIZATION_NTLM = "authorization-ntlm"
AUTHORIZATION = "authorization"
WEBSOCKET_PROTOCOL = "websocket-protocol"

_BASIC = re.compile(r"basic[ \t]+([A-Za-z0-9+/_\-]+={0,2})", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9!#$%&'*+.^_`|~\-]{0,63})[ \t]+(\S.*)", re.DOTALL)
_BARE = re.compile(r"[A-Za-z0-9\-._~+/=:]{8,8192}")
_QUOTED_TOKEN = re.compile(
    r"""(?:.*?[\s,])?(?:token|auth|access_token)\s*=\s*["']?([^"',\s]+)""", re.IGNORECASE | re.DOTALL
)
_BEARERS = frozenset(("bearer", "token", "jwt", "apikey", "api-key", "api_key", "googlelogin", "bot", "oauth", "key"))
_NEGOTIATED = frozenset(("ntlm", "negotiate", "nego2", "kerberos"))
# Signatures of one request, or what is no secret at all.
_SIGNED = re.compile(
    r"aws4-.*|aws|hawk|signature|hmac.*|mac|sharedkey.*|oauth2?-signature|scram-.*|mutual|vapid|wsse|dpop|edge-auth|"
    r"eg1-hmac.*|acs\w*-.*|hoba|privatetoken|concealed|goog4-.*|tc3-.*|basic|digest",
    re.IGNORECASE,
)
_HEADERS = (
    "x-api-key api-key apikey x-apikey x-auth-token x-access-token private-token x-vault-token"
    " x-amz-security-token x-goog-api-key ocp-apim-subscription-key x-functions-key job-token deploy-token"
    " x-gitlab-token x-consul-token x-nomad-token x-plex-token x-emby-token x-mediabrowser-token"
    " dd-api-key dd-application-key x-session-token x-user-token x-subject-token x-service-token"
    " x-shopify-access-token x-figma-token x-rundeck-auth-token x-auth-key x-api-token api-token"
    " access-token auth-token x-algolia-api-key x-redmine-api-key x-sentry-token x-parse-session-token"
    " x-parse-master-key x-parse-rest-api-key x-jwt-token x-github-token circle-token x-circleci-token"
    " x-octopus-apikey x-hasura-admin-secret x-admin-token x-refresh-token x-id-token"
)
_TOKEN_HEADERS = frozenset(_HEADERS.split())
_HEADER_VALUE = re.compile(r"[!-~]{4,8192}")
_WSSE = re.compile(r'\b(\w++)\s*+=\s*+"([^"]*+)"')


def in_authorization(
    request: HttpRequest, text: HeadText, value: str, begin: int, end: int, memory: Memory | None, body_md5: str | None
) -> Sighting | None:
    """The secret in one header's value, whose bytes are text.raw[begin:end]; None where it holds none."""
    if not value.isascii() and _BASIC.match(value) is None and value[:6].lower() != "digest":
        return None
    params = digest.parameters(value)
    if params is not None:
        return _digest(request, text, params, begin, end, body_md5)
    basic = _BASIC.match(value)
    if basic is not None:
        return _basic(request, text, basic[1], begin, end)
    named = _SCHEME.fullmatch(value)
    if named is None:
        return _bare(request, text, value, begin, end)
    scheme, token = named[1].lower(), named[2].rstrip(" \t")
    if scheme in _NEGOTIATED:
        return _ntlm(request, text, token, begin, end, memory)
    if _SIGNED.fullmatch(scheme):
        return None
    if scheme in _BEARERS:
        if "=" in token and (quoted := _QUOTED_TOKEN.match(token)) is not None:
            token = quoted[1]
        elif " " in token:
            return None
        kind = Kind(TOKEN, CERTAIN if scheme == "bearer" or len(token) >= 8 else LIKELY)
        return _token(request, text, AUTHORIZATION_BEARER, named[1], token, begin, end, kind)
    return _token(request, text, AUTHORIZATION, named[1], token, begin, end, Kind(TOKEN, POSSIBLE))


def _bare(request: HttpRequest, text: HeadText, value: str, begin: int, end: int) -> Sighting | None:
    """No scheme: a JWT is one all the same, of anything else it is only possible."""
    if _BARE.fullmatch(value) is None or value.lower() in _BEARERS | _NEGOTIATED:
        return None
    if jwt.read(value) is not None:
        return _token(request, text, AUTHORIZATION_BEARER, None, value, begin, end, Kind(TOKEN, CERTAIN))
    return _token(request, text, AUTHORIZATION, None, value, begin, end, Kind(TOKEN, POSSIBLE))


def _token(
    request: HttpRequest,
    text: HeadText,
    location: str,
    field: str | None,
    token: str,
    begin: int,
    end: int,
    kind: Kind,
) -> Sighting | None:
    raw = token.encode("latin-1")
    at = text.raw.find(raw, begin, end)
    confidence = sure(kind, raw) if kind.confidence != POSSIBLE else POSSIBLE
    if at < 0 or not raw or confidence is None:
        return None
    complete = request.headers_complete or end < len(text.raw)
    found = sighting_of(request, location, field, None, raw, raw, complete, text.span(at, at + len(raw)))
    found.form, found.confidence = TOKEN, confidence
    told = jwt.read(token)
    if told is not None:
        found.username, found.details = told
    return found


def _basic(request: HttpRequest, text: HeadText, digits: str, begin: int, end: int) -> Sighting | None:
    token = digits.encode("ascii")
    complete = request.headers_complete or end < len(text.raw)
    at = text.raw.find(token, begin, end)
    user, colon, password = base64_of(token).partition(b":")
    if not colon or at < 0:
        return None
    span = text.span(at, at + len(token))
    return sighting_of(request, AUTHORIZATION_BASIC, None, text_of(user), password, token, complete, span)


def base64_of(token: bytes) -> bytes:
    """Decode either alphabet, padded or not; what is left over of a cut token gives the bytes that it holds whole."""
    digits = token.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return b64decode(digits + b"=" * (-len(digits) % 4))


def _digest(
    request: HttpRequest, text: HeadText, params: dict[str, str], begin: int, end: int, body_md5: str | None
) -> Sighting | None:
    answer = digest.http_line(request.method, request.target, params, body_md5)
    if answer is None:
        return None
    raw = answer.response.encode("ascii")
    at = text.raw.find(raw, begin, end)
    if at < 0:
        return None
    span = text.span(at, at + len(raw))
    found = sighting_of(request, AUTHORIZATION_DIGEST, None, None, raw, raw, True, span)
    for name, value in digest.sighting_fields(answer).items():
        setattr(found, name, value)
    return found


def _ntlm(
    request: HttpRequest, text: HeadText, token: str, begin: int, end: int, memory: Memory | None
) -> Sighting | None:
    blob = unbased(token)
    if blob is None or memory is None:
        return None
    line_begin = text.raw.rfind(b"\n", 0, begin) + 1
    proxy = text.raw[line_begin : line_begin + 6].lower() == b"proxy-"
    answer = memory.ntlm(proxy).client(blob)
    raw = token.encode("ascii")
    at = text.raw.find(raw, begin, end)
    if answer is None or at < 0:
        return None
    span = text.span(at, at + len(raw))
    found = sighting_of(request, AUTHORIZATION_NTLM, None, None, raw, raw, True, span)
    for name, value in ntlm_fields(answer).items():
        setattr(found, name, value)
    return found


def in_header(request: HttpRequest, text: HeadText, name: str, value: str, begin: int, end: int) -> list[Sighting]:
    """The secrets of a header with a name from a closed list; `name` in lower case."""
    if name == "sec-websocket-protocol":
        # A browser cannot send Authorization with a WebSocket: what is offered as a protocol stands for it.
        tokens = jwt.within(value)[:10]
        kind = Kind(TOKEN, CERTAIN)
        found = [_token(request, text, WEBSOCKET_PROTOCOL, None, token, begin, end, kind) for token in tokens]
        return [sighting for sighting in found if sighting is not None and sighting.details is not None]
    if name == "x-wsse":
        return _wsse(request, text, value, begin, end)
    if name not in _TOKEN_HEADERS or _HEADER_VALUE.fullmatch(value) is None:
        return []
    confidence = CERTAIN if len(value) >= 8 else LIKELY
    sighting = _token(request, text, HEADER, name, value, begin, end, Kind(TOKEN, confidence))
    return [] if sighting is None else [sighting]


def _wsse(request: HttpRequest, text: HeadText, value: str, begin: int, end: int) -> list[Sighting]:
    """UsernameToken in a header, as Atom publishing uses it."""
    said = dict(_WSSE.findall(value[: 1 << 13]))
    secret = said.get("PasswordDigest", "").encode("latin-1")
    at = text.raw.find(secret, begin, end) if secret else -1
    if at < 0:
        return []
    form = Form(request, HEADER)
    form.name(said.get("Username", ""))
    nonce, created = said.get("Nonce", "").encode("latin-1"), said.get("Created", "").encode("latin-1")
    add_digest(form, secret, nonce, created, text.span(at, at + len(secret)))
    return form.found
