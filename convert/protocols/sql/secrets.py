"""Passwords within SQL text: IDENTIFIED BY '...', SET PASSWORD, CREATE ROLE ... PASSWORD '...' and their like.

Found by the grammar of the statement: certain in those that make, change or use accounts, likely in those on a table of
users (accounts.py), never because a column is named so. The text is read as both dialects write it, executable comments
too. Hashes are no passwords, but they are cut out all the same.
https://dev.mysql.com/doc/refman/8.4/en/account-management-statements.html,
https://mariadb.com/kb/en/create-user/, https://www.postgresql.org/docs/current/sql-createrole.html
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from .accounts import Accounts, hash_of, says_nothing
from .strays import strays
from .tokens import MOST_TOKENS, Token, tokens
from .tokens import MYSQL as MYSQL
from .tokens import POSTGRESQL as POSTGRESQL

if TYPE_CHECKING:
    from ...model.record import Value

MASK = "********"
MOST_SECRETS = 100
"""Of one text; what follows the last is cut off."""
_LONGEST_MESSAGE = 4096
"""Of one that may quote a password; servers' own are far shorter."""


_MAY_HOLD = re.compile(r"passw|identified|\bby\s*['\"]|://|passphrase|pass\b|pwd|pw\b|pass_", re.IGNORECASE)
_HASH = re.compile(
    r"\*[0-9A-Fa-f]{40}\Z|[0-9a-f]{16}\Z|md5[0-9a-f]{32}\Z|SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+:"
    r"|\$[A-Z]\$00[0-9A-Fa-f]\$"
)
_CONNECTION = re.compile(r"\bpassword\s*=\s*(?:'((?:[^'\\]|\\.)*)'?|([^\s']+))", re.IGNORECASE)
_CONNECTION_URL = re.compile(r"\bpostgres(?:ql)?://([^:@/\s]*):([^@/\s]*)@", re.IGNORECASE)
_CONNECTION_USER = re.compile(r"\buser\s*=\s*'?([^\s']+)", re.IGNORECASE)
_ESCAPES = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PASSWORD_OF = ("MASTER_PASSWORD", "SOURCE_PASSWORD")
_USER_OF = ("MASTER_USER", "SOURCE_USER", "USER")
_VERBS = "CREATE ALTER GRANT SET CHANGE START UPDATE INSERT REPLACE SELECT DO EXECUTE CLONE"
_ACCOUNT_VERBS = frozenset(_VERBS.split())
_INTRODUCTORY = frozenset({"BEGIN", "THEN", "ELSE", "LOOP"})


class Secret(NamedTuple):
    """One literal that holds a password or a hash of one."""

    begin: int
    """Index of the first character inside the quotes."""
    end: int
    value: str
    """Without escapes, one character a byte."""
    username: str | None
    complete: bool
    hashed: bool
    """It is no password that can be used: a hash, or what stands where no statement takes it."""
    likely: bool = False
    """It was found in a table of users; told also where it is a hash."""

    def details(self) -> dict[str, Value] | None:
        """Of a hash that is told: what it is."""
        scheme = hash_of(self.value) if self.likely and self.hashed else None
        return {"mechanism": scheme[0], "hashcat": scheme[1], "john": None} if scheme else None


def may_hold(sql: str) -> bool:
    """Cheap: without this, find() finds nothing."""
    return _MAY_HOLD.search(sql) is not None


def find(sql: str, dialect: str, complete: bool = True) -> list[Secret]:
    """The passwords in SQL text (one character a byte), in order. `complete`: the text does not go on."""
    if not may_hold(sql):
        return []
    found = sorted(set(_find(sql, dialect, complete, 1)))
    begins = [secret.begin for secret in found]
    for begin, end in sorted(set(strays(sql))):
        at = bisect_right(begins, begin)
        if not (at and found[at - 1].end > begin and found[at - 1].value):
            found.append(Secret(begin, end, sql[begin:end], None, True, True))
    return sorted(found)[: MOST_SECRETS + 1]


def _find(sql: str, dialect: str, complete: bool, depth: int) -> list[Secret]:
    found: list[Secret] = []
    statement: list[Token] = []
    told = tokens(sql, dialect)
    if len(told) >= MOST_TOKENS:  # nobody knows what the rest holds
        found.append(Secret(told[-1].end, len(sql), "", None, True, True))
    for token in told:
        if depth and token.kind == "text" and token.word[0] == "$":  # the body of a function or of DO
            begin = token.begin + token.word.index("$", 1) + 1
            inner = _find(sql[begin : token.end], dialect, complete, 0)
            found += (s._replace(begin=s.begin + begin, end=s.end + begin) for s in inner)
        if token.word == ";" and token.kind == "mark":
            found += _Statement(sql, statement, dialect, complete).find()
            statement = []
        else:
            statement.append(token)
    found += _Statement(sql, statement, dialect, complete).find()
    return found


