# cython: language_level=3, boundscheck=True
"""Parameters of an event as numbers and as text, worded as sysdig 0.29.3 words them.

A parameter has a value (what `evt.rawarg` compares), and up to two texts: the value's own and what it stands for (the
name of a descriptor, of an error, of flags), which `evt.args` puts in brackets and `evt.arg` gives alone. In files that
sysdig 0.29.3 can read, only the parameters that it knew are there, with the types it knew; in those of the newest
schema all are, and an empty one is NULL.
"""

import struct

from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcpy

from ..scap import event_table as table
from . import codes
from .buffers import PLAIN, SHORT, buffer_text, dotted, printable
from .model import decode
from .moments import utc_date
from .paths_text import joined
from .sockets_text import address_text, tuple_text

cdef extern from "Python.h":
    str PyUnicode_New(Py_ssize_t size, Py_UCS4 greatest)
    void *PyUnicode_DATA(str text)


cdef enum:
    KINDS = 64  # of parameters; more than there are

cdef int PT_UINT32 = table.PT_UINT32, PT_UINT64 = table.PT_UINT64, PT_CHARBUF = table.PT_CHARBUF
cdef int PT_BYTEBUF = table.PT_BYTEBUF, PT_ERRNO = table.PT_ERRNO, PT_SOCKADDR = table.PT_SOCKADDR
cdef int PT_SOCKTUPLE = table.PT_SOCKTUPLE, PT_FD = table.PT_FD, PT_PID = table.PT_PID, PT_FDLIST = table.PT_FDLIST
cdef int PT_FSPATH = table.PT_FSPATH, PT_SIGTYPE = table.PT_SIGTYPE, PT_RELTIME = table.PT_RELTIME
cdef int PT_ABSTIME = table.PT_ABSTIME, PT_IPV4ADDR = table.PT_IPV4ADDR, PT_DYN = table.PT_DYN
cdef int PT_FLAGS8 = table.PT_FLAGS8, PT_FLAGS32 = table.PT_FLAGS32, PT_UID = table.PT_UID, PT_GID = table.PT_GID
cdef int PT_SIGSET = table.PT_SIGSET, PT_CHARBUFARRAY = table.PT_CHARBUFARRAY
cdef int PT_CHARBUF_PAIR_ARRAY = table.PT_CHARBUF_PAIR_ARRAY, PT_MODE = table.PT_MODE
cdef int PT_FSRELPATH = table.PT_FSRELPATH, PT_ENUMFLAGS8 = table.PT_ENUMFLAGS8
cdef int PT_ENUMFLAGS32 = table.PT_ENUMFLAGS32, PT_FD32 = table.PT_FD32, PT_PID32 = table.PT_PID32

if len(table.PARAM_SIZES) > KINDS:
    raise AssertionError("the event table and arguments.pyx disagree")

NOTHING = "NULL"
NO_ID = 0xFFFFFFFF
NO_TIME = 0xFFFFFFFFFFFFFFFF
AT_FDCWD = -100
GENERIC = (0, 1)
_L4 = {"tcp": "t", "udp": "u", "icmp": "i", "raw": "r"}

OLD_TYPES = {
    (62, "flags"): table.PT_FLAGS32,
    (126, "flags"): table.PT_FLAGS8,
    (136, "flags"): table.PT_FLAGS8,
    (138, "flags"): table.PT_FLAGS8,
    (293, "loginuid"): table.PT_UINT32,
    (326, "name"): table.PT_FSPATH,
    (331, "loginuid"): table.PT_UINT32,
}
"""Types that sysdig 0.29.3 took for another, by event code and parameter."""
OLD_NAMES = {
    (293, "vpgid"): "pgid",
    (322, "plugin_id"): "plugin ID",
    (331, "vpgid"): "pgid",
}
"""Names that sysdig 0.29.3 had for parameters that were renamed since, by event code and today's name."""

OLD_FLAGS = {"file_flags": 0x3FFF, "clone_flags": 0x1FFFFFFF, "execve_flags": 0x1}
"""The bits of a table of flags that sysdig 0.29.3 has names for, where it has not for all."""


cdef int OLD_CODES = table.SYSDIG_MAX
cdef int SIZES[KINDS]
cdef bint SIGNED[KINDS]

for _kind, _size in enumerate(table.PARAM_SIZES):
    SIZES[_kind], SIGNED[_kind] = _size, _kind in table.PARAM_SIGNED


def form_of(event):
    return getattr(event.trace, "form", PLAIN)


def is_old(event):
    return event.code < OLD_CODES and not event.trace.exit_only


cdef dict _old = {}


cdef tuple old_schema(int code):
    """What sysdig 0.29.3 knew of a type: made when the first event of the type comes."""
    found = _old.get(code)
    if found is None:
        row = table.EVENTS[code]
        found = _old[code] = tuple([
            (OLD_NAMES.get((code, name), name), OLD_TYPES.get((code, name), kind), form)
            for name, kind, form in row[4][:row[6]]
        ])
    return <tuple>found


