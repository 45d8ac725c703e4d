"""Parameters of an event as numbers and as text, worded as sysdig 0.29.3 words them.

A parameter has a value (what `evt.rawarg` compares), and up to two texts: the value's own and what it stands for (the
name of a descriptor, of an error, of flags), which `evt.args` puts in brackets and `evt.arg` gives alone. In files that
sysdig 0.29.3 can read, only the parameters that it knew are there, with the types it knew; in those of the newest
schema all are, and an empty one is NULL.
"""

from __future__ import annotations

import struct

from ..scap import event_table as table
from . import codes
from .buffers import PLAIN, Form, buffer_text, dotted, printable
from .model import decode
from .moments import utc_date
from .paths_text import joined
from .sockets_text import address_text, tuple_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from .model import Event, Thread

    Value = int | str | bytes
    Texts = tuple[str, str]
    """The value's own text, and what it stands for ("" where nothing is known)."""
    Param = tuple[str, int, str]
    """Name, PT_* code and format."""

NULL: Final = "NULL"
NO_ID: Final = 0xFFFFFFFF
NO_TIME: Final = 0xFFFFFFFFFFFFFFFF
AT_FDCWD: Final = -100
SCHEMA_OF_SYSDIG: Final = table.SYSDIG_MAX
GENERIC: Final = (0, 1)

_SIGNED: Final = table.PARAM_SIGNED
_TEXTS: Final = frozenset((table.PT_CHARBUF, table.PT_FSPATH, table.PT_FSRELPATH))
_FLAGS: Final = frozenset(range(table.PT_FLAGS8, table.PT_FLAGS32 + 1)) | frozenset(
    (table.PT_ENUMFLAGS8, table.PT_ENUMFLAGS16, table.PT_ENUMFLAGS32)
)
_ENUMS: Final = frozenset((table.PT_ENUMFLAGS8, table.PT_ENUMFLAGS16, table.PT_ENUMFLAGS32))
_L4: Final = {"tcp": "t", "udp": "u", "icmp": "i", "raw": "r"}

OLD_TYPES: Final[dict[tuple[int, str], int]] = {
    (62, "flags"): table.PT_FLAGS32,
    (126, "flags"): table.PT_FLAGS8,
    (136, "flags"): table.PT_FLAGS8,
    (138, "flags"): table.PT_FLAGS8,
    (293, "loginuid"): table.PT_UINT32,
    (326, "name"): table.PT_FSPATH,
    (331, "loginuid"): table.PT_UINT32,
}
"""Types that sysdig 0.29.3 took for another, by event code and parameter."""
OLD_NAMES: Final[dict[tuple[int, str], str]] = {
    (293, "vpgid"): "pgid",
    (322, "plugin_id"): "plugin ID",
    (331, "vpgid"): "pgid",
}
"""Names that sysdig 0.29.3 had for parameters that were renamed since, by event code and today's name."""

OLD_FLAGS: Final = {"file_flags": 0x3FFF, "clone_flags": 0x1FFFFFFF, "execve_flags": 0x1}
"""The bits of a table of flags that sysdig 0.29.3 has names for, where it has not for all."""


def form_of(event: Event) -> Form:
    """How the event's trace shows buffers."""
    form: Form = getattr(event.trace, "form", PLAIN)
    return form


def is_old(event: Event) -> bool:
    """Whether sysdig 0.29.3 knows the event type and can read the file: then its schema is shown."""
    return event.code < SCHEMA_OF_SYSDIG and not event.trace.exit_only


def _schemas(old: bool) -> tuple[tuple[Param, ...], ...]:
    rows = []
    for code, row in enumerate(table.EVENTS):
        params: tuple[Param, ...] = row[4]
        if old and code < SCHEMA_OF_SYSDIG:
            params = tuple(
                (OLD_NAMES.get((code, name), name), OLD_TYPES.get((code, name), kind), form)
                for name, kind, form in params[: row[6]]
            )
        rows.append(params)
    return tuple(rows)


_OLD: Final = _schemas(True)
_NEW: Final = _schemas(False)


def schema(event: Event) -> tuple[Param, ...]:
    """The parameters that this event carries and that are shown: name, type, format."""
    if event.trace.exit_only or event.code >= SCHEMA_OF_SYSDIG:
        params = _NEW[event.code] if event.code < len(_NEW) else ()
    else:
        params = _OLD[event.code]
    return params if len(params) <= len(event.params) else params[: len(event.params)]


