"""Attributes of a directory that hold passwords, or what a password can be guessed from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ...model.sighting import CLEARTEXT, HASH

if TYPE_CHECKING:
    from ...model.record import Value

_CLEAR = frozenset(
    (
        "userpassword",
        "unicodepwd",
        "clearpassword",
        "cleartextpassword",
        "ms-mcs-admpwd",
        "mslaps-password",
        "olcrootpw",
        "radiustunnelpassword",
        "asteriskaccountsecret",
    )
)
_HEX = {"sambantpassword": (1000, "nt"), "sambalmpassword": (3000, "lm")}
_WITHHELD = frozenset(
    (
        "authpassword",
        "dbcspwd",
        "supplementalcredentials",
        "ntpwdhistory",
        "lmpwdhistory",
        "krbprincipalkey",
        "msds-managedpassword",
        "mslaps-encryptedpassword",
        "krb5key",
        "passwordhistory",
        "pwdhistory",
        "userpkcs12",
    )
)
"""They are left out of records, and not handed out: nothing reads them as they are."""
MAY_HOLD = re.compile(b"(?i)" + b"|".join(sorted(re.escape(name.encode()) for name in (*_CLEAR, *_HEX)))).search
"""Finds one of the names that are handed out, anywhere in a message: most have none."""
_SCHEME = re.compile(rb"\{([A-Za-z0-9./_-]{2,20})\}")
_SCHEMES: dict[str, tuple[int | None, str | None]] = {
    "SSHA": (111, "salted-sha1"),
    "SHA": (101, "nsldap"),
    "SSHA256": (1411, "ssha256"),
    "SSHA512": (1711, "ssha512"),
    "CRYPT": (None, "crypt"),
}
_HASHED = frozenset((*_SCHEMES, "MD5", "SMD5", "SHA256", "SHA512", "SHA384", "SSHA384", "PBKDF2", "PBKDF2_SHA256"))
_HASHED_ALSO = ("PBKDF2", "ARGON2", "BCRYPT", "SCRYPT")
_NO_PASSWORD = frozenset(("SASL", "KERBEROS", "EXTERNAL", "RADIUS", "TOTP"))


class Held(NamedTuple):
    """What a value gives away."""

    secret: bytes
    form: str
    details: dict[str, Value]


def _base(name: str) -> str:
    return name.partition(";")[0].lower()


def is_secret(name: str) -> bool:
    """Whether values of an attribute of this name (options may follow it) have to be left out of records."""
    base = _base(name)
    return base in _CLEAR or base in _HEX or base in _WITHHELD


def held(name: str, value: bytes) -> Held | None:
    """The password in a value, or what it can be guessed from; None where it has none that could be used."""
    base = _base(name)
    if not value or base in _WITHHELD:
        return None
    if base in _HEX:
        mode, john = _HEX[base]
        if re.fullmatch(rb"[0-9A-Fa-f]{32}", value) is None:
            return None
        return Held(value, HASH, {"mechanism": base, "hashcat": mode, "john": john, "challenge_seen": True})
    if base == "unicodepwd":
        text = _quoted(value)
        return None if text is None else Held(text, CLEARTEXT, {"mechanism": "attribute"})
    match = _SCHEME.match(value)
    if match is None:
        return Held(value, CLEARTEXT, {"mechanism": "attribute"})
    scheme = match[1].decode("ascii").upper()
    if scheme in _NO_PASSWORD or match.end() == len(value):
        return None
    if scheme in ("CLEARTEXT", "CLEAR", "PLAIN"):
        return Held(value[match.end() :], CLEARTEXT, {"mechanism": "attribute"})
    if scheme not in _HASHED and not scheme.startswith(_HASHED_ALSO):
        return Held(value, CLEARTEXT, {"mechanism": "attribute"})
    hashcat, known = _SCHEMES.get(scheme, (None, None))
    return Held(value, HASH, {"mechanism": f"{{{scheme}}}", "hashcat": hashcat, "john": known, "challenge_seen": True})


def _quoted(value: bytes) -> bytes | None:
    """Active Directory takes a new password in quotes, as UTF-16 (MS-ADTS, 3.1.1.3.1.5.1)."""
    try:
        text = value.decode("utf-16-le")
    except UnicodeDecodeError:
        return None
    return text[1:-1].encode() if len(text) > 2 and text[0] == text[-1] == '"' else None
