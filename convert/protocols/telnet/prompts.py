"""What servers ask at a login, and what their answers mean. No standard says: these are the words that servers use."""

from __future__ import annotations

import re
from functools import lru_cache

from ...model.sighting import ACCEPTED, REFUSED

LONGEST_PROMPT = 256
USER, PASSWORD = "user", "password"

_CONTROL = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][A-Za-z0-9]|[=>78c])|[\x00-\x08\x0b-\x1f\x7f]")
_LAST_LOGIN = re.compile(rb"last\s+(?:\w+\s+)?login", re.IGNORECASE)
_USER_PROMPT = re.compile(
    rb"(?:login|logon|log in|username|user name|user id|userid|user|account|benutzername|utilisateur|usuario)"
    rb"(?: name)?(?: \([^()]{0,64}\))?\s*[:>]\s*\Z",
    re.IGNORECASE,
)
_PASSWORD_PROMPT = re.compile(
    rb"(?:password|passwd|passcode|passphrase|passwort|kennwort|mot de passe|contrase\S{1,3}a|\bpin(?: code)?|secret)"
    rb"[^:>?\r\n]{0,80}[:>?]\s*\Z",
    re.IGNORECASE,
)
_WHOSE = re.compile(
    rb"password for (?:user )?([^\s:'\"@]{1,64})|([^\s:'\"@]{1,64})(?:@\S{1,64})?'s password", re.IGNORECASE
)
_REFUSED = re.compile(
    rb"(?:login|logon|log in|password|authentication|access|permission|authorization)\s*(?:(?:is |was |has |: )\s*)?"
    rb"(?:incorrect|failed|failure|denied|invalid|rejected|error|unsuccessful|not valid)"
    rb"|(?:incorrect|invalid|bad|wrong|unknown)\s+(?:login|logon|password|user|username|credentials|account)"
    rb"|\bsorry\b|try again|\bdenied\b|too many (?:tries|attempts|failures|authentication|login)"
    rb"|could not log you in|not correct|failed to log",
    re.IGNORECASE,
)
_ACCEPTED = re.compile(rb"last\s+(?:\w+\s+)?login|\bwelcome\b|logged (?:in|on)|login successful", re.IGNORECASE)
_SHELL = re.compile(rb"\S?[$#>%]\s*\Z")


def plain(text: bytes) -> bytes:
    """Text without a terminal's control sequences; line ends stay line feeds."""
    return _CONTROL.sub(b"", text)


@lru_cache(maxsize=64)
def asked(prompt: bytes | None) -> str | None:
    """USER or PASSWORD where a server's last line asks for that."""
    if prompt is None:
        return None
    line = plain(prompt)
    if _PASSWORD_PROMPT.search(line):
        return PASSWORD
    if _USER_PROMPT.search(line) and not _LAST_LOGIN.search(line):
        return USER
    return None


def whose(prompt: bytes | None) -> str | None:
    """The user whose password a prompt asks for, where it names one."""
    found = _WHOSE.search(plain(prompt)) if prompt is not None else None
    if found is None:
        return None
    return (found[1] or found[2]).decode("utf-8", "backslashreplace")


def judge(said: bytes, last_line: bytes | None) -> str | None:
    """ACCEPTED or REFUSED by what a server said after a password, and by its last line; None if neither is plain."""
    text = plain(said)
    if asked(last_line) is not None or _REFUSED.search(text):
        return REFUSED
    if _ACCEPTED.search(text) or (last_line is not None and _SHELL.search(plain(last_line))):
        return ACCEPTED
    return None
