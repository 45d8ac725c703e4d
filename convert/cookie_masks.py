"""Session cookies masked where they stand: in the headers of requests and responses.

Every visitor of a site has one in every request. They are random, so nobody guesses one from a hash; they are masked by
their names and not looked for elsewhere in the case, which would make a busy site's capture cost many times as much.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from .model.sighting import CERTAIN, COOKIE
from .protocols.http.cookies import sessions
from .redact import MASK

if TYPE_CHECKING:
    from .model.exchange import HttpExchange
    from .model.sighting import Sighting

Headers = list[tuple[str, str]]
_NAMES = frozenset(("cookie", "set-cookie"))
_LENGTHS = frozenset(map(len, _NAMES))


def only_masked(sighting: Sighting) -> bool:
    """Whether it is a session cookie, which is masked in its headers and not searched for. A signed token is."""
    return sighting.location == COOKIE and sighting.protocol == "http" and sighting.confidence != CERTAIN


def without_sessions(exchange: HttpExchange) -> HttpExchange:
    """The exchange with the values of session cookies masked; the same one where there are none."""
    request, response = exchange.request, exchange.response
    if request is not None and (headers := _masked(request.headers)) is not None:
        request = msgspec.structs.replace(request, headers=headers)
    if response is not None and (headers := _masked(response.headers)) is not None:
        response = msgspec.structs.replace(response, headers=headers)
    if request is exchange.request and response is exchange.response:
        return exchange
    return msgspec.structs.replace(exchange, request=request, response=response)


def _masked(headers: Headers) -> Headers | None:
    out: Headers | None = None
    for number, (name, value) in enumerate(headers):
        if len(name) in _LENGTHS and name.lower() in _NAMES and (shown := _shown(value)) is not None:
            if out is None:
                out = headers.copy()
            out[number] = (name, shown)
    return out


@lru_cache(maxsize=256)
def _shown(value: str) -> str | None:
    """The header's value as it is shown; None where there is nothing to mask."""
    out, done = [], 0
    for cookie in sessions(value):
        out += [value[done : cookie.begin], MASK]
        done = cookie.begin + len(cookie.value)
    return "".join((*out, value[done:])) if out else None
