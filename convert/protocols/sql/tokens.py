"""SQL text in its parts, as each dialect writes it.

https://dev.mysql.com/doc/refman/8.4/en/language-structure.html,
https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

MYSQL, POSTGRESQL = "mysql", "postgresql"

MOST_TOKENS = 50_000
_WORDS = r"|(?P<word>[A-Za-z_\x80-\xff][\w$\x80-\xff]*)|(?P<number>\d[\w.]*)|(?P<mark>[^\s])"
_MYSQL_TOKEN = re.compile(
    r"(?P<skip>\s+|\#[^\n]*|--(?=[\s]|\Z)[^\n]*|/\*(?!M?!)(?:[^*]|\*(?!/))*(?:\*/|\Z)|/\*M?!\d*|\*/)"
    r"|(?P<text>'(?:[^'\\]|''|\\.)*(?:'|\\?\Z)|\"(?:[^\"\\]|\"\"|\\.)*(?:\"|\\?\Z))"
    r"|(?P<name>`(?:[^`]|``)*(?:`|\Z))" + _WORDS,
    re.DOTALL,
)
_POSTGRESQL_TOKEN = re.compile(
    r"(?P<skip>\s+|--[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|\Z))"
    r"|(?P<text>[eE]'(?:[^'\\]|''|\\.)*(?:'|\\?\Z)|(?:[nNbBxX]|[uU]&)?'(?:[^']|'')*(?:'|\Z)"
    r"|\$(?P<tag>(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?)\$.*?(?:\$(?P=tag)\$|\Z))"
    r"|(?P<name>\"(?:[^\"]|\"\")*(?:\"|\Z))" + _WORDS,
    re.DOTALL,
)


class Token(NamedTuple):
    """A word, a text, a name in quotes, a number or a mark."""

    kind: str
    begin: int
    end: int
    word: str
    """In upper case where it is a word, else as it stands."""


def tokens(sql: str, dialect: str) -> list[Token]:
    """The text in its parts, without blanks and comments; no more than are looked at."""
    pattern = _MYSQL_TOKEN if dialect == MYSQL else _POSTGRESQL_TOKEN
    told: list[Token] = []
    for match in pattern.finditer(sql):
        kind = match.lastgroup or "mark"
        if kind == "tag":
            kind = "text"
        if kind != "skip":
            word = match[0].upper() if kind == "word" else match[0]
            told.append(Token(kind, match.start(), match.end(), word))
            if len(told) >= MOST_TOKENS:
                break
    return told
