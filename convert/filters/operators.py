"""What an operator does to a field's value: one row a type, and how its values are read from the filter.

Whole numbers may be decimal or 0x hexadecimal; a negative number for an unsigned field is its two's complement
(uid -1). Text is compared byte by byte, as strcmp does; icontains and iglob fold ASCII letters only. Globs are
fnmatch(3)'s. A regex must match all of the text.
"""

from __future__ import annotations

from .fields.field import NUMBERS, SIGNED
from .paths import glob, path_prefixes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from ipaddress import IPv4Network, IPv6Network
    from typing import Any, Final

    from .fields.field import Field, Type, Value

    Match = Callable[[Value], bool]
    """Whether the value of a field (not None) is what was asked for."""

ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "=": lambda value, wanted: bool(value == wanted),
    "!=": lambda value, wanted: bool(value != wanted),
    "<": lambda value, wanted: bool(value < wanted),
    "<=": lambda value, wanted: bool(value <= wanted),
    ">": lambda value, wanted: bool(value > wanted),
    ">=": lambda value, wanted: bool(value >= wanted),
}
EQUALS: Final = ("=", "!=", "in", "intersects", "exists")
ORDERED: Final = (*ORDERS, "in", "intersects", "exists")
OF_TEXT: Final = ("contains", "icontains", "startswith", "endswith", "glob", "iglob", "regex", "pmatch")
OF_BUFFERS: Final = ("contains", "startswith", "endswith", "bcontains", "bstartswith")
ALLOWED: Final[dict[str, tuple[str, ...]]] = {
    "charbuf": (*ORDERED, *OF_TEXT),
    "bytebuf": (*EQUALS, *OF_BUFFERS),
    "bool": ORDERED,
    "port": ORDERED,
    "double": ORDERED,
    "ipaddr": EQUALS,
    "ipnet": EQUALS,
    "dyn": (*ORDERED, *OF_TEXT, "bcontains", "bstartswith"),
}
"""The operators of each type; whole numbers have those of a port."""
CALLED: Final[dict[str, str]] = {
    "charbuf": "text", "bytebuf": "a buffer", "bool": "true or false", "port": "a port", "ipaddr": "an IP address",
    "ipnet": "an IP network", "double": "a number", "dyn": "an argument",
}  # fmt: skip
HEX: Final = frozenset("0123456789abcdefABCDEF")
LONGEST_NUMBER: Final = 100


