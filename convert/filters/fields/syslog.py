"""syslog.*: messages that are written to /dev/log (RFC 3164: a priority in angle brackets, then text)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from ...scap.event_table import EF_WRITES_TO_FD
from ...trace.model import decode
from .field import Field, Value

if TYPE_CHECKING:
    from ...trace.model import Event

PRIORITY: Final = re.compile(rb"<([0-9]{1,4})>")
SEVERITIES: Final = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "clock", "authpriv", "ftp", "ntp",
    "logaudit", "logalert", "cron", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
UNKNOWN: Final = "<NA>"


class Message(NamedTuple):
    """A message's facility, severity and text."""

    facility: int
    severity: int
    text: str


def message(event: Event) -> Message | None:
    """The message that the event writes to /dev/log; None if it writes none."""
    found = event.fd
    if found is None or not event.is_exit or not event.info.flags & EF_WRITES_TO_FD or "/dev/log" not in found.name:
        return None
    data = event.param("data")
    if not data or event.res is None or event.res < 0:
        return None
    match = PRIORITY.match(data)
    if match is None:
        return None
    priority = int(match.group(1))
    return Message(priority >> 3, priority & 7, decode(data[match.end() :]))


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
