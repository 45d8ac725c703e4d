"""Fields of forms: which hold a secret, which name its user, and how their names and values are written."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

_SECRET_FIELDS = (
    "password passwd pass pwd passwort passwrd pw userpassword upassword wppassword j_password session_password"
    " login_password form_pw passphrase pin secret client_secret api_key apikey access_token refresh_token id_token"
    " auth_token"
)
SECRET_FIELDS = frozenset(_SECRET_FIELDS.split())
_USER_FIELDS = (
    "user username userid uname login login_id loginname log email mail account j_username wpname nickname member"
    " session_key"
)
USER_FIELDS = frozenset(_USER_FIELDS.split())

_NAME_PARTS = re.compile(r"[\[\].]+")
_CUT_ESCAPE = re.compile(rb"%[0-9A-Fa-f]?\Z")


def is_secret_field(name: str) -> bool:
    """Whether a field of this name holds a secret; one character a byte."""
    return own_name(name.encode("latin-1")) in SECRET_FIELDS


def is_user_field(name: str) -> bool:
    """Whether it names the user."""
    return own_name(name.encode("latin-1")) in USER_FIELDS


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
    return parts[-1].lower() if parts else ""
