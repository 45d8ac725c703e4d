"""Passwords in SQL where the grammar of statements does not lead: misspelt, commented out, in a text within the text.

They are cut out of what is shown, and are no sightings: nothing tells that they were ever in use. Also: which prepared
statements take a password as a parameter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_IN_A_TEXT = r"''(?![\s;,)'\"]|\Z)(?P<a>.*?)(?:''|\Z)|\\+(?P<q>['\"])(?P<b>.*?)(?:\\+(?P=q)|\Z)"
_TEXT = r"|(?:[nebx]|u&)?'(?P<c>(?:\\.|''|[^'\\])*)|(?P<t>\$\w*\$)(?P<d>.*?)(?:(?P=t)|\Z)"
_NAME = r"|\"(?P<e>(?:\\.|\"\"|[^\"\\])*)|`(?P<f>[^`]*)"
_WORD = (
    r"|(?!(?:random|password|null|expire|history|reuse|require|default|user|as)\b|(?:[nebx]|u&)')"
    r"(?P<g>[^\s'\"`;,()$\\=<>?:@][^\s;,)'\"`]*)"
)
_GROUPS = "abcdefg"
_IDENTIFIED = re.compile(
    r"\bidentified\s+(?:(?:with|via)\s+\S+\s+)?by\s*(?:password\s+)?(?:" + _IN_A_TEXT + _TEXT + _NAME + _WORD + ")",
    re.IGNORECASE | re.DOTALL,
)
_OF_A_USER = re.compile(
    r"\b(?:user|role|group)\s(?!\s*mapping)[^;'\"]{0,200}?\bpassword\s+(?:" + _IN_A_TEXT + _TEXT + _NAME + _WORD + ")",
    re.IGNORECASE | re.DOTALL,
)
_PASSWORD = re.compile(r"(?:password\s*\(\s*|\bpassword\s+)(?:" + _IN_A_TEXT + _TEXT + ")", re.IGNORECASE | re.DOTALL)
_URL = re.compile(r"\b[a-z][a-z0-9+.\-]{1,15}://[^\s:@/'\"]*:(?P<a>[^\s@/'\"]+)@", re.IGNORECASE)
_PARAMETER = re.compile(
    r"\bidentified\s+(?:(?:with|via)\s+\S+\s+)?by\s*(?:\?|\$\d)|password\s*\(\s*(?:\?|\$\d)"
    r"|\b(?:user|role|group)\s[^;]{0,200}?\bpassword\s+(?:\?|\$\d)|\bset\s+password\b[^;]{0,100}?=\s*(?:\?|\$\d)"
    r"|\b(?:master|source)_password\s*=\s*\?|\bdblink\w*\s*\([^;]{0,200}?\$\d",
    re.IGNORECASE,
)


def strays(sql: str) -> Iterator[tuple[int, int]]:
    """(begin, end) of what may be a password wherever it stands, in no order."""
    for pattern in (_IDENTIFIED, _OF_A_USER, _PASSWORD, _URL):
        for match in pattern.finditer(sql):
            known = match.groupdict()
            begin, end = next((match.span(group) for group in _GROUPS if known.get(group) is not None), (0, 0))
            if end > begin:
                yield begin, end


def takes_password(sql: str) -> bool:
    """Whether a parameter of this statement is a password."""
    return _PARAMETER.search(sql) is not None
