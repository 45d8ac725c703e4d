"""Secrets in command lines and environments of programs, by the table of command_forms.py.

Sans-IO: words in, findings out; never raises on any bytes. What is not certain by the table is left alone.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from ..protocols.http.form_fields import USER_FIELDS
from . import command_forms as forms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LONGEST = 1024
_MOST = 64  # secrets of one command line or environment

_LONG_SWITCH = re.compile(rb"--(?!no-)((?:[a-z0-9]{1,20}[-_]){0,4}" + forms.LONG_NAME + rb")(?:=(.*))?\Z", re.I | re.S)
_ASSIGNED = re.compile(rb"([A-Z_][A-Z0-9_]{2,80})=(.+)\Z", re.S)
_WITHIN = re.compile(rb"(?:\A|(?<=[\s&;?]))(password|passwd|pass|pwd)=([^\s&;,'\"\\]{1,1024})", re.I)
_NAMED = re.compile(rb"(?:\A|(?<=[&;?]))([A-Za-z_]{2,20})=([^\s&;,'\"\\]{1,256})")
_URL = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]{1,30}://([^\s/@:?#\0]{0,256}):([^\s/@\0]{1,1024})@")
_AUTHORIZATION = re.compile(rb"authorization:\s{0,8}(basic|bearer|token)\s{1,8}([^\s'\"]{1,1024})", re.I)
_HIDDEN = re.compile(rb"[x*]+\Z")  # what mysql leaves of its own argument
_WORDS = re.compile(rb"[^\s;|&()]+")
_HINT = re.compile(
    rb"pass|token|secret|api_?-?key|access-key|://[^/\0]{0,256}@|\bPWD=|_PWD|AUTH|BINDPW", re.I
)  # of one of these is in every environment, and every command line of no program of SHORT, that holds a secret


class Found(NamedTuple):
    """A secret: in word `word` from `begin` to `end`. `field` is the switch or variable; `secret` is decoded."""

    word: int
    begin: int
    end: int
    field: str
    username: str | None
    secret: bytes
    raw: bytes
    token: bool


def in_arguments(program: bytes, args: Sequence[bytes]) -> list[Found]:
    """The secrets among the arguments of a program (its path or name), in their order; they do not overlap."""
    name = _base(program)
    scripts = name in forms.SHELLS and any(b" " in word for word in args)
    if name not in forms.SHORT and not scripts and not _HINT.search(b"\0".join(args)):
        return []
    found = sorted(_among(name, args, 1), key=lambda one: (one.word, one.begin, one.begin - one.end))
    apart: list[Found] = []
    for one in found:
        if not apart or one.word > apart[-1].word or one.begin >= apart[-1].end:
            apart.append(one)
    return apart[:_MOST]


def in_environment(variables: Sequence[bytes]) -> list[Found]:
    """The secrets in an environment of NAME=VALUE."""
    if not _HINT.search(b"\0".join(variables)):
        return []
    found = []
    for number, word in enumerate(variables):
        one = _variable(number, word)
        found += [one] if one else _urls(number, word)
    return found[:_MOST]


def _base(program: bytes) -> str:
    return program.rsplit(b"/", 1)[-1].decode("latin-1").lstrip("-")


def _among(name: str, args: Sequence[bytes], depth: int) -> Iterator[Found]:
    user = _user(args)
    short = forms.SHORT.get(name, ())
    if name in forms.ONLY_LOGIN and b"login" not in args:
        short = ()
    for number, word in enumerate(args):
        following = args[number + 1] if number + 1 < len(args) else None
        if name in forms.RUNNERS and not word.startswith(b"-"):
            short = short if number and args[number - 1] in forms.RUNNERS[name] else ()
        yield from _short(short, number, word, following, user)
        yield from _long(name, number, word, following, user)
        if (one := _variable(number, word)) is not None:
            yield one
        yield from _urls(number, word)
        yield from _within(number, word)
        if depth and name in forms.SHELLS and b" " in word:
            yield from _script(number, word)


def _script(number: int, text: bytes) -> Iterator[Found]:
    """The words of a shell's -c: commands in a row, their quotes taken for nothing."""
    places = [(match.start(), match.end()) for match in _WORDS.finditer(text)][:512]
    words = [text[begin:end].strip(b"'\"") for begin, end in places]
    for at, word in enumerate(words):
        if _base(word) in forms.SHORT:
            inner = words[at + 1 :]
            for one in _among(_base(word), inner, 0):
                begin, end = places[at + 1 + one.word]
                shift = begin + (len(text[begin:end]) - len(text[begin:end].lstrip(b"'\"")))
                yield one._replace(word=number, begin=shift + one.begin, end=shift + one.end)
            return


def _short(
    short: Sequence[tuple[str, int]], number: int, word: bytes, following: bytes | None, user: str | None
) -> Iterator[Found]:
    for switch, form in short:
        spelled = switch.encode()
        if word == spelled and form & forms.NEXT and following is not None:
            yield from _value(form, switch, number + 1, following, 0, user)
            return
        alike = word.startswith(b"--") == spelled.startswith(b"--")
        if form & forms.ATTACHED and alike and word.startswith(spelled) and len(word) > len(spelled):
            yield from _value(form, switch, number, word, len(spelled), user)
            return