def find(event: Event, name: str) -> int | None:
    """Where the parameter of that name stands; None where the event has none."""
    for index, param in enumerate(schema(event)):
        if param[0] == name:
            return index
    return None


def number(kind: int, data: bytes) -> int | None:
    """The number in a parameter of fixed size; None where there are too few bytes."""
    size = table.PARAM_SIZES[kind]
    if not size or len(data) < size:
        return None
    return int.from_bytes(data[:size], "little", signed=kind in _SIGNED)


def value(event: Event, index: int) -> Value | None:
    """The value of a parameter: a number where it is one, text for strings, else the bytes; None where it is absent."""
    kind = schema(event)[index][1]
    data = event.params[index]
    if not data:
        return None
    if kind in _TEXTS:
        return decode(data.partition(b"\0")[0])
    found = number(kind, data)
    return data if found is None else found


def flag_names(name: str, given: int) -> str:
    """The names of flags, joined by bars: an entry fits where all its bits are left; one that is the whole number is
    the last.
    """
    found = []
    rest = given
    for flag, bits in codes.FLAGS[name]:
        if bits == given:
            found.append(flag)
            break
        if bits and rest & bits == bits:
            found.append(flag)
            rest &= ~bits
    return "|".join(found)


def enum_name(name: str, given: int) -> str:
    """The name of a number that is not a set of flags; several names of one number are joined by bars."""
    return "|".join(flag for flag, number in codes.FLAGS[name] if number == given)


def fd_texts(thread: Thread | None, fd: int) -> Texts:
    """A descriptor: its kind's letter, its transport and its name; an error's name where the number is negative."""
    if fd >= 0:
        found = None if thread is None else thread.fds.get(fd)
        if found is None:
            return str(fd), ""
        known = found.is_bound or found.l4 == "raw" or found.role is not None
        transport = _L4.get(found.l4 or "", "") if found.is_ip and known else ""
        name = printable(found.name.encode("utf-8", "surrogateescape"))
        return str(fd), f"<{found.typechar}{transport}>{name}"
    if fd == AT_FDCWD:
        return str(fd), "AT_FDCWD"
    return str(fd), codes.ERRNO.get(-fd, "")


def seconds_texts(given: int) -> Texts:
    """A length of time in ns, and in seconds."""
    if given == NO_TIME:
        return "none", ""
    return str(given), f"{given / 1e9:g}s"


def sigset_text(given: int) -> str:
    """The names of the signals in a set, with a blank between."""
    return " ".join(name for number, name in codes.SIGNALS.items() if given >> (number - 1) & 1)


