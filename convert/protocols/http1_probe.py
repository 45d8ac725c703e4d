"""Recognise HTTP/1.x by its first bytes, on any port: a request line from the client or a status line from the server.

The same judgement serves to find the next message after something was lost. It looks at one line, cut or whole.
"""

from __future__ import annotations

import re

# Methods of the IANA registry and others in wide use (UPnP, WebDAV clients, proxies, RPC over HTTP).
METHODS = frozenset(
    b"GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY LABEL LINK"
    b" LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPFIND PROPPATCH QUERY REBIND"
    b" REPORT SEARCH UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL BCOPY BDELETE BMOVE"
    b" BPROPFIND BPROPPATCH NOTIFY POLL SUBSCRIBE UNSUBSCRIBE M-SEARCH PURGE BAN REFRESH DEBUG TRACK SOURCE"
    b" RPC_IN_DATA RPC_OUT_DATA RPC_CONNECT CCM_POST BITS_POST".split()
)
_LONGEST = max(map(len, METHODS))
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"

# RFC 9112, 3 and 4, as strict as a judgement on bytes without context must be.
_REQUEST = re.compile(_TOKEN + rb"{1,32} [^\x00-\x20][^\r\n]* HTTP/1\.[0-9][ \t]*\r*\Z")
_STATUS = re.compile(rb"HTTP/1\.[0-9] +[0-9]{3}(?:[ \t][^\n]*)?\r*\Z")
_CUT_TARGET = re.compile(
    rb"(?:/|\*|[A-Za-z][A-Za-z0-9+.\-]{1,15}://|[^/?#\x00-\x20]+:[0-9]{1,5})[^\x00-\x1f\x7f]*\r*\Z"
)
# Between messages that were whole a start line may be odder.
_ODD_REQUEST = re.compile(rb"[^\x00-\x20]{1,64}[ \t]+[^\r\n]*[ \t]HTTP/[01]\.[0-9]+[ \t]*\r*\Z", re.IGNORECASE)
_ODD_STATUS = re.compile(rb"HTTP/[01](?:\.[0-9]+)?[ \t]+[0-9]{1,5}(?:[ \t][^\n]*)?\r*\Z", re.IGNORECASE)


def is_start_line(to_server: bool, line: bytes) -> bool:
    """Whether a whole line (without its LF) is an HTTP/1.x request line or status line."""
    return (_REQUEST if to_server else _STATUS).match(line) is not None


def is_odd_start_line(to_server: bool, line: bytes) -> bool:
    """Whether a whole line passes for a start line where one must stand: lower case, odd methods, no version."""
    if to_server:
        return _ODD_REQUEST.match(line) is not None or is_cut_start_line(True, line)
    return _ODD_STATUS.match(line) is not None


def is_cut_start_line(to_server: bool, line: bytes) -> bool:
    """Whether a line whose end is not known can only be the beginning of a message.

    A request must show a known method, a blank and the beginning of a target; a response its whole status.
    """
    if not to_server:
        return _STATUS.match(line) is not None
    method, blank, target = line.partition(b" ")
    return blank != b"" and method in METHODS and _CUT_TARGET.match(target) is not None


def may_become_start_line(to_server: bool, line: bytes) -> bool:
    """Whether a line that is still growing looks like the beginning of a message, on little evidence."""
    if not to_server:
        return line[:7] == b"HTTP/1."[: len(line)]
    method, blank, _ = line[: _LONGEST + 1].partition(b" ")
    if blank:
        return method in METHODS
    return any(known.startswith(method) for known in METHODS)


def probe(to_server: bool, head: bytes) -> bool:
    """Whether the first bytes of one system call are HTTP/1.x: at most the first line is looked at."""
    if not to_server:
        return head[:7] == b"HTTP/1." and is_cut_start_line(False, _first_line(head))
    if head[:1] in b"\r\n":
        head = head.lstrip(b"\r\n")
    line = _first_line(head)
    if len(line) < len(head):
        return is_start_line(True, line)
    return is_cut_start_line(True, line)


def _first_line(head: bytes) -> bytes:
    end = head.find(b"\n", 0, 1 << 16)
    return head[: end if end >= 0 else 1 << 16]