cpdef tuple schema(event):
    cdef int code = event.code
    cdef Py_ssize_t count = len(<tuple>event.params)
    cdef tuple params
    if code >= OLD_CODES or event.trace.exit_only:
        params = <tuple>table.EVENTS[code][4] if code < len(table.EVENTS) else ()
    else:
        params = old_schema(code)
    return params if len(params) <= count else params[:count]


cpdef find(event, str name):
    cdef Py_ssize_t index
    cdef tuple rows = schema(event)
    for index in range(len(rows)):
        if (<tuple>rows[index])[0] == name:
            return index
    return None


cpdef number(int kind, bytes data):
    """Little-endian, as all machines are that this runs on (see the walk)."""
    cdef int size = SIZES[kind] if 0 <= kind < KINDS else 0
    cdef const uint8_t *at = data
    cdef uint64_t whole = 0
    if size == 0 or len(data) < size:
        return None
    if size > 8:
        return int.from_bytes(data[:size], "little", signed=bool(SIGNED[kind]))
    memcpy(&whole, at, size)
    if not SIGNED[kind]:
        return whole
    if size == 8:
        return <int64_t>whole
    if size == 4:
        return <int32_t>whole
    return <int16_t>whole if size == 2 else <int8_t>whole


def value(event, index):
    cdef int kind = schema(event)[index][1]
    cdef bytes data = event.params[index]
    if not data:
        return None
    if is_text(kind):
        return decode(data.partition(b"\0")[0])
    found = number(kind, data)
    return data if found is None else found


cdef inline bint is_text(int kind) noexcept:
    return kind == PT_CHARBUF or kind == PT_FSPATH or kind == PT_FSRELPATH


cdef inline bint is_flags(int kind) noexcept:
    return PT_FLAGS8 <= kind <= PT_FLAGS32 or PT_ENUMFLAGS8 <= kind <= PT_ENUMFLAGS32


def flag_names(name, given):
    """An entry fits where all its bits are left; one that is the whole number is the last."""
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


def enum_name(name, given):
    return "|".join([flag for flag, number in codes.FLAGS[name] if number == given])


cdef Py_ssize_t _short = SHORT


cdef str dots(bytes data, bint full):
    """A buffer in the plain form: as buffer_text has it, without a copy of the bytes."""
    cdef Py_ssize_t size = len(data), index
    cdef bint cut = size > _short and not full
    cdef const uint8_t *at = data
    cdef uint8_t *out
    cdef str text
    if cut:
        size = _short - 3
    text = PyUnicode_New(size + 3 if cut else size, 127)
    out = <uint8_t *>PyUnicode_DATA(text)
    for index in range(size):
        out[index] = at[index] if 0x20 <= at[index] < 0x7F else 0x2E
    if cut:
        out[size] = out[size + 1] = out[size + 2] = 0x2E
    return text


cdef str shown_name(str name):
    """The printable ASCII of a name."""
    return name if name.isascii() and name.isprintable() else printable(name.encode("utf-8", "surrogateescape"))


def fd_texts(thread, fd):
    if fd >= 0:
        found = None if thread is None else thread.fds.get(fd)
        if found is None:
            return str(fd), ""
        transport = ""
        if found.is_ip and (found.role is not None or found.is_bound or found.l4 == "raw"):
            transport = _L4.get(found.l4 or "", "")
        return str(fd), f"<{found.typechar}{transport}>{shown_name(found.name)}"
    if fd == AT_FDCWD:
        return str(fd), "AT_FDCWD"
    return str(fd), codes.ERRNO.get(-fd, "")


def seconds_texts(given):
    """A length of time in ns, and in seconds."""
    if given == NO_TIME:
        return "none", ""
    return str(given), f"{given / 1e9:g}s"


def sigset_text(given):
    """The names of the signals in a set, with a blank between."""
    return " ".join(name for number, name in codes.SIGNALS.items() if given >> (number - 1) & 1)


def polled_text(thread, data):
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


cdef str _digits(int kind, str form, given):
    cdef int size = SIZES[kind]
    if form == "HEX":
        return f"{given & ((1 << <object>(8 * size)) - 1):X}"
    if form == "OCT":
        given &= (1 << <object>(8 * size)) - 1
        return f"0{given:o}" if given else "0"
    if (kind == PT_UINT32 or kind == PT_UINT64) and given >> (8 * size - 1):
        given -= 1 << <object>(8 * size)  # sysdig prints them as signed
    return str(given)


def _id_texts(event, kind, given):
    if given == NO_ID:
        return "-1", "<NONE>"
    names = event.trace.users if kind == PT_UID else event.trace.groups
    found = names.get(given)
    return str(given), "<NA>" if found is None else printable(found.name.encode("utf-8", "surrogateescape"))


