"""JSON Web Tokens (RFC 7519) in the compact form of RFC 7515: told by what they say, not by their look alone."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from ...model.record import Value

_LONGEST = 1 << 14
_JWT = re.compile(r"eyJ[A-Za-z0-9_\-]{8,}\.(?:eyJ|e30)?[A-Za-z0-9_\-]*\.[A-Za-z0-9_\-]*(?:\.[A-Za-z0-9_\-]*){0,2}")
_WITHIN = re.compile(r"eyJ[A-Za-z0-9_\-]{8,}+((?:\.[A-Za-z0-9_\-]*+){2,4})?")
# What only begins like one is matched too, so that its characters are not looked at again from within it.
_CLAIMS = ("iss", "sub", "aud", "exp", "iat", "nbf", "scope", "scp", "azp", "client_id")
_USERS = ("preferred_username", "username", "user_name", "upn", "unique_name", "email", "login", "user")
_CRACKABLE = frozenset(("HS256", "HS384", "HS512"))
_HASHCAT = 16500
_LONGEST_CLAIM = 512


def within(text: str) -> list[str]:
    """What looks like one in a text, in order."""
    return [found[0] for found in _WITHIN.finditer(text) if found[1] is not None]


def read(token: str) -> tuple[str | None, dict[str, Value]] | None:
    """(user whom it names, details) of a JWT; None where it is none: its first part has to be JSON with `alg`."""
    if len(token) > _LONGEST or _JWT.fullmatch(token) is None:
        return None
    parts = token.split(".")
    header = _json(parts[0])
    algorithm = header.get("alg") if header is not None else None
    if not isinstance(algorithm, str) or len(algorithm) > 32 or len(parts) not in {3, 5}:
        return None
    claims = _json(parts[1]) if len(parts) == 3 else None
    if claims is None and len(parts) == 3:
        return None
    told: dict[str, Value] = {
        name: value for name in _CLAIMS if claims and (value := _plain(claims.get(name))) is not None
    }
    details: dict[str, Value] = {"mechanism": "JWT", "alg": _wire(algorithm), "claims": told}
    if algorithm in _CRACKABLE:
        details["hashcat"] = _HASHCAT
    if len(parts) == 3 and not parts[2]:
        details["unsigned"] = True
    named = [claims.get(name) for name in _USERS] if claims else []
    user = next((name for name in named if isinstance(name, str) and 0 < len(name) <= 256), None)
    return user, details


def _json(part: str) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors, and so is that of base64
        return None
    return found if isinstance(found, dict) else None


def _plain(value: Any) -> Value:
    """A claim as it is, bounded; None for what is no text, number or list of texts."""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _wire(value[:_LONGEST_CLAIM])
    if isinstance(value, list):
        return [_wire(item[:_LONGEST_CLAIM]) for item in value[:20] if isinstance(item, str)]
    return None


def _wire(text: str) -> str:
    """One character a byte, as all text of the wire is."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")
