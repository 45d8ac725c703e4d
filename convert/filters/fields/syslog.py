"""syslog.*: messages that are written to /dev/log (RFC 3164: a priority in angle brackets, then text)."""

from __future__ import annotations

from ...scap.event_table import EF_WRITES_TO_FD
from ...trace.model import decode
from .field import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from ...trace.model import Event
    from .field import Value

LONGEST_PRIORITY: Final = 15  # digits
SEVERITIES: Final = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "clock", "authpriv", "ftp", "ntp",
    "logaudit", "logalert", "cron", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
UNKNOWN: Final = "<NA>"


class Message:
    """A message's facility, severity and text."""

    __slots__ = ("facility", "severity", "text")

    def __init__(self, facility: int, severity: int, text: str) -> None:
        self.facility = facility
        self.severity = severity
        self.text = text


def priority(data: bytes) -> tuple[int, int] | None:
    """The number that a message begins with, in angle brackets, and where it ends; None where there is none. As sysdig
    reads it: the first character may be any, a NUL ends the number too, and 15 digits end it without either.
    """
    end = 1
    while end < len(data) and end <= LONGEST_PRIORITY and data[end] not in b">\0":
        if not 48 <= data[end] <= 57:
            return None
        end += 1
    if end == 1 or end >= len(data):
        return None
    number = int(data[1:end]) % (1 << 32)
    return number - (1 << 32) if number >> 31 else number, end + 1


def message(event: Event) -> Message | None:
    """The message that the event writes to /dev/log; None if it writes none."""
    found = event.fd
    if found is None or not event.is_exit or not event.info.flags & EF_WRITES_TO_FD or "/dev/log" not in found.name:
        return None
    data = event.param("data")
    if not data or event.res is None or event.res < 0:
        return None
    begun = priority(data)
    if begun is None:
        return None
    number, end = begun
    return Message((number >> 3) % (1 << 32), number & 7, decode(data[end:].partition(b"\0")[0]))


def of(extract: Callable[[Message], Value]) -> Callable[[Event, str | None], Value]:
    """A part of the message."""

    def value(event: Event, argument: str | None) -> Value:
        found = message(event)
        return None if found is None else extract(found)

    return value


FIELDS: Final = (
    Field("syslog.facility.str", "charbuf", "E", "none", "Facility of a message to syslog, by name.",
          of(lambda found: FACILITIES[found.facility] if found.facility < len(FACILITIES) else UNKNOWN)),
    Field("syslog.facility", "uint32", "E", "none", "Facility of a message to syslog, 0 to 23.",
          of(lambda found: found.facility), "decimal"),
    Field("syslog.severity.str", "charbuf", "E", "none", "Severity of a message to syslog, by name: "
          + ", ".join(SEVERITIES) + ".", of(lambda found: SEVERITIES[found.severity])),
    Field("syslog.severity", "uint32", "E", "none", "Severity of a message to syslog, 0 to 7.",
          of(lambda found: found.severity), "decimal"),
    Field("syslog.message", "charbuf", "E", "none", "Text of a message to syslog.", of(lambda found: found.text)),
)  # fmt: skip
