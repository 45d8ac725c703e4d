"""Telnet's options by their numbers (IANA's registry "Telnet Options") and what is negotiated of some of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...model.record import Value

ECHO, ENCRYPT, START_TLS, COMPRESS2, AUTHENTICATION = 1, 38, 46, 86, 37
TERMINAL_TYPE, WINDOW_SIZE, TERMINAL_SPEED, X_DISPLAY, OLD_ENVIRON, NEW_ENVIRON = 24, 31, 32, 35, 36, 39
ENCRYPT_START = 3
MOST_VARIABLES = 64

_WORDS = (
    "binary echo reconnection suppress-go-ahead approx-message-size status timing-mark rcte line-width page-size"
    " cr-disposition ht-stops ht-disposition ff-disposition vt-stops vt-disposition lf-disposition extended-ascii"
    " logout byte-macro data-entry-terminal supdup supdup-output send-location terminal-type end-of-record tacacs-id"
    " output-marking terminal-location 3270-regime x.3-pad window-size terminal-speed remote-flow-control linemode"
    " x-display-location old-environ authentication encrypt new-environ tn3270e xauth charset remote-serial com-port"
    " suppress-local-echo start-tls kermit send-url forward-x"
)
_NAMES = _WORDS.split()
_VERBS = {251: "will", 252: "wont", 253: "do", 254: "dont"}
_AUTHENTICATIONS = {0: "null", 1: "kerberos-4", 2: "kerberos-5", 3: "spx", 6: "srp", 7: "ssl", 15: "ntlm"}
_IS, _INFO = 0, 2
_VAR, _VALUE, _ESC, _USERVAR = 0, 1, 2, 3
_SECRET_NAME = re.compile(r"pass|secret|token|key", re.IGNORECASE)


def name(number: int) -> str:
    """An option's name, else its number."""
    if number == COMPRESS2:
        return "compress2"
    return _NAMES[number] if number < len(_NAMES) else str(number)


def verb(number: int) -> str:
    """The word of WILL, WONT, DO, DONT."""
    return _VERBS[number]


def learn(number: int, data: bytes, fields: dict[str, Value]) -> None:
    """Put what a client tells of an option into the fields of its session."""
    if number == WINDOW_SIZE:
        if len(data) >= 4:
            fields["window"] = [int.from_bytes(data[:2], "big"), int.from_bytes(data[2:4], "big")]
        return
    if not data:
        return
    told = data[1:].decode("latin-1")
    if number == AUTHENTICATION:
        if len(data) > 1:
            fields["authentication"] = _AUTHENTICATIONS.get(data[1], str(data[1]))
    elif data[0] not in {_IS, _INFO}:
        return
    elif number == TERMINAL_TYPE:
        fields["terminal"] = told
    elif number == TERMINAL_SPEED:
        fields["speed"] = told
    elif number == X_DISPLAY:
        fields["display"] = told
    elif number in {NEW_ENVIRON, OLD_ENVIRON}:
        _environment(data[1:], fields)


def _environment(data: bytes, fields: dict[str, Value]) -> None:
    """Variables and their values (RFC 1572; RFC 1408 has VAR and VALUE the other way round at times)."""
    told = fields.setdefault("environment", [])
    assert isinstance(told, list)
    for variable in _variables(data):
        word, _, value = variable
        if word == "USER" and value is not None:
            fields["user"] = value
        if len(told) < MOST_VARIABLES:
            told.append([word, None if _SECRET_NAME.search(word) else value])


def _variables(data: bytes) -> list[tuple[str, bool, str | None]]:
    """(name, made by the user, value) in their order."""
    found: list[tuple[str, bool, str | None]] = []
    parts: list[tuple[int, bytearray]] = []
    at = 0
    while at < len(data) and len(parts) < 4 * MOST_VARIABLES:
        byte = data[at]
        if byte == _ESC and at + 1 < len(data):
            at += 1
            if parts:
                parts[-1][1].append(data[at])
        elif byte in {_VAR, _VALUE, _USERVAR}:
            parts.append((byte, bytearray()))
        elif parts:
            parts[-1][1].append(byte)
        at += 1
    for kind, content in parts:
        text = content.decode("latin-1")
        if kind != _VALUE:
            found.append((text, kind == _USERVAR, None))
        elif found and found[-1][2] is None:
            found[-1] = (found[-1][0], found[-1][1], text)
    return found