def mask(sql: str, secrets: list[Secret]) -> str:
    """The text with each of these cut out."""
    parts, at = [], 0
    for number, secret in enumerate(secrets):
        if secret.begin < at:
            continue
        parts.append(sql[at : secret.begin] + MASK)
        at = secret.end
        if number >= MOST_SECRETS:
            return "".join(parts)
    return "".join(parts) + sql[at:]


def mask_quoted(message: str, sql: str, secrets: list[Secret]) -> str:
    """A server's message that may quote the text, and cut the quotation anywhere, without these."""
    if secrets:
        message = message[:_LONGEST_MESSAGE]
    for secret in secrets:
        for spelling in {sql[secret.begin : secret.end], secret.value}:
            if not spelling:
                continue
            message = message.replace(spelling, MASK)
            # What was quoted ends within the literal: then a beginning of it stands before the end or a quote.
            for size in range(min(len(spelling) - 1, 128), 2, -1):
                begin = spelling[:size]
                if message.endswith(begin) or any(begin + mark in message for mark in ("'", '"', "...")):
                    message = message.replace(begin, MASK)
                    break
    return message


def mask_fields(fields: dict[str, Value], names: tuple[str, ...], sql: str, secrets: list[Secret]) -> None:
    """The same with fields of a server's answer; one that was cut gets `<name>_complete` false."""
    if not secrets:
        return
    for name in names:
        said = fields.get(name)
        if isinstance(said, str):
            fields[name] = mask_quoted(said, sql, secrets)
            if len(said) > _LONGEST_MESSAGE:
                fields[f"{name}_complete"] = False


