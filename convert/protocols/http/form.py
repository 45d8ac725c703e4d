"""The secrets of one form or query, as its fields come: whose each is, and how sure it is that it is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.sighting import CERTAIN, LIKELY, TOKEN, Sighting
from . import jwt
from .form_fields import (
    CLIENT_FIELDS,
    CLIENT_SECRETS,
    MAY_BE_JWT,
    USER_FIELDS,
    Kind,
    decoded,
    own_name,
    secret_kind,
    sure,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...model.exchange import HttpRequest
    from ...model.span import Span

MOST_SECRETS = 100
"""Of one request; more are no login."""
LONGEST_NAME = 256
_JWT_KIND = Kind(TOKEN, CERTAIN)


def _fields(data: bytes, begins_cut: bool) -> Iterator[tuple[bytes, int, int]]:
    """(name, begin and end of the value) of each field in k=v&k=v; a first one without its beginning is passed over."""
    begin = data.find(b"&") + 1 if begins_cut else 0
    if begins_cut and not begin:
        return
    size = len(data)
    while begin <= size:
        end = data.find(b"&", begin)
        if end < 0:
            end = size
        equals = data.find(b"=", begin, min(end, begin + LONGEST_NAME + 1))
        if equals > begin:
            yield data[begin:equals], equals + 1, end
        begin = end + 1


class Form:
    """Secrets in the fields of one form, or of one query, as these are given in their order.

    A secret's user is the nearest user field before it, else the first after it. `request` and `location` are what
    each Sighting says of where it was found.
    """

    def __init__(self, request: HttpRequest, location: str) -> None:
        self.request = request
        self.location = location
        self._user: str | None = None
        self._client: str | None = None
        self._without: list[Sighting] = []
        self.found: list[Sighting] = []
        """At most MOST_SECRETS from what was read; without their outcome."""

    @property
    def full(self) -> bool:
        """No further secret is taken."""
        return len(self.found) >= MOST_SECRETS

    def read(self, data: bytes, begins_cut: bool, ends_cut: bool, locate: Callable[[int, int], Span]) -> None:
        """One stretch of fields without a loss in it, k=v&k=v."""
        for name, begin, end in _fields(data, begins_cut):
            field = own_name(name)
            complete = end < len(data) or not ends_cut
            raw = data[begin:end].rstrip(b"\r\n") if end == len(data) else data[begin:end]
            self.take(field, name, raw, complete, begin, locate)

    def take(
        self, field: str, name: bytes, raw: bytes, complete: bool, begin: int, locate: Callable[[int, int], Span]
    ) -> None:
        """One field that is percent-encoded; `begin`: where its value stands."""
        if field in USER_FIELDS or field in CLIENT_FIELDS:
            self.name(text_of(decoded(raw, True)), field)
            return
        kind = secret_kind(field)
        if kind is None:
            if field not in MAY_BE_JWT or not raw.startswith(b"eyJ"):
                return
            kind = _JWT_KIND
            if jwt.read(text_of(raw)) is None:
                return
        secret = decoded(raw, complete)
        if secret and not self.full:
            self.add(text_of(decoded(name, True)), secret, raw, complete, locate(begin, begin + len(raw)), kind)

    def name(self, user: str, field: str = "") -> None:
        """A field that names the user; `field`: its own name, where that tells users from clients."""
        if not user:
            return
        if field in CLIENT_FIELDS:
            self._client = user
            for sighting in self._without:
                if own_name((sighting.field or "").encode()) in CLIENT_SECRETS:
                    sighting.username = user
            return
        self._user = user
        for sighting in self._without:
            sighting.username = user
        self._without.clear()

    def add(self, field: str, secret: bytes, raw: bytes, complete: bool, span: Span, kind: Kind | None = None) -> None:
        """A field that holds a secret."""
        own = own_name(field.encode("utf-8", "surrogatepass"))
        kind = kind or secret_kind(own) or Kind(TOKEN, LIKELY)
        confidence = sure(kind, secret)
        if confidence is None or self.full:
            return
        user = self._client if own in CLIENT_SECRETS and self._client is not None else self._user
        sighting = sighting_of(self.request, self.location, field, user, secret, raw, complete, span)
        sighting.form, sighting.confidence = kind.form, confidence
        if kind.form == TOKEN and secret.startswith(b"eyJ") and (told := jwt.read(text_of(secret))) is not None:
            sighting.username, sighting.details = told[0] or user, told[1]
        self.found.append(sighting)
        if sighting.username is None:
            self._without.append(sighting)


def sighting_of(
    request: HttpRequest,
    location: str,
    field: str | None,
    user: str | None,
    secret: bytes,
    raw: bytes,
    complete: bool,
    span: Span,
) -> Sighting:
    """A secret in a request."""
    return Sighting(location, field, user, secret, raw, complete, span, request.method, request.host, request.target)
