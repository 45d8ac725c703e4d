"""Passwords in statements on a table of users: INSERT, UPDATE, and the SELECT of a login.

That a column is named like a password says nothing by itself: the table has to be named like one of users, or a column
that names a user has to stand beside it. So these are likely, not certain.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .tokens import Token

_PASSWORD = re.compile(
    r"(?:[a-z0-9_]*(?:password|passwd|passwort|passphrase)|(?:[a-z0-9_]*_|user|my|u)?(?:pass|pwd|pw))"
    r"_?(?:hash|digest|md5|sha1|sha256|plain|clear|encrypted)?\Z",
    re.IGNORECASE,
)
_USER = re.compile(
    r"(?:[a-z0-9]+_)?(?:user|username|user_?name|user_?login|login(?:_?name)?|e?_?mail|email(?:_?address)?|uname"
    r"|nick(?:name)?|account)\Z",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?:first_?|full_?)?name|user_?id|uid|id\Z", re.IGNORECASE)
_USERS = re.compile(
    r"user|member|account|login|customer|admin|auth|credential|staff|employee|person|people|player|subscriber|student",
    re.IGNORECASE,
)
_HASHING = "MD5 SHA SHA1 SHA2 SHA256 SHA512 PASSWORD OLD_PASSWORD ENCRYPT CRYPT DIGEST AES_ENCRYPT"
_CALLS = frozenset(f"{_HASHING} ENCODE HEX UNHEX UPPER LOWER TO_BASE64 TRIM".split())
_NONE = re.compile(r"\?|:\w+|%\(?\w*\)?s|\$\d+|\*+|null|none|true|false|[xX]+|\{+\w*\}+", re.IGNORECASE)
_HASHES = (
    (re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}\Z"), "bcrypt", 3200),
    (re.compile(r"\$argon2(?:id|i|d)\$"), "argon2", None),
    (re.compile(r"\$[PH]\$[./A-Za-z0-9]{31}\Z"), "phpass", 400),
    (re.compile(r"\$1\$[^$]{1,8}\$[./A-Za-z0-9]{22}\Z"), "md5crypt", 500),
    (re.compile(r"\$5\$(?:rounds=\d+\$)?[^$]{1,16}\$[./A-Za-z0-9]{43}\Z"), "sha256crypt", 7400),
    (re.compile(r"\$6\$(?:rounds=\d+\$)?[^$]{1,16}\$[./A-Za-z0-9]{86}\Z"), "sha512crypt", 1800),
    (re.compile(r"pbkdf2_sha256\$\d+\$[^$]+\$[A-Za-z0-9+/=]+\Z"), "django", 10000),
    (re.compile(r"(?:scrypt|pbkdf2):[\w:]+\$[^$]+\$[0-9a-f]{32,}\Z"), "werkzeug", None),
    (re.compile(r"[0-9A-Fa-f]{32}\Z"), "md5", 0),
    (re.compile(r"[0-9A-Fa-f]{40}\Z"), "sha1", 100),
    (re.compile(r"[0-9A-Fa-f]{64}\Z"), "sha256", 1400),
    (re.compile(r"[0-9A-Fa-f]{128}\Z"), "sha512", 1700),
    (re.compile(r"\*[0-9A-F]{40}\Z"), "mysql", 300),
)  # fmt: skip
_MOST_ROWS = 100
_MOST_COLUMNS = 256


class Place(NamedTuple):
    """Tokens by their index: a value that is likely a password, and what names its user."""

    value: int
    user: int | None


def hash_of(value: str) -> tuple[str, int | None] | None:
    """(scheme, hashcat's mode) of a value that is no password, but a hash of one; None: it is none."""
    return next(((name, mode) for pattern, name, mode in _HASHES if pattern.match(value)), None)


def says_nothing(value: str) -> bool:
    """The value is a placeholder, or stands for nothing."""
    return not value or _NONE.fullmatch(value) is not None


class Accounts:
    """One statement's tokens, looked at for the passwords of users."""

    def __init__(self, sql: str, tokens: Sequence[Token]) -> None:
        self._sql = sql
        self._tokens = tokens

    def find(self, verb: str) -> Iterator[Place]:
        """Where they are."""
        if verb in {"INSERT", "REPLACE"}:
            yield from self._insert()
        elif verb in {"UPDATE", "SELECT"}:
            yield from self._compared(verb)

    def _word(self, at: int) -> str:
        token = self._tokens[at] if 0 <= at < len(self._tokens) else None
        return token.word if token is not None and token.kind != "text" else ""

    def _name(self, at: int) -> str:
        token = self._tokens[at]
        if token.kind == "word":
            return self._sql[token.begin : token.end]
        return self._sql[token.begin + 1 : token.end - 1] if token.kind == "name" else ""

    def _value(self, begin: int, end: int) -> int | None:
        """The text between two indexes: alone, or what a function makes a hash of."""
        if end - begin == 1 or (end - begin == 2 and self._word(begin) in {"N", "BINARY"}):
            return end - 1 if self._tokens[end - 1].kind == "text" else None
        if self._word(begin + 1) == "(" and self._word(begin) in _CALLS:
            for at in range(begin + 2, min(end, begin + 12)):
                if self._tokens[at].kind == "text":
                    return at
                if self._word(at) in {"?", "$"}:  # a placeholder: texts behind it are salts and names of algorithms
                    return None
        return None

    def _items(self, at: int) -> tuple[list[tuple[int, int]], int]:
        """What stands between commas in the parenthesis that opens at an index, and the index behind it."""
        items: list[tuple[int, int]] = []
        depth, begin = 0, at + 1
        for index in range(at, len(self._tokens)):
            word = self._word(index)
            if word == "(":
                depth += 1
            elif word == ")":
                depth -= 1
            if (word == "," and depth == 1) or not depth:
                if len(items) < _MOST_COLUMNS:
                    items.append((begin, index))
                begin = index + 1
            if not depth:
                return items, index + 1
        return [*items, (begin, len(self._tokens))], len(self._tokens)

    def _columns(self, names: list[str], table: str) -> tuple[int, int | None] | None:
        """Which column holds the password and which the user, if these are a user's."""
        password = next((i for i, name in enumerate(names) if _PASSWORD.match(name)), None)
        if password is None:
            return None
        user = next((i for i, name in enumerate(names) if i != password and _USER.match(name)), None)
        if user is None:
            if not _USERS.search(table):
                return None
            user = next((i for i, name in enumerate(names) if i != password and _NAME.match(name)), None)
        return password, user

    def _insert(self) -> Iterator[Place]:
        tokens = self._tokens
        for at in range(1, min(12, len(tokens))):
            word = self._word(at)
            if word == "SET":
                yield from self._assigned(at + 1, len(tokens), self._name(at - 1))
                return
            if word == "(":
                break
        else:
            return
        items, behind = self._items(at)
        names = [self._name(end - 1) if end > begin else "" for begin, end in items]
        columns = self._columns(names, self._name(at - 1))
        if columns is None or self._word(behind) not in {"VALUES", "VALUE"}:
            return
        password, user = columns
        at = behind + 1
        for _ in range(_MOST_ROWS):
            if self._word(at) != "(":
                return
            items, at = self._items(at)
            if password < len(items) and (value := self._value(*items[password])) is not None:
                named = self._value(*items[user]) if user is not None and user < len(items) else None
                yield Place(value, named)
            if self._word(at) != ",":
                return
            at += 1

    def _compared(self, verb: str) -> Iterator[Place]:
        """UPDATE table SET ... WHERE ..., or SELECT ... FROM table WHERE ..."""
        words = [self._word(at) for at in range(len(self._tokens))]
        try:
            begin = words.index("SET" if verb == "UPDATE" else "WHERE")
            table = 1 if verb == "UPDATE" else words.index("FROM") + 1
        except ValueError:
            return
        name = " ".join(self._name(at) for at in range(table, min(table + 3, begin)))
        yield from self._assigned(begin + 1, len(self._tokens), name)

    def _assigned(self, begin: int, end: int, table: str) -> Iterator[Place]:
        """`column = value` of a password, with that of a user, between two indexes."""
        passwords: list[int] = []
        user: int | None = None
        sure = name = None
        for at in range(begin, end - 2):
            if self._word(at + 1) != "=" or self._tokens[at].kind == "text":
                continue
            column = self._name(at)
            value = self._value(at + 2, self._until(at + 2, end))
            if value is None:
                continue
            if _PASSWORD.match(column):
                passwords.append(value)
            elif sure is None and _USER.match(column):
                sure = value
            elif name is None and _NAME.match(column):
                name = value
        user = sure if sure is not None else name
        if sure is None and not _USERS.search(table):
            return
        for value in passwords[:_MOST_ROWS]:
            yield Place(value, user)

    def _until(self, at: int, end: int) -> int:
        """The index behind a value: a text, or a function's call."""
        if self._word(at) == "BINARY":
            at += 1
        if self._word(at + 1) != "(":
            return at + 1
        depth = 0
        for index in range(at + 1, min(end, at + 24)):
            depth += (self._word(index) == "(") - (self._word(index) == ")")
            if not depth:
                return index + 1
        return end
