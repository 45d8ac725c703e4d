"""Parameters of events as numbers, texts and addresses: pure functions over recorded bytes of any length."""

from __future__ import annotations

from .model import decode, encode

NO_ID = 0xFFFFFFFF
UNIX, INET, INET6 = 1, 2, 10
LONGEST_PATH = 1022  # bytes of a directory and a name in it together
TOO_LONG = "/PATH_TOO_LONG"
LONGEST_LIST = 4096  # bytes of arguments, environments and control groups, as recorders keep them
MAPPED = bytes(10) + b"\xff\xff"


class Tuple4:
    """A socket tuple or address: family 1, 2 or 10; one that has only an address has it in dip and dport."""

    __slots__ = ("dest", "dip", "dport", "family", "path", "sip", "source", "sport")

    def __init__(
        self,
        family: int,
        sip: bytes,
        sport: int,
        dip: bytes,
        dport: int,
        source: int,
        dest: int,
        path: str,
    ) -> None:
        self.family = family
        self.sip = sip
        self.sport = sport
        self.dip = dip
        self.dport = dport
        self.source = source
        self.dest = dest
        self.path = path

    def from_side(self, sip: bytes, sport: int | None = None) -> Tuple4:
        """The same with another source."""
        found = Tuple4(self.family, sip, self.sport, self.dip, self.dport, self.source, self.dest, self.path)
        found.sport = self.sport if sport is None else sport
        return found


def number(value: bytes) -> int:
    """A little-endian integer, signed where it has 8 bytes; 0 where there is none."""
    return int.from_bytes(value, "little", signed=len(value) >= 8)


def signed(value: bytes) -> int:
    """A little-endian signed integer."""
    return int.from_bytes(value, "little", signed=True)


def text(value: bytes) -> str:
    """A text parameter without its terminating NUL and what follows it."""
    return decode(value.split(b"\0", 1)[0])


def words(value: bytes) -> list[str]:
    """NUL-separated texts (args, env, cgroups); no empty one after the last NUL."""
    value = value[:LONGEST_LIST]
    if not value:
        return []
    if value.endswith(b"\0"):
        value = value[:-1]
    return [decode(word) for word in value.split(b"\0")]


def identity(value: bytes) -> int | None:
    """A user's or group's number; None where it is recorded as none."""
    found = int.from_bytes(value[:4], "little")
    return None if len(value) < 4 or found == NO_ID else found


def tuple_of(value: bytes) -> Tuple4 | None:
    """A SOCKTUPLE parameter; None where it is empty, short or of another family."""
    family = value[0] if value else 0
    if family == INET and len(value) >= 13:
        sport, dport = int.from_bytes(value[5:7], "little"), int.from_bytes(value[11:13], "little")
        return Tuple4(family, value[1:5], sport, value[7:11], dport, 0, 0, "")
    if family == INET6 and len(value) >= 37:
        sport, dport = int.from_bytes(value[17:19], "little"), int.from_bytes(value[35:37], "little")
        return Tuple4(family, value[1:17], sport, value[19:35], dport, 0, 0, "")
    if family == UNIX and len(value) >= 17:
        source, dest = int.from_bytes(value[1:9], "little"), int.from_bytes(value[9:17], "little")
        return Tuple4(family, b"", 0, b"", 0, source, dest, text(value[17:]))
    return None


def address_of(value: bytes) -> Tuple4 | None:
    """A SOCKADDR parameter; None where it is empty, short or of another family."""
    family = value[0] if value else 0
    if family == INET and len(value) >= 7:
        return Tuple4(family, b"", 0, value[1:5], int.from_bytes(value[5:7], "little"), 0, 0, "")
    if family == INET6 and len(value) >= 19:
        return Tuple4(family, b"", 0, value[1:17], int.from_bytes(value[17:19], "little"), 0, 0, "")
    if family == UNIX:
        return Tuple4(family, b"", 0, b"", 0, 0, 0, text(value[1:]))
    return None


def mapped(address: bytes) -> bool:
    """Whether libsinsp takes an IPv6 address for an IPv4 one: ::ffff:a.b.c.d, and the address of all zeros."""
    return len(address) == 16 and (address.startswith(MAPPED) or not any(address))


def unmapped(found: Tuple4) -> Tuple4:
    """A tuple of two mapped addresses as one of IPv4; any other as it is."""
    if found.family != INET6 or not (mapped(found.sip) and mapped(found.dip)):
        return found
    return Tuple4(INET, found.sip[12:], found.sport, found.dip[12:], found.dport, found.source, found.dest, found.path)


def ip_text(address: bytes) -> str:
    """An address as text."""
    if len(address) == 4:
        return ".".join(map(str, address))
    return ip6_text(address) if len(address) == 16 else ""


def ip6_text(address: bytes) -> str:
    """16 bytes as inet_ntop(3) of the GNU C library writes them: the first longest run of zeros, if it is of two groups
    or more, as ::, and what an IPv4 address stands behind (nothing, or ffff) with that one in decimal.
    """
    groups = [int.from_bytes(address[at : at + 2], "big") for at in range(0, 16, 2)]
    begin, length = -1, 1
    at = 0
    while at < 8:
        end = at
        while end < 8 and groups[end] == 0:
            end += 1
        if end - at > length:
            begin, length = at, end - at
        at = end + 1
    if begin == 0 and (length == 6 or (length == 5 and groups[5] == 0xFFFF)):
        last = ".".join(map(str, address[12:]))
        return f"::{last}" if length == 6 else f"::ffff:{last}"
    if begin < 0:
        return ":".join(f"{group:x}" for group in groups)
    front, back = groups[:begin], groups[begin + length :]
    return ":".join(f"{group:x}" for group in front) + "::" + ":".join(f"{group:x}" for group in back)


def address_text(address: bytes, port: int) -> str:
    """ip:port, as descriptors are named."""
    return f"{ip_text(address)}:{port}"


def tuple_text(found: Tuple4) -> str:
    """A tuple as parameters and names show it."""
    if found.family == UNIX:
        return f"{found.source:x}->{found.dest:x} {found.path}"
    return f"{address_text(found.sip, found.sport)}->{address_text(found.dip, found.dport)}"


def joined(base: str, name: str) -> str:
    """`name` seen from directory `base`: an absolute path without '.', '..' and doubled slashes. What libsinsp has no
    room for is named TOO_LONG, as there: so the paths of hostile files cannot grow.
    """
    if len(base) + len(name) > LONGEST_PATH // 4 and len(encode(base)) + len(encode(name)) > LONGEST_PATH:
        return TOO_LONG
    if not name.startswith("/"):
        name = f"{base.rstrip('/')}/{name}" if base else name
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return ("/" if name.startswith("/") else "") + "/".join(parts)
