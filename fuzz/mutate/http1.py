"""Changes to a conversation of HTTP/1: the calls, and the lines and words in them.

An input is a list of calls: a byte of flags (1: to the server), two with the number of bytes lost behind the call, two
with the length of its data, all little endian, then the data.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, NamedTuple

from .plain import change, rearrange, span

if TYPE_CHECKING:
    from random import Random

HEAD = struct.Struct("<BHH")
LINE = re.compile(rb"[^\n]*\n|[^\n]+")
WORD = re.compile(rb"[A-Za-z0-9%.\-]+|[^A-Za-z0-9%.\-]")
WORDS = (
    b"GET", b"HEAD", b"POST", b"CONNECT", b"OPTIONS", b"PUT", b"/", b"*", b"http://u:p@h:1/x?pass=y", b"h:1",
    b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.", b"HTTP/0.9", b"HTTP/2", b"200", b"204", b"304", b"100", b"101", b"404",
    b"Content-Length", b"Transfer-Encoding", b"chunked", b"gzip", b"identity", b"Connection", b"close", b"keep-alive",
    b"Upgrade", b"websocket", b"Expect", b"100-continue", b"Authorization", b"Basic", b"dTpw", b"Bearer", b"Digest",
    b"Cookie", b"Set-Cookie", b"Host", b"Content-Type", b"application/x-www-form-urlencoded", b"multipart/form-data",
    b"boundary=b", b"zstd", b"br", b"deflate", b"Content-Encoding", b"--b",
    b"application/json", b"password", b"user", b"=", b"&", b";", b",", b":", b"0", b"1", b"5", b"a",
    b"ffffffff", b"18446744073709551616", b"-1", b"+1", b"0x1", b" ", b"\t", b"\r", b"\n", b"\r\n", b"\r\n\r\n",
    b"\x00", b"\xff", b"%", b"%20", b"%u0041", b"\n\n", b"999", b"\"", b"\\", b"\x0b", b"\x85",
)  # fmt: skip
LINES = (
    b"GET / HTTP/1.1\r\n", b"POST /login HTTP/1.1\r\n", b"HEAD / HTTP/1.0\r\n", b"CONNECT h:1 HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n", b"HTTP/1.1 204\r\n", b"HTTP/1.1 101 Up\r\n",
    b"HTTP/1.1 304 Not Modified\r\n", b"Content-Length: 5\r\n", b"Content-Length: 5, 5\r\n", b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Connection: close\r\n",
    b"Authorization: Basic dTpw\r\n", b"Proxy-Authorization: Basic dTpw\r\n", b"Cookie: session=abc; x=y\r\n",
    b"Content-Encoding: deflate\r\n", b"Content-Encoding: gzip, br\r\n", b"Content-Encoding: identity\r\n",
    b"Content-Type: multipart/form-data; boundary=b\r\n", b"--b\r\n", b"--b--\r\n",
    b"Content-Disposition: form-data; name=\"pass\"\r\n", b"Content-Disposition: form-data; filename=x\r\n",
    b"Content-Type: application/x-www-form-urlencoded\r\n", b"Expect: 100-continue\r\n", b" folded\r\n", b": x\r\n",
    b"\r\n", b"\n", b"\r", b"5\r\nabcde\r\n", b"5;x=y\r\nabcde\r\n", b"0\r\n\r\n", b"0\r\nT: v\r\n\r\n",
    b"user=a&password=b", b"{\"user\": \"a\", \"password\": \"b\"}",
)  # fmt: skip


class Call(NamedTuple):
    """One call's bytes, and how many were lost behind them."""

    to_server: bool
    lost: int
    data: bytes


def split(data: bytes) -> list[Call]:
    """The calls of an input; whatever the input, it has some meaning."""
    calls, at = [], 0
    while len(data) - at > HEAD.size:
        flags, lost, size = HEAD.unpack_from(data, at)
        at += HEAD.size
        calls.append(Call(bool(flags & 1), lost, data[at : at + size]))
        at += size
    return calls


def join(calls: list[Call]) -> bytes:
    """An input of these calls."""
    return b"".join(HEAD.pack(one.to_server, one.lost, len(one.data[:65535])) + one.data[:65535] for one in calls)


def pieces(data: bytes) -> list[bytes]:
    """What of an input can be left out."""
    return [join([one]) for one in split(data)]


def mutate(data: bytes, random: Random) -> bytes:
    """One change to a conversation."""
    calls = split(data)
    if not calls:
        return join([Call(random.random() < 0.6, 0, random.choice(LINES))])
    at = random.randrange(len(calls))
    one = calls[at]
    match random.randrange(10):
        case 0 | 1:
            calls = rearrange(calls, random)
        case 2:
            lost = random.choice((0, 0, 1, 2, 5, 100, 65535))
            calls[at] = one._replace(lost=lost)
        case 3:
            begin, end = span(random, len(one.data))
            calls[at : at + 1] = [
                one._replace(data=one.data[:begin], lost=0),
                one._replace(data=one.data[begin:], lost=one.lost if random.random() < 0.9 else end),
            ]
        case 4:
            calls[at] = one._replace(to_server=not one.to_server)
        case 5 if at + 1 < len(calls):
            calls[at : at + 2] = [one._replace(data=one.data + calls[at + 1].data)]
        case _:
            calls[at] = one._replace(data=text(one.data, random))
    return join(calls)


def text(data: bytes, random: Random) -> bytes:
    """A change to lines or words."""
    match random.randrange(6):
        case 0:
            return change(data, random)
        case 1:
            return b"".join(rearrange(LINE.findall(data), random))
        case 2:
            lines = LINE.findall(data)
            lines.insert(random.randrange(len(lines) + 1), random.choice(LINES))
            return b"".join(lines)
        case 3:
            return b"".join(rearrange(WORD.findall(data), random))
        case _:
            words = WORD.findall(data) or [b""]
            words[random.randrange(len(words))] = random.choice(WORDS)
            return b"".join(words)