class ValueProblem(ValueError):
    """A value that a field cannot have, or an operator that does not fit: `args` are the message and a hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint


def allowed(type: Type) -> tuple[str, ...]:
    """The operators that fields of this type take."""
    return ALLOWED.get(type, ORDERED)


def raw(text: str) -> bytes:
    """The bytes of a text, up to a NUL: where the text of C ends."""
    return text.encode("utf-8", "surrogateescape").split(b"\0", 1)[0]


def signed_digits(text: str) -> tuple[str, str] | None:
    """The sign ("" where there is none) and the digits of a whole number, decimal or 0x and hexadecimal; else None."""
    digits = text.strip()
    sign = digits[:1] if digits[:1] in ("+", "-") else ""
    digits = digits[len(sign) :]
    if digits[:2] in ("0x", "0X"):
        known = len(digits) > 2 and HEX.issuperset(digits[2:])
    else:
        known = digits.isascii() and digits.isdecimal()
    return (sign, digits) if known else None


def number(text: str, type: Type) -> int:
    """A whole number of this type. Raises ValueProblem."""
    found = signed_digits(text)
    if found is None or len(text) > LONGEST_NUMBER:
        raise ValueProblem(
            f"{text[:40] or 'nothing'} is not a whole number", "numbers are decimal, or 0x and hexadecimal digits"
        )
    sign, digits = found
    value = int(digits, 16) if digits[:2] in ("0x", "0X") else int(digits)
    value = -value if sign == "-" else value
    bits = NUMBERS.get(type, 16)
    least, most = -(1 << (bits - 1)), (1 << (bits - 1 if type in SIGNED else bits)) - 1
    if not least <= value <= most:
        raise ValueProblem(f"{text} does not fit: the field has {bits} bits")
    return value if type in SIGNED else value % (1 << bits)


def port(text: str) -> int:
    """A port, by number or by the name of its service. Raises ValueProblem."""
    if signed_digits(text) is not None:
        value = number(text, "uint16") if not text.strip().startswith("-") else -1
        if value < 0:
            raise ValueProblem(f"{text} is no port", "ports run from 0 to 65535")
        return value
    import socket

    for protocol in ("tcp", "udp"):
        try:
            return socket.getservbyname(text, protocol)
        except (OSError, ValueError):
            continue
    raise ValueProblem(f"{text[:40] or 'nothing'} is neither a port nor the name of a service")


def boolean(text: str) -> bool:
    """True or false. Raises ValueProblem."""
    if text not in ("true", "false"):
        other = {"1": "true", "0": "false"}.get(text, text.lower())
        raise ValueProblem(
            f"{text[:40]} is neither true nor false", f"write {other}" if other in ("true", "false") else ""
        )
    return text == "true"


def address(text: str) -> bytes:
    """An address as 4 or 16 bytes. Raises ValueProblem."""
    from ipaddress import ip_address

    try:
        return ip_address(text).packed
    except ValueError:
        hint = "networks go with fd.net, fd.cnet, fd.snet, fd.lnet and fd.rnet" if "/" in text else ""
        raise ValueProblem(f"{text[:60]} is no IP address", hint) from None


def network(text: str) -> IPv4Network | IPv6Network:
    """A network in CIDR notation; bits behind the mask do not matter. Raises ValueProblem."""
    from ipaddress import ip_network

    if "/" not in text:
        raise ValueProblem(f"{text[:60]} is no IP network", "write ADDRESS/BITS, such as 10.0.0.0/8")
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise ValueProblem(f"{text[:60]} is no IP network", "write ADDRESS/BITS, such as 10.0.0.0/8") from None


def decimal_fraction(text: str) -> float:
    """A number. Raises ValueProblem."""
    try:
        return float(text)
    except ValueError:
        raise ValueProblem(f"{text[:40] or 'nothing'} is not a number") from None


def from_hex(text: str) -> bytes:
    """Bytes from hexadecimal digits. Raises ValueProblem."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueProblem(
            f"{text[:40]} is no row of hexadecimal digits", "write two digits a byte, such as cafe01"
        ) from None


READERS: Final[dict[str, Callable[[str], Any]]] = {
    "charbuf": raw,
    "bytebuf": lambda text: text.encode("utf-8", "surrogateescape"),
    "bool": boolean,
    "port": port,
    "ipaddr": address,
    "ipnet": network,
    "double": decimal_fraction,
}


def reader(type: Type) -> Callable[[str], Any]:
    """What reads a value of this type from a filter."""
    return READERS.get(type) or (lambda text: number(text, type))


def _fold(data: bytes) -> bytes:
    return data.lower()  # bytes.lower folds ASCII only


def text_match(operator: str, values: tuple[str, ...]) -> Match:
    """A test of text."""
    if operator == "pmatch":
        under = path_prefixes(values)
        return lambda value: under(str(value))
    if operator in ("glob", "iglob"):
        match = glob(values[0], operator == "iglob")
        return lambda value: match(str(value))
    if operator == "regex":
        import re

        try:
            pattern = re.compile(values[0], re.ASCII)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueProblem(f"the regex is wrong: {error}") from None
        return lambda value: pattern.fullmatch(str(value)) is not None
    if operator in ("in", "intersects"):
        many = frozenset(map(raw, values))
        return lambda value: raw(str(value)) in many
    wanted = raw(values[0])
    if operator == "=" and wanted.isascii():  # the check that is met most, without making bytes of each value
        plain = wanted.decode("ascii")
        return lambda value: (
            value == plain if isinstance(value, str) and "\0" not in value else raw(str(value)) == wanted
        )
    if operator == "icontains":
        folded = _fold(wanted)
        return lambda value: folded in _fold(raw(str(value)))
    return _bytes_match(operator, wanted, lambda value: raw(str(value)))