def _value(form: int, field: str, number: int, word: bytes, begin: int, user: str | None) -> Iterator[Found]:
    """The secret in a switch's value, which begins there in the word."""
    value = word[begin:]
    between = {forms.PAIR: b":", forms.PERCENT_PAIR: b"%", forms.COMMA_PAIR: b","}
    for kind, separator in between.items():
        if form & kind:
            name, found, value = value.partition(separator)
            if not found:
                return  # it will be asked for
            user, begin = _decoded(name), begin + len(name) + 1
    if form & forms.PREFIXED:
        if not value.startswith(b"pass:"):
            return
        value, begin = value[5:], begin + 5
    if _plausible(value):
        token = field.lstrip("-").upper() in forms.TOKEN_WORDS
        yield Found(number, begin, begin + len(value), field, user, value, value, token)


def _long(name: str, number: int, word: bytes, following: bytes | None, user: str | None) -> Iterator[Found]:
    match = _LONG_SWITCH.match(word)
    if match is None:
        return
    field = "--" + match[1].decode("latin-1")
    token = field.upper().endswith(forms.TOKEN_WORDS)
    if match[2] is not None:
        if _plausible(match[2]):
            yield Found(number, match.start(2), len(word), field, user, match[2], match[2], token)
    elif following is not None and name not in forms.PROMPTING and not following.startswith(b"-"):
        yield from (
            []
            if not _plausible(following)
            else [Found(number + 1, 0, len(following), field, user, following, following, token)]
        )


def _variable(number: int, word: bytes) -> Found | None:
    match = _ASSIGNED.match(word)
    if match is None:
        return None
    name = match[1].decode("latin-1")
    if not (name in forms.VARIABLES or name.endswith(forms.VARIABLE_ENDS)) or not _plausible(match[2]):
        return None
    token = name.endswith(forms.TOKEN_WORDS)
    return Found(number, match.start(2), len(word), name, None, match[2], match[2], token)


def _urls(number: int, word: bytes) -> list[Found]:
    found = []
    for match in _URL.finditer(word[: 1 << 16]):
        secret = unquote_to_bytes(match[2])
        if _plausible(secret):
            user = _decoded(unquote_to_bytes(match[1])) or None
            found.append(Found(number, match.start(2), match.end(2), "url", user, secret, match[2], False))
    return found


def _within(number: int, word: bytes) -> Iterator[Found]:
    """Settings within one argument: form data, connection strings, headers."""
    if b"=" in word:
        for match in _WITHIN.finditer(word):
            if _plausible(match[2]) and not (match[1].upper() == b"PWD" and match[2].startswith(b"/")):
                secret = unquote_to_bytes(match[2].replace(b"+", b" ")) if b"&" in word else match[2]
                name = match[1].decode("latin-1")
                user = _of_form(word) if b"&" in word else None
                yield Found(number, match.start(2), match.end(2), name, user, secret, match[2], False)
    if b":" in word:
        for match in _AUTHORIZATION.finditer(word):
            user, secret, token = None, match[2], True
            if match[1].lower() == b"basic":
                try:
                    name, found, secret = b64decode(match[2], validate=True).partition(b":")
                except ValueError:
                    continue
                if not found or not secret:
                    continue
                user, token = _decoded(name), False
            if _plausible(secret):
                yield Found(number, match.start(2), match.end(2), "Authorization", user, secret, match[2], token)


def _of_form(word: bytes) -> str | None:
    """Whose the secrets of form data are: the first field that names a user."""
    for match in _NAMED.finditer(word[:_LONGEST]):
        if match[1].decode("latin-1").lower() in USER_FIELDS:
            return _decoded(unquote_to_bytes(match[2].replace(b"+", b" ")))
    return None


def _user(args: Sequence[bytes]) -> str | None:
    """Who the secret belongs to, where a switch says it."""
    for number, word in enumerate(args):
        for switch in forms.USER_SWITCHES:
            spelled = switch.encode()
            if word == spelled and number + 1 < len(args):
                return _decoded(args[number + 1])
            if switch.startswith("--") and word.startswith(spelled + b"="):
                return _decoded(word[len(spelled) + 1 :])
            if len(switch) == 2 and word.startswith(spelled) and len(word) > 2 and switch in ("-u", "-U"):
                return _decoded(word[2:])
    return None


def _decoded(text: bytes) -> str:
    return text[:256].decode("utf-8", "backslashreplace")


def _plausible(value: bytes) -> bool:
    """Whether a value may be a secret: not empty, not hidden, not a word that says something else, no place of one."""
    if not value or len(value) > _LONGEST or _HIDDEN.match(value):
        return False
    if value.decode("latin-1").lower() in forms.NO_SECRETS or value.startswith(forms.NO_SECRET_BEGINS):
        return False
    return not (value.startswith((b"/", b"./", b"~/")) and value.count(b"/") > 1)