class _Statement:
    """One statement's tokens, and the passwords in it."""

    def __init__(self, sql: str, tokens: list[Token], dialect: str, complete: bool) -> None:
        self._sql, self._tokens, self._dialect, self._complete = sql, tokens, dialect, complete
        self._found: list[Secret] = []
        self._valued: tuple[str | None] | None = None

    def find(self) -> list[Secret]:
        """All of them."""
        words = [token.word if token.kind == "word" else "" for token in self._tokens[:8]]
        verb = next((word for word in words if word and word not in _INTRODUCTORY), "")
        if verb not in _ACCOUNT_VERBS:
            return []
        del self._tokens[: words.index(verb)]
        words = words[words.index(verb) :]
        second = words[1] if len(words) > 1 else ""
        account = verb in {"CREATE", "ALTER", "GRANT", "CHANGE", "START", "CLONE"} or (
            verb == "SET" and "PASSWORD" in words[:5]
        )
        for at, token in enumerate(self._tokens):
            if len(self._found) > MOST_SECRETS:
                break
            if token.kind == "text":
                if verb in {"CREATE", "ALTER"} and second in {"SUBSCRIPTION", "SYSTEM"} or self._called(at, "DBLINK"):
                    self._connection(token)
            elif token.kind != "word":
                continue
            elif token.word == "IDENTIFIED" and account:
                self._identified(at + 1)
            elif token.word == "BY" and (second == "USER" or verb == "GRANT") and at + 1 < len(self._tokens):
                self._take(at + 1, self._account_before(at - 2))  # also where what stands before is misspelt
            elif token.word in _PASSWORD_OF and account:
                self._assigned(at + 1, self._value_of(_USER_OF))
            elif token.word in {"PASSWORD", "OLD_PASSWORD"}:
                self._password(at, verb, account)
        self._of_users(verb)
        return self._found

    def _of_users(self, verb: str) -> None:
        """Values of a table of users."""
        for place in Accounts(self._sql, self._tokens).find(verb):
            if len(self._found) > MOST_SECRETS:
                return
            token = self._tokens[place.value]
            if any(one.begin == self._inside(token)[0] for one in self._found):
                continue
            begin, end, complete = self._inside(token)
            value = self._value(self._sql[begin:end], token)
            if not says_nothing(value):
                user = self._name(place.user) if place.user is not None else None
                self._found.append(Secret(begin, end, value, user, complete, hash_of(value) is not None, True))

    def _called(self, at: int, prefix: str) -> bool:
        """The token is an argument of a function whose name begins so."""
        for before in range(at - 1, max(at - 5, 0), -1):
            if self._tokens[before].word == "(":
                name = self._tokens[before - 1]
                return name.kind == "word" and name.word.startswith(prefix)
        return False

    def _password(self, at: int, verb: str, account: bool) -> None:
        if self._word(at + 1) == "(":  # the function of that name
            if self._dialect == MYSQL and at + 2 < len(self._tokens):
                self._take(at + 2, self._user(verb, at))
        elif account and self._word(at - 1) not in {"IDENTIFIED", "BY"}:
            self._assigned(at + 1, self._user(verb, at))

    def _user(self, verb: str, at: int) -> str | None:
        if verb in {"CREATE", "ALTER"}:
            if self._word(1) in {"ROLE", "USER", "GROUP"} and self._word(2) != "MAPPING":
                return self._name(2)
            return self._value_of(_USER_OF)
        if verb == "SET":
            return self._name(3) if self._word(2) == "FOR" else None
        return self._value_of(_USER_OF) if verb in {"CHANGE", "START"} else None

    def _identified(self, begin: int) -> None:
        """IDENTIFIED [WITH plugin | VIA plugin] {BY | AS | USING} [PASSWORD] text [REPLACE text]."""
        user = self._account_before(begin - 2)
        for at in range(begin, min(begin + 40, len(self._tokens))):
            token, word = self._tokens[at], self._word(at)
            if word in {"IDENTIFIED", "REQUIRE", "DEFAULT", "ACCOUNT"} or token.word == ",":
                return
            if token.kind == "text":
                before = self._word(at - 1)
                hashed = before in {"AS", "USING"} or (before == "PASSWORD" and self._word(at - 2) == "BY")
                if before in {"BY", "REPLACE", "AS", "USING", "PASSWORD"} or before == "(":
                    self._take(at, user, hashed)

    def _account_before(self, at: int) -> str | None:
        """The user of `'user'@'host'` that ends at a token."""
        if at >= 2 and self._tokens[at - 1].word == "@":
            at -= 2
        return self._name(at) if at >= 1 else None

    def _assigned(self, at: int, user: str | None) -> None:
        """[=] text, or [=] PASSWORD(text), which is found by itself."""
        if self._word(at) == "=":
            at += 1
        if at < len(self._tokens):
            self._take(at, user)

    def _value_of(self, names: tuple[str, ...]) -> str | None:
        """What stands behind the first of these words, as text."""
        if self._valued is None:
            self._valued = (self._look_up(names),)
        return self._valued[0]

    def _look_up(self, names: tuple[str, ...]) -> str | None:
        for at, token in enumerate(self._tokens):
            if token.kind == "word" and token.word in names:
                value = at + 2 if self._word(at + 1) == "=" else at + 1
                if value < len(self._tokens) and self._tokens[value].kind == "text":
                    return self._name(value)
        return None

    def _word(self, at: int) -> str:
        return self._tokens[at].word if 0 <= at < len(self._tokens) and self._tokens[at].kind != "text" else ""

    def _name(self, at: int) -> str | None:
        if not 0 <= at < len(self._tokens):
            return None
        if self._word(at) == "IF":  # [NOT] EXISTS
            at += 3 if self._word(at + 1) == "NOT" else 2
            if at >= len(self._tokens):
                return None
        token = self._tokens[at]
        if token.kind == "text":
            begin, end, _ = self._inside(token)
            return _told(self._value(self._sql[begin:end], token))
        text = self._sql[token.begin : token.end]
        if token.kind == "name":
            return _told(text[1:-1].replace(text[0] * 2, text[0]))
        return _told(text.lower() if self._dialect == POSTGRESQL else text) if token.kind == "word" else None

    def _inside(self, token: Token) -> tuple[int, int, bool]:
        """(begin, end) between the quotes, and whether the closing one is there."""
        text = self._sql[token.begin : token.end]
        if text.startswith("$"):
            size = text.index("$", 1) + 1
            closed = len(text) >= 2 * size and text.endswith(text[:size])
        else:
            size = min(i for i in (text.find("'"), text.find('"')) if i >= 0) + 1
            quote = text[size - 1]
            closed = text[size:].endswith(quote)
            return token.begin + size, token.end - closed, closed
        return token.begin + size, token.end - (size if closed else 0), closed

    def _value(self, text: str, token: Token) -> str:
        """A literal's text without its escapes."""
        first = self._sql[token.begin]
        if first == "$":
            return text
        quote = first if first in "'\"" else "'"
        text = text.replace(quote * 2, quote)
        if self._dialect == MYSQL or first in "eE":
            text = _ESCAPED.sub(lambda match: _ESCAPES.get(match[1], match[1]), text)
        return text

    def _take(self, at: int, user: str | None, hashed: bool = False) -> None:
        token = self._tokens[at]
        if token.kind != "text" or any(one.begin == token.begin + 1 for one in self._found):
            return
        begin, end, complete = self._inside(token)
        value = self._value(self._sql[begin:end], token)
        if value:
            self._found.append(Secret(begin, end, value, user, complete, hashed or _HASH.match(value) is not None))

    def _connection(self, token: Token) -> None:
        """A connection string: `host=... user=... password=...`, or a URL."""
        begin, end, complete = self._inside(token)
        text = self._sql[begin:end]
        user = _CONNECTION_USER.search(text)
        for match in _CONNECTION.finditer(text):
            group = 1 if match[1] is not None else 2
            if match[group]:
                start, stop = begin + match.start(group), begin + match.end(group)
                whole = complete or match.end() < len(text)
                self._found.append(Secret(start, stop, match[group], user[1] if user else None, whole, False))
        for match in _CONNECTION_URL.finditer(text):
            if match[2]:
                start, stop = begin + match.start(2), begin + match.end(2)
                self._found.append(Secret(start, stop, match[2], _told(match[1]), True, False))


def _told(text: str) -> str | None:
    """Text of one character a byte, as UTF-8 where it is that."""
    if not text:
        return None
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text
