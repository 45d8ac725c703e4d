"""Fields of forms: which hold a secret, which name its user, and how their names and values are written."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from ...model.sighting import CERTAIN, CLEARTEXT, LIKELY, POSSIBLE, TOKEN

_SECRET_FIELDS = (
    "password passwd pass pwd passwort passwrd pw userpassword upassword wppassword j_password session_password"
    " login_password form_pw passphrase pin secret client_secret user_pass user_passwd user_pwd user_pw userpass"
    " userpasswd userpwd login_pass login_passwd login_pwd loginpass loginpwd log_pwd log_pass form_pass db_pass"
    " dbpass admin_pass adminpass mot_de_passe motdepasse contrasena kennwort passcode os_password"
    " password_confirmation password_confirm passwordconfirm passwd_confirm passwd2 pass1 pass2 pwd1 pwd2"
    " clientsecret secret_key secretkey secret_access_key aws_secret_access_key"
)
_TOKEN_FIELDS = (
    "api_key apikey access_token refresh_token id_token auth_token api-key accesstoken refreshtoken idtoken authtoken"
    " api_token apitoken private_token session_token sessiontoken x-api-key jwt bearer_token device_token_secret"
)
TOKEN_FIELDS = frozenset(_TOKEN_FIELDS.split())
SECRET_FIELDS = frozenset(_SECRET_FIELDS.split()) | TOKEN_FIELDS
_USER_FIELDS = (
    "user username userid uname login login_id loginname log email mail account j_username wpname nickname member"
    " session_key user_name user_login userlogin login_name usr loginid user_email useremail login_email user_id"
    " os_username username_or_email identifier pma_username usernameoremail emailaddress email_address"
)
USER_FIELDS = frozenset(_USER_FIELDS.split())
CLIENT_FIELDS = frozenset(("client_id", "clientid", "access_key_id", "aws_access_key_id", "access_key"))
"""Who a client_secret belongs to."""
CLIENT_SECRETS = frozenset(
    ("client_secret", "clientsecret", "secret", "secret_key", "secretkey", "secret_access_key", "aws_secret_access_key")
)
MAY_BE_JWT = frozenset(("token", "t", "auth", "authorization", "assertion", "client_assertion", "credential", "key"))
"""Names that say little: what they hold is a secret where it is a JWT."""
_WEAK = frozenset(("pin", "pw", "secret", "passcode"))

# newPassword, confirm_password, password2 ...; but not showPassword, forgot_password: these are switches.
_PASSWORD = re.compile(r"(?P<before>[a-z0-9_\-$:]{0,40}?)[_\-$:]?(?:password|passwd|passphrase|passwort)[_\-]?[0-9]?")
_SWITCH = re.compile(
    r"(?:.*[_\-$:])?(?:forgot|forgotten|reset|show|hide|remember|save|has|have|is|no|use|enable|change|lost|lose|require"
    r"|required|check|toggle|update|send|request|recover|set|generate|allow|disable|max|min|valid|need|needs|store|last)"
)
_NAME_PARTS = re.compile(r"[\[\].]+")
_CUT_ESCAPE = re.compile(rb"%[0-9A-Fa-f]?\Z")
# What stands where a secret is to be filled in, or was taken out.
_PLACEHOLDER = re.compile(
    rb"(?:<[^<>]*>|\{\{?[^{}]*\}?\}|\$\{[^{}]*\}|%[A-Z_]+%|\[(?:filtered|redacted|hidden|masked|removed)\]|redacted|string"
    rb"|null|none|nil|undefined|true|false|nan|xxx+|changeme_here|your[_\- ]?(?:api[_\- ]?key|password|token|secret)"
    rb"|password[_ ]here|n/a|-+)",
    re.IGNORECASE,
)
_MASKED = re.compile(rb"(?:\*|\xe2\x80\xa2|\xe2\x97\x8f|\xb7|\xc2\xb7|[.])+")


class Kind(NamedTuple):
    """What a field's name says of its value: Sighting.form and Sighting.confidence."""

    form: str
    confidence: str


_CERTAIN_PASSWORD, _LIKELY_PASSWORD = Kind(CLEARTEXT, CERTAIN), Kind(CLEARTEXT, LIKELY)
_CERTAIN_TOKEN = Kind(TOKEN, CERTAIN)


def secret_kind(name: str) -> Kind | None:
    """What a field of this name (own_name) holds; None: no secret."""
    if name in SECRET_FIELDS:
        return _CERTAIN_TOKEN if name in TOKEN_FIELDS else _LIKELY_PASSWORD if name in _WEAK else _CERTAIN_PASSWORD
    if "pass" in name:
        found = _PASSWORD.fullmatch(name)
        if found is not None and _SWITCH.fullmatch(found["before"].rstrip("_-$:")) is None:
            return _CERTAIN_PASSWORD
    return None


def sure(kind: Kind, secret: bytes) -> str | None:
    """How sure it is that such a value is a secret; None: it is none at all, such as a row of asterisks."""
    if _MASKED.fullmatch(secret):
        return None
    if _PLACEHOLDER.fullmatch(secret):
        return POSSIBLE
    if kind.form == TOKEN and len(secret) < 8:
        return LIKELY if kind.confidence == CERTAIN else POSSIBLE
    return kind.confidence


def is_secret_field(name: str) -> bool:
    """Whether a field of this name holds a secret; one character a byte."""
    return secret_kind(own_name(name.encode("latin-1"))) is not None


def is_user_field(name: str) -> bool:
    """Whether it names the user."""
    own = own_name(name.encode("latin-1"))
    return own in USER_FIELDS or own in CLIENT_FIELDS


def text_of(data: bytes) -> str:
    """UTF-8 where it is that, else latin-1."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def decoded(value: bytes, complete: bool) -> bytes:
    """The value of a form field (RFC 1866, 8.2.1); an escape that the capture cut is left out."""
    if not complete:
        value = _CUT_ESCAPE.sub(b"", value)
    return unquote_to_bytes(value.replace(b"+", b" "))


def own_name(name: bytes) -> str:
    """The field's own name, in lower case: b of a[b], a.b and a[b][]."""
    parts = [part for part in _NAME_PARTS.split(text_of(decoded(name, True))) if part]
    while len(parts) > 1 and parts[-1].isdigit():
        parts.pop()
    return parts[-1].lower() if parts else ""