def _bytes_match(operator: str, wanted: bytes, of: Callable[[Value], bytes]) -> Match:
    if operator in ("contains", "bcontains"):
        return lambda value: wanted in of(value)
    if operator in ("startswith", "bstartswith"):
        return lambda value: of(value).startswith(wanted)
    if operator == "endswith":
        return lambda value: of(value).endswith(wanted)
    order = ORDERS[operator]
    return lambda value: order(of(value), wanted)


def _as_bytes(value: Value) -> bytes:
    return value if isinstance(value, bytes) else raw(str(value))


def buffer_match(operator: str, values: tuple[str, ...]) -> Match:
    """A test of a buffer."""
    if operator in ("in", "intersects"):
        many = frozenset(map(READERS["bytebuf"], values))
        return lambda value: _as_bytes(value) in many
    hexadecimal = operator in ("bcontains", "bstartswith")
    return _bytes_match(operator, from_hex(values[0]) if hexadecimal else READERS["bytebuf"](values[0]), _as_bytes)


def network_match(operator: str, values: tuple[str, ...]) -> Match:
    """Whether an address is within one of the networks; an address of the other family is in none."""
    known = [(net.max_prefixlen // 8, int(net.network_address), int(net.netmask)) for net in map(network, values)]

    def inside(value: Value) -> bool:
        if not isinstance(value, bytes):
            return False
        where = int.from_bytes(value, "big")
        return any(len(value) == size and where & mask == first for size, first, mask in known)

    return (lambda value: not inside(value)) if operator == "!=" else inside


def argument_number(text: str) -> int:
    """A whole number for an argument that may be signed or not. Raises ValueProblem."""
    return number(text, "int64" if text.lstrip()[:1] == "-" else "uint64")


def argument_match(operator: str, values: tuple[str, ...]) -> Match:
    """A test of an argument, whose type is known when it is seen: as text, as a buffer, or as a number."""
    tests: dict[type, Match | ValueProblem] = {}
    for kind, make in ((str, text_match), (bytes, buffer_match)):
        try:
            allowed_here = ALLOWED["charbuf" if kind is str else "bytebuf"]
            tests[kind] = make(operator, values) if operator in allowed_here else ValueProblem("")
        except ValueProblem as problem:
            tests[kind] = problem
    try:
        if operator in ORDERED:
            tests[int] = ordered_match(operator, values, argument_number)
    except ValueProblem as problem:
        tests[int] = problem
    if not any(callable(test) for test in tests.values()):
        raise next(test for test in tests.values() if isinstance(test, ValueProblem))

    def judge(value: Value) -> bool:
        test = tests.get(int if isinstance(value, bool | int) else type(value))
        return test(value) if callable(test) else False

    return judge


def ordered_match(operator: str, values: tuple[str, ...], read: Callable[[str], Any]) -> Match:
    """A test of what has an order."""
    if operator in ("in", "intersects"):
        many = frozenset(map(read, values))
        return lambda value: value in many
    wanted, order = read(values[0]), ORDERS[operator]
    return lambda value: order(value, wanted)


def matcher(field: Field, operator: str, values: tuple[str, ...], numeric: bool = False) -> Match:
    """The test of `field operator values`, for values that are not None. Raises ValueProblem.

    `numeric`: of evt.rawarg, that the argument is a number in every event.
    """
    numeric = numeric and field.type == "dyn"
    if numeric:
        field = field.of_type("int64")
    if operator not in allowed(field.type):
        raise ValueProblem(
            f"{operator} does not work on {field.name}, which is {CALLED.get(field.type, 'a number')}",
            "it takes " + " ".join(allowed(field.type)),
        )
    if operator == "exists":
        return lambda value: True
    if field.type == "charbuf":
        return text_match(operator, values)
    if field.type == "bytebuf":
        return buffer_match(operator, values)
    if field.type == "ipnet":
        return network_match(operator, values)
    if field.type == "dyn":
        return argument_match(operator, values)
    return ordered_match(operator, values, argument_number if numeric else reader(field.type))
