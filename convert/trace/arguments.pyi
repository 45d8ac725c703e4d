from .buffers import Form
from .model import Event, Thread

Value = int | str | bytes
Texts = tuple[str, str]
"""The value's own text, and what it stands for ("" where nothing is known)."""
Param = tuple[str, int, str]
"""Name, PT_* code and format."""

NOTHING: str
NO_ID: int
NO_TIME: int
AT_FDCWD: int
GENERIC: tuple[int, int]
"""Codes of the events that carry the number of a system call only."""
OLD_TYPES: dict[tuple[int, str], int]
OLD_NAMES: dict[tuple[int, str], str]
OLD_FLAGS: dict[str, int]

def form_of(event: Event) -> Form:
    """How the event's trace shows buffers."""

def is_old(event: Event) -> bool:
    """Whether sysdig 0.29.3 knows the event type and can read the file: then its schema is shown."""

def schema(event: Event) -> tuple[Param, ...]:
    """The parameters that this event carries and that are shown: name, type, format."""

def find(event: Event, name: str) -> int | None:
    """Where the parameter of that name stands; None where the event has none."""

def number(kind: int, data: bytes) -> int | None:
    """The number in a parameter of fixed size; None where there are too few bytes."""

def value(event: Event, index: int) -> Value | None:
    """The value of a parameter: a number where it is one, text for strings, else the bytes; None where it is absent."""

def flag_names(name: str, given: int) -> str:
    """The names of flags, joined by bars: an entry fits where all its bits are left; one that is the whole number is
    the last.
    """

def enum_name(name: str, given: int) -> str:
    """The name of a number that is not a set of flags; several names of one number are joined by bars."""

def fd_texts(thread: Thread | None, fd: int) -> Texts:
    """A descriptor: its kind's letter, its transport and its name; an error's name where the number is negative."""

def seconds_texts(given: int) -> Texts:
    """A length of time in ns, and in seconds."""

def sigset_text(given: int) -> str:
    """The names of the signals in a set, with a blank between."""

def polled_text(thread: Thread | None, data: bytes) -> str:
    """A list of descriptors with what is waited for: number, kind and flags in hex."""

def texts(event: Event, index: int) -> Texts:
    """A parameter's own text and what it stands for."""

def text(event: Event, index: int) -> str:
    """A parameter as `evt.arg` gives it: what it stands for, or its own text."""

def args(event: Event) -> str:
    """All parameters, each as `name=text(meaning)` and followed by a blank, as `evt.args` gives them."""
