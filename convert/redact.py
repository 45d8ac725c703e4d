"""The one place that decides how a secret is shown: masked everywhere, in every encoding, unless the user reveals.

Secrets are learned first and searched for afterwards. A secret is found as it is, percent-encoded in any mixture and
twice over, as form data ('+'), in JSON and HTML escapes, in hexadecimal, and in base64 of either alphabet wherever in
the encoded bytes it stands. Secrets of fewer than SHORTEST bytes are too common by chance to be searched for; they
are masked where they were seen (mask_own). Text, keys, numbers and the fields that syswire makes itself (hashes, times,
ids, addresses, its own vocabulary: STRUCTURAL) are told apart by the field's name, never by its look.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets as entropy
from base64 import b64encode
from contextlib import suppress
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import msgspec

from .errors import UsageError
from .escapes import JSON, PERCENT, unescape
from .model.sighting import AUTHORIZATION_BASIC, COMMUNITY, COOKIE, HASH, HEADER, URL_USERINFO
from .secret_index import SHORTEST, SecretIndex
from .secret_search import found, reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from .model.exchange import HttpExchange
    from .model.record import Record, Value
    from .model.sighting import Sighting

MASK = "********"
CASE_KEY = "case.key"
KEY_BYTES = 32
FINGERPRINT_DIGITS = 12

_PART = 512
"""Longer secrets are searched for in parts of so many bytes, which overlap by _OVERLAP."""
_OVERLAP = 32
_DEPTH = 2
"""How many layers of escapes are undone."""

_STRUCTURAL = (
    "type id key source stream exchange process previous frame frames tcp_stream event evt_num offset time opened"
    " closed from to first last started finished mtime boot_time sha256 sha256_after sha256_to_server sha256_to_client"
    " body_sha256 content_sha256 part_sha256 file hash_withheld secret_fingerprint ip synthetic_ip protocol location"
    " outcome form kind severity rule confidence client_attribution server_attribution format compression status level"
    " syswire spelling way"
)
STRUCTURAL = frozenset(_STRUCTURAL.split())
"""Names of fields whose strings syswire makes from a closed vocabulary, numbers, hashes, times or addresses."""
_OWN_WORDS = frozenset(("result", "reply_type", "copy", "transaction", "protocol_status", "authentication", "object"))
"""The same of answers, where a short secret is masked as a word (a long one is masked there too)."""


def _base64_parts(secret: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(characters, characters before and after that hold bits of it too) for the three places in a group of three."""
    for lead in range(3):
        bits = 8 * (lead + len(secret))
        text = b64encode(bytes(lead) + secret + bytes(2))
        first, last = -(-8 * lead // 6), bits // 6
        yield text[first:last], int(8 * lead % 6 != 0), int(bits % 6 != 0)


def _spellings(secret: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Each way in which a secret may be written, escapes aside; what only occurs by chance is left out."""
    plain = [secret, secret.replace(b" ", b"+"), secret.replace(b"\\", b"\\\\"), _escaped_text(secret).encode()]
    plain.append(secret.decode("latin-1").encode())  # UTF-8 that was taken for latin-1
    try:
        text = secret.decode()
        plain += (escape(text).encode(), escape(text, quote=False).encode(), text.encode("utf-16-le"))
        plain.append(text.encode("latin-1"))
    except UnicodeError:
        pass  # no text in UTF-8, or none that latin-1 can spell
    for spelling in dict.fromkeys(plain):
        yield spelling, 0, 0
    yield secret.hex().encode(), 0, 0
    yield secret.hex().upper().encode(), 0, 0
    for part, before, after in _base64_parts(secret):
        yield part, before, after
        if b"+" in part or b"/" in part:
            yield part.replace(b"+", b"-").replace(b"/", b"_"), before, after


def _escaped_text(data: bytes) -> str:
    """Bytes as records spell them where they are not UTF-8: by hex escapes, and the backslash doubled."""
    return data.replace(b"\\", b"\\\\").decode(errors="backslashreplace")


class Redactor:
    """What is secret in a case, and how it is shown. `key` is the case's, `reveal` shows everything in the clear."""

    def __init__(self, key: bytes, reveal: bool) -> None:
        self._key = key
        self.reveal = reveal
        self.index = SecretIndex()
        self._known: set[bytes] = set()
        self.overfull = False
        """There was no room for a secret: from then on whatever text is given is masked as a whole."""

    def learn(self, secret: bytes, *, whole: Sequence[bytes] = ()) -> None:
        """Take a secret. `whole`: longer spellings to be masked as one, such as the base64 of user and password."""
        known = secret if len(secret) <= KEY_BYTES else sha256(secret).digest()
        if len(secret) >= SHORTEST and known not in self._known and not self.overfull:
            self._known.add(known)
            for part in _parts(secret):
                for spelling, before, after in _spellings(part):
                    self._add(spelling, before, after)
        for token in whole:
            for part in _parts(token):
                self._add(part, 0, 0)

    def learn_sighting(self, sighting: Sighting) -> None:
        """Take the secret of a sighting, and its bytes on the wire."""
        for secret, raw in to_be_searched(sighting):
            self.learn(secret, whole=(raw,))

    def _add(self, spelling: bytes, before: int, after: int) -> None:
        if len(spelling) >= SHORTEST and not self.index.add(spelling, before, after):
            self.overfull = True

    def fingerprint(self, secret: bytes) -> str:
        """12 hex digits of HMAC-SHA-256 under the case key: equal secrets of one case are seen to be equal."""
        return hmac.new(self._key, secret, "sha256").hexdigest()[:FINGERPRINT_DIGITS]

    def shown(self, secret: bytes) -> str:
        """The mask, whatever the secret's length; or its text, when the user reveals."""
        if not self.reveal:
            return MASK
        try:
            return secret.decode()
        except UnicodeDecodeError:
            return _escaped_text(secret)

    def text(self, text: str) -> str:
        """The text with every known secret masked, in whatever encoding it stands there."""
        if self.reveal or not text:
            return text
        if self.overfull:
            return MASK
        if not len(self.index):
            return text
        data = text.encode("utf-8", "surrogateescape")
        if not self._found(data, _DEPTH):
            return text
        return _mask(data, self._intervals(data)).decode("utf-8", "replace")

    def json_line(self, line: bytes) -> bytes:
        """A JSON object on one line with every string value masked; the same bytes where nothing is to be masked.

        Names of fields, numbers, and the values of STRUCTURAL fields stay. Raises msgspec.DecodeError on no JSON.
        """
        if self.reveal or not (self.overfull or self._found(line, _DEPTH + 1)):
            return line
        end = line[len(line.rstrip(b"\r\n")) :]
        return msgspec.json.encode(self._masked(msgspec.json.decode(line), None)) + end

    def json_lines(self, lines: bytes) -> bytes:
        """As json_line, for many lines at once: they are looked at one by one only where any of them holds a secret."""
        if self.reveal or not (self.overfull or self._found(lines, _DEPTH + 1)):
            return lines
        return b"".join(map(self.json_line, lines.splitlines(keepends=True)))

    def _masked(self, value: Any, name: str | None) -> Any:
        if isinstance(value, str):
            return value if name in STRUCTURAL else self.text(value)
        if isinstance(value, list):
            return [self._masked(item, name) for item in value]
        if isinstance(value, dict):
            return {key: self._masked(item, key) for key, item in value.items()}
        return value

    def holds(self, data: bytes | memoryview) -> bool:
        """Whether a known secret is in the data, in any encoding; False when revealing: then nothing is withheld."""
        return not self.reveal and (self.overfull or self._found(data, _DEPTH))

    def spans(self, data: bytes) -> list[tuple[int, int]]:
        """(begin, end) of every stretch that spells a known secret, in any encoding, in order; they may overlap."""
        return [(0, len(data))] if self.overfull else sorted(set(self._intervals(data)))

    @property
    def reach(self) -> int:
        """The most bytes that a known secret takes in data."""
        return reach(self.index, _DEPTH)

    def _found(self, data: bytes | memoryview, depth: int) -> bool:
        return found(self.index, data, depth)

    def _intervals(self, data: bytes) -> list[tuple[int, int]]:
        """Every stretch of the data that spells a secret, behind up to _DEPTH layers of escapes."""
        found = self.index.intervals(data)
        layers: list[tuple[bytes, bytes | None]] = [(data, None)]
        for _ in range(_DEPTH):
            deeper: list[tuple[bytes, bytes | None]] = []
            for text, origins in layers:
                for kind in (PERCENT, JSON):
                    undone, through = unescape(text, kind, origins)
                    if len(undone) < len(text):
                        place = memoryview(through).cast("I")
                        found += [(place[begin], place[end]) for begin, end in self.index.intervals(undone)]
                        deeper.append((undone, through))
            layers = deeper
        return found


_KNOWN_COMMUNITIES = (b"public", b"private")


def to_be_searched(sighting: Sighting) -> Iterable[tuple[bytes, bytes]]:
    """(secret, its bytes on the wire) of what a sighting makes secret everywhere in the case.

    The line of a hash stands nowhere: what was sent for it is searched for. SNMP's customary communities are words that
    stand in many a path; they are masked in their own records only.
    """
    if sighting.form == HASH:
        return [(part, part) for part in (sighting.raw, *sighting.parts) if part]
    if sighting.location == COMMUNITY and sighting.secret in _KNOWN_COMMUNITIES:
        return ()
    return ((sighting.secret, sighting.raw),)


def mask_own(text: str, sightings: Sequence[Sighting], redactor: Redactor) -> str:
    """Text of a message with its own secrets masked, however short, and all others as Redactor.text does."""
    if redactor.reveal or not text:
        return text
    for sighting in sightings:
        raw = sighting.raw.decode("latin-1")
        if raw not in text:
            continue
        if sighting.location in _IN_HEADERS or sighting.location.startswith("authorization"):
            text = _mask_token(text, raw)
        elif sighting.location == URL_USERINFO:
            text = text.replace(f":{raw}@", f":{MASK}@")
        else:
            text = _mask_field(text, raw, sighting.field)
    return redactor.text(text)


_IN_HEADERS = frozenset((AUTHORIZATION_BASIC, HEADER, COOKIE, "websocket-protocol"))
_DELIMITERS = frozenset("?&;#=\"' \t\r\n\v\f")
_LONGEST_NAME = 256


def _mask_token(text: str, raw: str) -> str:
    """A header's token masked wherever it stands; one that is short, where it is no part of a word."""
    if len(raw) >= SHORTEST:
        return text.replace(raw, MASK)
    return re.sub(f"(?<![0-9A-Za-z]){re.escape(raw)}(?![0-9A-Za-z])", MASK, text)


def _mask_field(text: str, raw: str, field: str | None) -> str:
    """The value masked wherever it is the whole value of this field, as in a query or a cookie."""
    out: list[str] = []
    done, at = 0, text.find(f"={raw}")
    while at >= 0:
        begin, end = at, at + 1 + len(raw)
        while begin > max(done, at - _LONGEST_NAME - 1) and text[begin - 1] not in _DELIMITERS:
            begin -= 1
        whole = end == len(text) or (text[end] in _DELIMITERS and text[end] not in "?=")
        apart = begin == 0 or (text[begin - 1] in _DELIMITERS and text[begin - 1] != "=")
        if whole and apart and begin < at <= begin + _LONGEST_NAME and unquote_plus(text[begin:at]) == field:
            out += (text[done : at + 1], MASK)
            done = end
        at = text.find(f"={raw}", max(at + 1, done))
    return "".join((*out, text[done:]))


def mask_exchange(exchange: HttpExchange, sightings: Sequence[Sighting], redactor: Redactor) -> HttpExchange:
    """An exchange as it may be written: target, host and headers masked. `sightings` are those of this exchange.

    Needed where there are sightings; secrets long enough to be searched for are masked by json_line all the same.
    """
    if redactor.reveal:
        return exchange

    def masked(text: str) -> str:
        return mask_own(text, sightings, redactor)

    def lines(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        return [(redactor.text(name), masked(value)) for name, value in headers]

    def more(fields: dict[str, Value] | None) -> dict[str, Value] | None:
        masked_fields: dict[str, Value] | None = fields if words is None or not fields else _without(words, fields)
        return masked_fields

    words = _short_words(sightings)
    request, response = exchange.request, exchange.response
    if request is not None:
        request = msgspec.structs.replace(
            request,
            method=redactor.text(request.method),
            target=masked(request.target),
            host=None if request.host is None else masked(request.host),
            headers=lines(request.headers),
            trailers=lines(request.trailers),
            more=more(request.more),
        )
    if response is not None:
        response = msgspec.structs.replace(
            response,
            reason=masked(response.reason),
            headers=lines(response.headers),
            trailers=lines(response.trailers),
            more=more(response.more),
        )
    return msgspec.structs.replace(exchange, request=request, response=response)


def mask_quoted(record: Record, sightings: Sequence[Sighting]) -> Record:
    """A record whose answer repeats a secret of its own that is too short to be searched for: masked there, by words.

    The same record where there is nothing to mask. What was asked is without its secrets by the parser's care.
    """
    words = _short_words(sightings)
    if words is None or record.response is None:
        return record
    fields = _without(words, record.response.fields)
    if fields == record.response.fields:
        return record
    return msgspec.structs.replace(record, response=msgspec.structs.replace(record.response, fields=fields))


def _short_words(sightings: Sequence[Sighting]) -> re.Pattern[str] | None:
    """The secrets that are too short to be searched for, one character a byte, where they are no part of a word."""
    short = {sighting.secret for sighting in sightings if 0 < len(sighting.secret) < SHORTEST}
    if not short:
        return None
    words = "|".join(re.escape(secret.decode("latin-1")) for secret in sorted(short, key=len, reverse=True))
    return re.compile(f"(?<![0-9A-Za-z])(?:{words})(?![0-9A-Za-z])")


def _without(words: re.Pattern[str], value: Any, name: str = "") -> Any:
    """A field's value with these words masked, but for what syswire says in words of its own."""
    if isinstance(value, str):
        return value if name in STRUCTURAL or name in _OWN_WORDS else words.sub(MASK, value)
    if isinstance(value, list):
        return [_without(words, item, name) for item in value]
    if isinstance(value, dict):
        return {key: _without(words, item, key) for key, item in value.items()}
    return value


def load_case_key(directory: Path, given: Path | None) -> bytes:
    """The key of a case's fingerprints: from the file `given`, else from DIR/case.key, which is made on first use.

    The file holds 64 hex digits and is the user's alone (0600). Raises UsageError where it holds anything else, and
    OSError where it cannot be read or made.
    """
    path = given if given is not None else directory / CASE_KEY
    if given is None and not path.exists():
        _make_case_key(path)
    try:
        with path.open("rb") as file:
            key = bytes.fromhex(file.read(4 * KEY_BYTES).decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UsageError(f"{path}: not a case key: {2 * KEY_BYTES} hex digits are wanted")
    return key


def _make_case_key(path: Path) -> None:
    """Write a fresh key under a name of its own, then give it its name: whoever comes second takes the first one's."""
    fresh = path.with_name(f".{CASE_KEY}.{os.getpid()}.{entropy.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(entropy.token_hex(KEY_BYTES) + "\n")
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()


def _parts(secret: bytes) -> Iterable[bytes]:
    if len(secret) <= _PART:
        return (secret,)
    step = _PART - _OVERLAP
    return [secret[begin : begin + _PART] for begin in range(0, len(secret) - _OVERLAP, step)]


def _mask(data: bytes, intervals: list[tuple[int, int]]) -> bytes:
    """The data with a mask for each stretch; overlapping stretches are one."""
    out: list[bytes] = []
    done = 0
    for begin, end in sorted(intervals):
        if begin >= done:
            out += (data[done:begin], MASK.encode())
        done = max(done, end)
    out.append(data[done:])
    return b"".join(out)
