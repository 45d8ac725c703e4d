"""Whether a conversation is MySQL's: by the greeting or the login, or by commands and answers where it begins later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import MORE, NO, YES
from ..sql.packets import LOOK
from .fields import error, greeting
from .packets import MySqlFramer, is_answer, is_command, is_login

if TYPE_CHECKING:
    from ..api import Opening

_PORT = 3306
_LONGEST_GREETING = 1024
_SHORT_COMMAND = 5


def probe(opening: Opening) -> int:
    """By content; the port or the socket's name only lets one wait for more."""
    client, server = opening.client, opening.server
    greeted = _greets(server)
    likely = opening.server_port == _PORT or "mysql" in opening.path or "maria" in opening.path
    if greeted == YES or _logs_in(client) == YES or _goes_on(client, server, likely):
        return YES
    begun = greeted == MORE or _logs_in(client) == MORE
    return MORE if not opening.over and (likely or begun) else NO


def _head(data: bytes) -> tuple[int, int, bytes]:
    """(length, number, body) of the packet that bytes may begin with."""
    length = int.from_bytes(data[:3], "little")
    return length, data[3] if len(data) > 3 else -1, data[4 : 4 + length]


def _greets(server: bytes) -> int:
    """The greeting, or an error in its place."""
    if not server:
        return NO
    length, number, body = _head(server)
    if len(server) < 5:
        return NO if number > 0 or server[1:2] > b"\x03" else MORE
    if number or not 9 <= length <= _LONGEST_GREETING or body[0] not in {0x0A, 0xFF}:
        return NO
    if len(body) < length:
        return MORE
    if body[0] == 0x0A:
        told = greeting(body)
        return YES if told is not None and length >= 40 else NO
    refused = error(body)
    known = refused is not None and 1000 <= refused.code < 2000 and refused.message.isprintable()
    return YES if known and len(server) == length + 4 else NO


def _logs_in(client: bytes) -> int:
    """A login or a request for TLS, where the greeting was not seen."""
    if not client:
        return NO
    length, number, body = _head(client)
    if len(client) < 5:
        return NO if number not in {-1, 1} else MORE
    if number != 1 or not 32 <= length <= 1 << 16:
        return NO
    if len(body) < 33 and len(body) < length:
        return MORE
    if not is_login(body, length) or not 0 < int.from_bytes(body[4:8], "little") <= 1 << 30:
        return NO
    return YES


def _goes_on(client: bytes, server: bytes, likely: bool) -> bool:
    """A statement, or an answer with descriptions of columns, or a command and an answer that both may be such.

    On the usual port any bytes may stand before: what the capture lacks the beginning of.
    """
    for to_server, data in ((True, client), (False, server)):
        framer = MySqlFramer(lambda _: None, to_server)
        at, found = framer.find(data, -1)
        if found and (likely or not at) and _unmistakable(data[at:], to_server):
            return True
    length, number, body = _head(client)
    said = len(client) >= _SHORT_COMMAND and is_command(number, length, body[:LOOK])
    if not said or len(body) < min(length, LOOK):
        return False
    answer_length, answer_number, _ = _head(server)
    return is_answer(answer_number, answer_length, server[4:]) and len(server) >= min(answer_length + 4, LOOK)


def _unmistakable(data: bytes, to_server: bool) -> bool:
    """The packet is there as long as it says, or as far as is known."""
    length, _, body = _head(data)
    if not to_server:
        return True
    return len(body) == length and length >= 8 and is_command(0, length, body)
