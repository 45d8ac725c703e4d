"""Passwords told to a network's services (NickServ, Q, X ...), by message or by a command of their own.

There is no standard: the commands are those of Anope, Atheme, srvx, and the services of QuakeNet and Undernet.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .message import Said

_SERVICES = frozenset(b"nickserv chanserv userserv authserv operserv q x l".split())
_COMMANDS = {
    b"NICKSERV": b"nickserv",
    b"NS": b"nickserv",
    b"CHANSERV": b"chanserv",
    b"CS": b"chanserv",
    b"AUTHSERV": b"authserv",
    b"AS": b"authserv",
    b"USERSERV": b"userserv",
    b"US": b"userserv",
}
_WORD = re.compile(rb"[^ ]+")
_IDENTIFY, _AFTER_NAME, _REGISTER, _SET = range(4)
_VERBS = {
    b"IDENTIFY": _IDENTIFY,
    b"ID": _IDENTIFY,
    b"SIDENTIFY": _IDENTIFY,
    b"AUTH": _AFTER_NAME,
    b"LOGIN": _AFTER_NAME,
    b"GHOST": _AFTER_NAME,
    b"RECOVER": _AFTER_NAME,
    b"RELEASE": _AFTER_NAME,
    b"REGAIN": _AFTER_NAME,
    b"REGISTER": _REGISTER,
    b"SET": _SET,
}
_ACCEPTED = re.compile(
    rb"you(?:'re| are) now (?:identified|recogni[sz]ed|logged in)|password accepted"
    rb"|you have been (?:recogni|identified)|successfully (?:identified|registered)"
    rb"|(?:has been|is now|nickname) registered|auth(?:entication)? successful"
    rb"|password (?:has been |successfully )?(?:changed|set)",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    rb"(?:invalid|incorrect|wrong|bad) password|password incorrect|password is not correct|access denied"
    rb"|auth(?:entication)? fail|(?:isn't|is not|is already|not a) registered|username or password",
    re.IGNORECASE,
)


class Told(NamedTuple):
    """A password told to a service."""

    service: bytes
    """In lower case."""
    verb: bytes
    user: bytes | None
    """None: who says so, by the nick."""
    password: bytes
    begin: int
    """Where it begins in the line."""


def service_of(name: bytes) -> bytes | None:
    """The service that a message goes to or comes from, in lower case; None where it is none."""
    bare = name.partition(b"@")[0].lower()
    return bare if bare in _SERVICES else None


def told(said: Said) -> Told | None:
    """The password in what a client says; None where there is none."""
    if said.command == b"PRIVMSG" and len(said.parameters) == 2:
        service = service_of(said.parameter(0))
        text = said.parameters[1:]
    else:
        service = _COMMANDS.get(said.command)
        text = said.parameters
    words = [(m[0], part.begin + m.start()) for part in text for m in _WORD.finditer(part.text[:512])][:8]
    if service is None or len(words) < 2:
        return None
    verb = words[0][0].upper()
    kind = _VERBS.get(verb)
    user: bytes | None = None
    if kind == _SET:
        if len(words) < 3 or words[1][0].upper() not in (b"PASSWORD", b"PASS"):
            return None
        password = words[2]
    elif kind == _REGISTER and service != b"chanserv":
        password = words[1]
    elif kind == _AFTER_NAME or (kind == _IDENTIFY and (service == b"chanserv" or len(words) > 2)):
        if len(words) < 3:
            return None
        user, password = words[1][0], words[2]
    elif kind == _IDENTIFY:
        password = words[1]
    else:
        return None
    return Told(service, verb, user, password[0], password[1])


def talks_to_service(said: Said) -> bool:
    """Whether a client's line goes to a service: its text is not told, it may be a misspelt login."""
    return said.command in _COMMANDS or service_of(said.parameter(0)) is not None


def judged(text: bytes) -> bool | None:
    """What a service's notice says of a password: taken, not taken, or nothing (None)."""
    text = text[:512].replace(b"\x02", b"")
    if _REFUSED.search(text):
        return False
    return True if _ACCEPTED.search(text) else None