def polled_text(thread: Thread | None, data: bytes) -> str:
    """A list of descriptors with what is waited for: number, kind and flags in hex."""
    if len(data) < 2:
        return ""
    fds = {} if thread is None else thread.fds
    out = []
    count = int.from_bytes(data[:2], "little")
    for fd, flags in struct.iter_unpack("<qh", data[2 : 2 + 10 * min(count, (len(data) - 2) // 10)]):
        found = fds.get(fd)
        out.append(f"{fd & NO_TIME}:{'?' if found is None else found.typechar}{flags & NO_ID:x}")
    return " ".join(out)


def _digits(kind: int, form: str, given: int) -> str:
    size = table.PARAM_SIZES[kind]
    if form == "HEX":
        return f"{given & ((1 << 8 * size) - 1):X}"
    if form == "OCT":
        given &= (1 << 8 * size) - 1
        return f"0{given:o}" if given else "0"
    if given >> (8 * size - 1) and kind in (table.PT_UINT32, table.PT_UINT64):
        given -= 1 << 8 * size  # sysdig prints them as signed
    return str(given)


def _id_texts(event: Event, kind: int, given: int) -> Texts:
    if given == NO_ID:
        return "-1", "<NONE>"
    names = event.trace.users if kind == table.PT_UID else event.trace.groups
    found = names.get(given)
    return str(given), "<NA>" if found is None else printable(found.name.encode("utf-8", "surrogateescape"))


def _dynamic(event: Event, index: int, data: bytes) -> Texts:
    choices = codes.DYNAMIC[codes.PARAM_DYNAMIC[event.code][index]]
    if not data or data[0] >= len(choices):
        return "INVALID DYNAMIC PARAMETER", ""
    kind, form = choices[data[0]]
    return _texts(event, index, kind, form, data[1:])


def _path(event: Event, kind: int, index: int, data: bytes) -> Texts:
    text = data.partition(b"\0")[0]
    shown = printable(text)
    if text.startswith(b"/") or text == b"<NA>":
        return shown, ""
    thread = event.thread
    if kind == table.PT_FSRELPATH:
        if not text:
            return shown, ""
        place = codes.PARAM_DIRFD[event.code][index]
        dirfd = number(table.PT_FD, event.params[place]) if place < len(event.params) else None
        if dirfd != AT_FDCWD:
            found = None if thread is None or dirfd is None else thread.fds.get(dirfd)
            base = b"" if found is None else printable(found.name.encode("utf-8", "surrogateescape")).encode()
            return shown, dotted(joined(base, text))
    base = b"" if thread is None else (thread.cwd or "").encode("utf-8", "surrogateescape")
    return shown, dotted(joined(base, text))


def _absent(event: Event, kind: int) -> str:
    if not is_old(event):
        return "<NA>" if kind in _TEXTS else NULL
    return "" if kind in (table.PT_BYTEBUF, table.PT_FDLIST) else NULL


def _texts(event: Event, index: int, kind: int, form: str, data: bytes) -> Texts:
    if kind == table.PT_BYTEBUF:
        return buffer_text(data, form_of(event)) or _absent(event, kind), ""
    if kind == table.PT_DYN:
        return _dynamic(event, index, data)
    if not data:
        return _absent(event, kind), ""
    if kind == table.PT_CHARBUF:
        return decode(data.partition(b"\0")[0]), ""
    if kind in _TEXTS:
        return _path(event, kind, index, data)
    if kind == table.PT_SOCKADDR:
        return address_text(data), ""
    if kind == table.PT_SOCKTUPLE:
        return tuple_text(data), ""
    if kind == table.PT_FDLIST:
        return polled_text(event.thread, data), ""
    given = number(kind, data)
    if given is None:
        return _odd(kind, data), ""
    return _number_texts(event, index, kind, form, given)


def _number_texts(event: Event, index: int, kind: int, form: str, given: int) -> Texts:
    if kind in (table.PT_FD, table.PT_FD32):
        return fd_texts(event.thread, given)
    if kind in (table.PT_PID, table.PT_PID32):
        found = event.trace.find(given)
        return str(given), "" if found is None else found.comm or ""
    if kind == table.PT_ERRNO:
        shown = _digits(kind, form, given) if is_old(event) else str(given)
        return shown, codes.ERRNO.get(-given, "") if given < 0 else ""
    if kind in _FLAGS or kind == table.PT_MODE:
        name = codes.PARAM_FLAGS.get(event.code, {}).get(index)
        shown = _digits(kind, form, given) if kind == table.PT_MODE else str(given)
        if name is None:
            return shown, ""
        if is_old(event):
            known = given & OLD_FLAGS.get(name, given)
            return shown, flag_names(name, known) if known or not given else ""
        return shown, enum_name(name, given) if kind in _ENUMS else flag_names(name, given)
    if kind in (table.PT_UID, table.PT_GID):
        return _id_texts(event, kind, given)
    if kind == table.PT_SIGTYPE:
        return str(given), codes.SIGNALS.get(given, "")
    if kind == table.PT_RELTIME:
        return seconds_texts(given)
    if kind == table.PT_ABSTIME:
        return utc_date(given), ""
    if kind == table.PT_SIGSET:
        return sigset_text(given), ""
    if kind == table.PT_IPV4ADDR:
        return ".".join(map(str, given.to_bytes(4, "little"))), ""
    return _digits(kind, form, given), ""


def _odd(kind: int, data: bytes) -> str:
    """What has no size of its own (lists of strings in iterator events), or too few bytes for its type."""
    if kind in (table.PT_CHARBUFARRAY, table.PT_CHARBUF_PAIR_ARRAY):
        return dotted(data)
    return NULL


def texts(event: Event, index: int) -> Texts:
    """A parameter's own text and what it stands for."""
    _, kind, form = schema(event)[index]
    return _texts(event, index, kind, form, event.params[index])


def text(event: Event, index: int) -> str:
    """A parameter as `evt.arg` gives it: what it stands for, or its own text."""
    shown, meaning = texts(event, index)
    return meaning or shown


def args(event: Event) -> str:
    """All parameters, each as `name=text(meaning)` and followed by a blank, as `evt.args` gives them."""
    if event.code in GENERIC:
        return ""
    out = []
    for index, (name, kind, form) in enumerate(schema(event)):
        shown, meaning = _texts(event, index, kind, form, event.params[index])
        out.append(f"{name}={shown}({meaning}) " if meaning else f"{name}={shown} ")
    return "".join(out)