def _dynamic(event, index, data):
    choices = codes.DYNAMIC[codes.PARAM_DYNAMIC[event.code][index]]
    if not data or data[0] >= len(choices):
        return "INVALID DYNAMIC PARAMETER", ""
    kind, form = choices[data[0]]
    return _texts(event, index, kind, form, data[1:])


def _path(event, kind, index, data):
    text = data.partition(b"\0")[0]
    shown = printable(text)
    if text.startswith(b"/") or text == b"<NA>":
        return shown, ""
    thread = event.thread
    if kind == PT_FSRELPATH:
        if not text and not event.info.known_to_sysdig:  # the library of newer event types leaves it so
            return shown, ""
        place = codes.PARAM_DIRFD[event.code][index]
        dirfd = number(PT_FD, event.params[place]) if place < len(event.params) else None
        if dirfd != AT_FDCWD:
            found = None if thread is None or dirfd is None else thread.fds.get(dirfd)
            base = b"" if found is None else printable(found.name.encode("utf-8", "surrogateescape")).encode()
            return shown, dotted(joined(base, text))
    base = b"" if thread is None else (thread.cwd or "").encode("utf-8", "surrogateescape")
    return shown, dotted(joined(base, text))


def _absent(event, kind):
    if not is_old(event):
        return "<NA>" if is_text(kind) else NOTHING
    return "" if kind in (PT_BYTEBUF, PT_FDLIST) else NOTHING


cdef tuple _texts(event, index, int kind, str form, bytes data):
    if kind == PT_BYTEBUF:
        if not data:
            return _absent(event, kind), ""
        shape = form_of(event)
        return dots(data, shape.full) if shape.kind == "dots" else buffer_text(data, shape), ""
    if kind == PT_DYN:
        return _dynamic(event, index, data)
    if not data:
        return _absent(event, kind), ""
    if kind == PT_CHARBUF:
        return data.partition(b"\0")[0].decode("utf-8", "surrogateescape"), ""
    if is_text(kind):
        return _path(event, kind, index, data)
    if kind == PT_SOCKADDR:
        return address_text(data), ""
    if kind == PT_SOCKTUPLE:
        return tuple_text(data), ""
    if kind == PT_FDLIST:
        return polled_text(event.thread, data), ""
    given = number(kind, data)
    if given is None:
        return _odd(kind, data), ""
    return _number_texts(event, index, kind, form, given)


cdef tuple _number_texts(event, index, int kind, str form, given):
    if kind == PT_FD or kind == PT_FD32:
        return fd_texts(event.thread, given)
    if kind == PT_PID or kind == PT_PID32:
        found = event.trace.find(given)
        return str(given), "" if found is None else found.comm or ""
    if kind == PT_ERRNO:
        shown = str(given) if form == "DEC" or not is_old(event) else _digits(kind, form, given)
        return shown, codes.ERRNO.get(-given, "") if given < 0 else ""
    if is_flags(kind) or kind == PT_MODE:
        return _flag_texts(event, index, kind, form, given)
    if kind == PT_UID or kind == PT_GID:
        return _id_texts(event, kind, given)
    if kind == PT_SIGTYPE:
        return str(given), codes.SIGNALS.get(given, "")
    if kind == PT_RELTIME:
        return seconds_texts(given)
    if kind == PT_ABSTIME:
        return utc_date(given), ""
    if kind == PT_SIGSET:
        return sigset_text(given), ""
    if kind == PT_IPV4ADDR:
        return ".".join(map(str, given.to_bytes(4, "little"))), ""
    return _digits(kind, form, given), ""


cdef tuple _flag_texts(event, index, int kind, str form, given):
    name = codes.PARAM_FLAGS.get(event.code, {}).get(index)
    shown = _digits(kind, form, given) if kind == PT_MODE else str(given)
    if name is None:
        return shown, ""
    if is_old(event):
        known = given & OLD_FLAGS.get(name, given)
        return shown, flag_names(name, known) if known or not given else ""
    return shown, enum_name(name, given) if kind >= PT_ENUMFLAGS8 else flag_names(name, given)


def _odd(kind, data):
    """What has no size of its own (lists of strings in iterator events), or too few bytes for its type."""
    if kind in (PT_CHARBUFARRAY, PT_CHARBUF_PAIR_ARRAY):
        return dotted(data)
    return NOTHING


cpdef tuple texts(event, index):
    _, kind, form = schema(event)[index]
    return _texts(event, index, kind, form, event.params[index])


def text(event, index):
    shown, meaning = texts(event, index)
    return meaning or shown


def args(event):
    cdef Py_ssize_t index
    cdef tuple rows, params, row
    cdef list out = []
    if event.code in GENERIC:
        return ""
    rows, params = schema(event), event.params
    for index in range(len(rows)):
        row = <tuple>rows[index]
        shown, meaning = _texts(event, index, row[1], row[2], params[index])
        out.append(f"{row[0]}={shown}({meaning}) " if meaning else f"{row[0]}={shown} ")
    return "".join(out)
