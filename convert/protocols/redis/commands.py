"""What a Redis command is: its words, and which of them are secrets.

Sources: https://redis.io/docs/latest/commands/ and, for the quoting of commands sent as a line, the same site's
"inline commands" and the behaviour of redis-server 7.0.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KNOWN = (
    "ACL APPEND ASKING AUTH BGREWRITEAOF BGSAVE BITCOUNT BITFIELD BITFIELD_RO BITOP BITPOS BLMOVE BLMPOP BLPOP BRPOP"
    " BRPOPLPUSH BZMPOP BZPOPMAX BZPOPMIN CLIENT CLUSTER COMMAND CONFIG COPY DBSIZE DEBUG DECR DECRBY DEL DISCARD DUMP"
    " ECHO EVAL EVALSHA EVALSHA_RO EVAL_RO EXEC EXISTS EXPIRE EXPIREAT EXPIRETIME FAILOVER FCALL FCALL_RO FLUSHALL"
    " FLUSHDB FUNCTION GEOADD GEODIST GEOHASH GEOPOS GEORADIUS GEORADIUSBYMEMBER GEOSEARCH GEOSEARCHSTORE GET GETBIT"
    " GETDEL GETEX GETRANGE GETSET HDEL HELLO HEXISTS HGET HGETALL HINCRBY HINCRBYFLOAT HKEYS HLEN HMGET HMSET"
    " HRANDFIELD HSCAN HSET HSETNX HSTRLEN HVALS INCR INCRBY INCRBYFLOAT INFO KEYS LASTSAVE LATENCY LCS LINDEX LINSERT"
    " LLEN LMOVE LMPOP LOLWUT LPOP LPOS LPUSH LPUSHX LRANGE LREM LSET LTRIM MEMORY MGET MIGRATE MODULE MONITOR MOVE"
    " MSET MSETNX MULTI OBJECT PERSIST PEXPIRE PEXPIREAT PEXPIRETIME PFADD PFCOUNT PFMERGE PING PSETEX PSUBSCRIBE PSYNC"
    " PTTL PUBLISH PUBSUB PUNSUBSCRIBE QUIT RANDOMKEY READONLY READWRITE RENAME RENAMENX REPLCONF REPLICAOF RESET"
    " RESTORE ROLE RPOP RPOPLPUSH RPUSH RPUSHX SADD SAVE SCAN SCARD SCRIPT SDIFF SDIFFSTORE SELECT SENTINEL SET SETBIT"
    " SETEX SETNX SETRANGE SHUTDOWN SINTER SINTERCARD SINTERSTORE SISMEMBER SLAVEOF SLOWLOG SMEMBERS SMISMEMBER SMOVE"
    " SORT SORT_RO SPOP SPUBLISH SRANDMEMBER SREM SSCAN SSUBSCRIBE STRLEN SUBSCRIBE SUBSTR SUNION SUNIONSTORE"
    " SUNSUBSCRIBE SWAPDB SYNC TIME TOUCH TTL TYPE UNLINK UNSUBSCRIBE UNWATCH WAIT WATCH XACK XADD XAUTOCLAIM XCLAIM"
    " XDEL XGROUP XINFO XLEN XPENDING XRANGE XREAD XREADGROUP XREVRANGE XTRIM ZADD ZCARD ZCOUNT ZDIFF ZINCRBY ZINTER"
    " ZLEXCOUNT ZMPOP ZMSCORE ZPOPMAX ZPOPMIN ZRANDMEMBER ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANGESTORE ZRANK ZREM"
    " ZREMRANGEBYRANK ZREVRANGE ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNION ZUNIONSTORE"
)
KNOWN = frozenset(word.encode() for word in _KNOWN.split())
"""Commands of redis-server 7.0 and DEBUG, SENTINEL: what a line begins with that is one."""
SECRET_SETTINGS = frozenset(
    (b"requirepass", b"masterauth", b"tls-key-file-pass", b"tls-client-key-file-pass", b"sentinel-pass", b"auth-pass")
)
"""Of CONFIG SET and SENTINEL SET."""
_MOST_WORDS = 1024
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"a": b"\a"}
_FIRST = re.compile(rb"[ \t]*[\"']?([A-Za-z_]{2,24})(?=[\s\"']|\Z)")
_QUOTED = re.compile(rb'\\x([0-9A-Fa-f]{2})|\\(.)|([^\\"]+)', re.DOTALL)
_RULE = re.compile(rb"(?:\A|[\s(])[<>#!]\S")
_SCRIPTED = re.compile(
    rb"['\"](?:auth|auth2|requirepass|masterauth|sentinel-pass|auth-pass|setuser)['\"]", re.IGNORECASE
)
_BLANKS = b" \t\r\n\v\f\0"


class Word(NamedTuple):
    """One word of a command that was sent as a line; begin and end are of what stands between its quotes."""

    data: bytes
    begin: int
    end: int


class Secret(NamedTuple):
    """One of the words of a command."""

    word: int
    skip: int
    """Bytes before the secret itself: the sign of an ACL rule."""
    location: str
    field: str | None
    username: str | None


def is_line(line: bytes) -> bool:
    """Whether a line is a command by its first word."""
    first = _FIRST.match(line)
    return first is not None and first[1].upper() in KNOWN


def words(line: bytes) -> list[Word]:
    """The words of a line; an unclosed quote goes to its end."""
    found: list[Word] = []
    at, size = 0, len(line)
    while len(found) < _MOST_WORDS:
        while at < size and line[at] in _BLANKS:
            at += 1
        if at >= size:
            break
        quote = line[at : at + 1]
        if quote in {b'"', b"'"}:
            end = _closing(line, at + 1, quote)
            inner = line[at + 1 : end]
            data = _unquoted(inner) if quote == b'"' else inner.replace(b"\\'", b"'")
            found.append(Word(data, at + 1, end))
            at = end + 1
        else:
            end = at
            while end < size and line[end] not in _BLANKS:
                end += 1
            found.append(Word(line[at:end], at, end))
            at = end
    return found


def _closing(line: bytes, at: int, quote: bytes) -> int:
    while at < len(line):
        byte = line[at : at + 1]
        if byte == quote:
            return at
        at += 2 if byte == b"\\" else 1
    return len(line)


def _unquoted(inner: bytes) -> bytes:
    parts: list[bytes] = []
    for match in _QUOTED.finditer(inner):
        if match[1] is not None:
            parts.append(bytes.fromhex(match[1].decode()))
        elif match[2] is not None:
            parts.append(_ESCAPES.get(match[2], match[2]))
        else:
            parts.append(match[3])
    return b"".join(parts)


def name_of(command: Sequence[bytes]) -> str:
    """A command in upper case, one of several parts with its second one: "CONFIG SET"."""
    first = command[0][:32].upper()
    if first in {b"CONFIG", b"ACL", b"CLIENT", b"SENTINEL"} and len(command) > 1:
        first += b" " + command[1][:32].upper()
    return first.decode("latin-1")


def secrets_of(command: Sequence[bytes]) -> list[Secret]:
    """Which words of a command are secrets, in their order."""
    if not command:
        return []
    name = name_of(command)
    if name == "AUTH":
        return list(_of_auth(command))
    if name == "HELLO":
        return list(_behind(command, 1, {b"AUTH": 2}, "login"))
    if name == "MIGRATE":
        return list(_behind(command, 6, {b"AUTH": 1, b"AUTH2": 2}, "query-text"))
    if name == "CONFIG SET":
        return list(_settings(command, 2))
    if name in {"SENTINEL SET", "SENTINEL CONFIG"}:
        return list(_settings(command, 3))
    if name == "ACL SETUSER":
        return list(_of_acl(command))
    return []


def left_out(command: Sequence[bytes]) -> list[int]:
    """Which words may hold a secret by mistake, or a hash of one: they are not shown, and are no sightings."""
    if not command:
        return []
    name, first = name_of(command), command[0][:32].upper()
    if first not in KNOWN and first.startswith((b"AU", b"PASS")):
        return list(range(1, len(command)))
    if name == "ACL SETUSER":
        return [at for at in range(3, len(command)) if _RULE.search(command[at])]
    if first.startswith((b"EVAL", b"FUNCTION", b"SCRIPT")):
        return [at for at in range(1, len(command)) if _SCRIPTED.search(command[at])]
    return []


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace") if _is_text(data) else data.decode("latin-1")


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _of_auth(command: Sequence[bytes]) -> Iterator[Secret]:
    """AUTH password, AUTH user password; with more words the server refuses, and none of them is shown."""
    user = _text(command[1]) if len(command) == 3 else None
    for word in range(2 if user is not None else 1, len(command)):
        yield Secret(word, 0, "login", None, user)


def _behind(command: Sequence[bytes], begin: int, options: dict[bytes, int], location: str) -> Iterator[Secret]:
    """The password behind the words AUTH, or AUTH2 and a user."""
    at = begin
    while at < len(command):
        count = options.get(command[at].upper(), 0)
        if command[at].upper() == b"KEYS":
            return
        if count == 2 and at + 2 == len(command):
            yield Secret(at + 1, 0, location, None if location == "login" else "auth", None)  # the user is missing
        elif count and at + count < len(command):
            user = _text(command[at + 1]) if count == 2 else None
            yield Secret(at + count, 0, location, None if location == "login" else "auth", user)
        at += count + 1


def _settings(command: Sequence[bytes], begin: int) -> Iterator[Secret]:
    for at in range(begin, len(command) - 1):
        if command[at].lower() in SECRET_SETTINGS and command[at + 1]:
            yield Secret(at + 1, 0, "query-text", command[at].lower().decode(), None)


def _of_acl(command: Sequence[bytes]) -> Iterator[Secret]:
    """The rule ">password" gives the user a password, "<password" takes one away."""
    for at in range(3, len(command)):
        if command[at][:1] in {b">", b"<"} and len(command[at]) > 1:
            yield Secret(at, 1, "query-text", "acl", _text(command[2]))
