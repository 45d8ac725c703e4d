"""Statements on tables of users, with the password in the text and as a parameter (secret_talks.py)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .sql_talk import complaint, err, greeting, lenenc, login, message, ok, packet, query, startup

Calls = list[tuple[bool, bytes]]

TEXTS = (
    b"INSERT INTO users (name, password) VALUES ('ann', '~')",
    b"UPDATE users SET password = '~' WHERE name = 'ann'",
    b"SELECT id FROM users WHERE login = 'ann' AND password = '~'",
)
PREPARED = (
    b"INSERT INTO users (name, password, memo) VALUES (?, ?, ?)",
    b"SELECT id FROM users WHERE username = ? AND password = ? AND memo = ?",
)


def mysql(s: bytes) -> Iterator[tuple[str, Calls]]:
    """COM_QUERY and COM_STMT_EXECUTE."""
    head: Calls = [(False, greeting()), (True, login()), (False, ok(2))]
    refused: Calls = [(False, err(1, 1062, b"23000", b"Duplicate entry '" + s + b"' for key 'x'"))]
    for number, text in enumerate(TEXTS):
        yield f"table-sql-{number}", [*head, (True, query(text.replace(b"~", s))), *refused]
    definition = packet(2, lenenc(b"def") + lenenc(b"") * 3 + lenenc(b"?") + lenenc(b"") + b"\x0c" + bytes(12))
    prepared = packet(1, b"\0" + struct.pack("<IHHBH", 1, 0, 3, 0, 0)) + definition * 3 + packet(5, b"\xfe\0\0\2\0")
    values = b"\0\1" + b"\xfd\0" * 3 + lenenc(b"ann") + lenenc(s) + lenenc(s)
    execute = packet(0, b"\x17" + struct.pack("<IBI", 1, 0, 1) + values)
    for number, text in enumerate(PREPARED):
        asked: Calls = [(True, packet(0, b"\x16" + text)), (False, prepared), (True, execute)]
        yield f"table-prepared-{number}", [*head, *asked, *refused]


def postgresql(s: bytes) -> Iterator[tuple[str, Calls]]:
    """Query, and Bind."""
    ready = message(b"R", bytes(4)) + message(b"Z", b"I")
    head: Calls = [(True, startup(b"user", b"app")), (False, ready)]
    said = complaint(b"E", b"ERROR", b"23505", b"Key (password)=(" + s + b") already exists.") + message(b"Z", b"I")
    for number, text in enumerate(TEXTS):
        yield f"table-sql-{number}", [*head, (True, message(b"Q", text.replace(b"~", s) + b"\0")), (False, said)]
    bound = b"".join(struct.pack(">I", len(value)) + value for value in (b"ann", s, s))
    bind = message(b"B", b"\0\0\0\0\0\3" + bound + b"\0\0") + message(b"E", b"\0" + bytes(4)) + message(b"S")
    for number, text in enumerate(PREPARED):
        for place in (b"$1", b"$2", b"$3"):
            text = text.replace(b"?", place, 1)
        asked: Calls = [(True, message(b"P", b"\0" + text + b"\0\0\0") + bind)]
        yield f"table-prepared-{number}", [*head, *asked, (False, message(b"1") + message(b"2") + said)]
