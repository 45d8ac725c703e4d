"""Secrets that mean nothing where they are found again: words that anybody uses. The rule is in docs/formats.md."""

from __future__ import annotations

SHORTEST = 8
"""Bytes of a secret that is looked for."""
MOST_PLACES = 256
"""A secret that went to more places than that (see hops.py) is a common word."""

_COMMON = (
    "password passwort password1 password12 password123 passw0rd p@ssw0rd 12345678 123456789 1234567890 87654321"
    " qwertyui qwertyuiop qwerty123 1q2w3e4r 1qaz2wsx abcdefgh abcd1234 iloveyou sunshine princess football baseball"
    " trustno1 superman computer internet whatever starwars welcome1 letmein1 changeme administrator administrateur"
    " localhost anonymous username undefined security database document download function software business"
    " american australia september november december february wednesday thursday saturday tomorrow together"
    " possible required response resource template redirect multipart keepalive keep-alive text/html utf-8"
    " 00000000 11111111 aaaaaaaa xxxxxxxx ********"
)
COMMON = frozenset(_COMMON.split())


def is_common(secret: bytes, known: frozenset[str]) -> bool:
    """Whether a secret is too short, a word, or (any case) a name that is `known` of a user, host, program or path."""
    if len(secret) < SHORTEST or len(set(secret)) < 4:
        return True
    text = secret.decode("latin-1").lower()
    return text in COMMON or text in known


def names_in(path: bytes) -> list[str]:
    """A path, its parts, and those without what follows a dot: in lower case."""
    text = path.decode("latin-1").lower()
    parts = text.split("/")
    return [text, *parts, *(part.partition(".")[0] for part in parts)]
