"""The command line of `syswire read`: sysdig's switches, split by hand.

argparse cannot split `-c spy_ip 1.2.3.4 proc.name=httpd`: only the chisel knows whether the words behind its name are
its arguments. So words are taken one by one: switches first, in any order and with the capture among them; the first
word that is none of these begins the filter, and everything behind it belongs to the filter.
"""

from __future__ import annotations

from ..convert.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class ChiselCall:
    """A chisel that was asked for, with its arguments."""

    __slots__ = ("arguments", "name")

    def __init__(self, name: str, arguments: list[str]) -> None:
        self.name = name
        self.arguments = arguments

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChiselCall) and (self.name, self.arguments) == (other.name, other.arguments)

    __hash__ = None  # type: ignore[assignment]  # the arguments are a list


class Arity:
    """How many arguments a chisel takes."""

    __slots__ = ("optional", "required")

    def __init__(self, required: int, optional: int) -> None:
        self.required = required
        self.optional = optional


class ReadOptions:
    """What a command line of `read` asks for."""

    def __init__(self) -> None:
        self.input: str | None = None
        self.filter = ""
        self.format: str | None = None  # of -p: a format, or c, k, m (container, kubernetes, mesos)
        self.data = ""  # A, x, X or b: how buffers are shown; empty: on one line, dots for what cannot be printed
        self.json = False
        self.csv = False
        self.verbose = False
        self.time = "h"
        self.count: int | None = None
        self.seconds: int | None = None
        self.show_hidden = False
        self.quiet = False
        self.summary = False
        self.write: str | None = None
        self.compress = False
        self.chisels: list[ChiselCall] = []
        self.list_fields = False
        self.markdown = False
        self.list_chisels = False
        self.list_events = False
        self.describe: list[str] = []
        self.show_format = False
        self.help = False

    @property
    def lists(self) -> bool:
        """Whether a list is asked for, which needs no capture."""
        return bool(self.show_format or self.list_fields or self.list_events or self.list_chisels or self.describe)


# Switches that take no value and say something about this run.
FLAGS: dict[str, Callable[[ReadOptions], None]] = {
    "A": lambda o: _data(o, "A"),
    "b": lambda o: _data(o, "b"),
    "x": lambda o: _data(o, "x"),
    "X": lambda o: _data(o, "X"),
    "j": lambda o: setattr(o, "json", True),
    "v": lambda o: setattr(o, "verbose", True),
    "q": lambda o: setattr(o, "quiet", True),
    "S": lambda o: setattr(o, "summary", True),
    "D": lambda o: setattr(o, "show_hidden", True),
    "z": lambda o: setattr(o, "compress", True),
    "l": lambda o: setattr(o, "list_fields", True),
    "L": lambda o: setattr(o, "list_events", True),
    "h": lambda o: setattr(o, "help", True),
}
VALUES = "cinprstwM"
# Taken without an effect: filters always see the state (d), -w always keeps it (F), the tables of users are the file's
# (E), progress is of no use in a listing (P), ports are not resolved offline (R).
IGNORED = "dEFPR"
IGNORED_LONG = frozenset(("displayflt", "exclude-users", "fatfile", "progress", "unbuffered", "large-environment"))
LIVE = {
    "B": "bpf",
    "H": "plugin",
    "I": "input",
    "k": "k8s-api",
    "K": "k8s-api-cert",
    "m": "mesos-api",
    "T": "force-tracers-capture",
    "U": "suppress-comm",
}
LIVE_LONG = frozenset((*LIVE.values(), "cri", "cri-timeout", "node-name", "page-faults", "plugin-config-file"))
ROTATING = {"C": "file-size", "e": "", "G": "seconds", "W": "limit"}
LONG = {
    "print-ascii": "A",
    "print-base64": "b",
    "print-hex": "x",
    "print-hex-ascii": "X",
    "json": "j",
    "verbose": "v",
    "quiet": "q",
    "summary": "S",
    "debug": "D",
    "compress": "z",
    "list": "l",
    "list-events": "L",
    "help": "h",
    "chisel": "c",
    "chisel-info": "i",
    "numevents": "n",
    "print": "p",
    "read": "r",
    "snaplen": "s",
    "timetype": "t",
    "write": "w",
}
COLORS = ("disable_color", "disable_colors")
OURS = ("csv", "list-chisels", "list-markdown")
TIME_TYPES = "ahrdDn"


def split(words: list[str], arity: Callable[[str], Arity], is_filter: Callable[[str], bool]) -> ReadOptions:
    """Split the words behind `syswire read`.

    `arity` tells what a chisel takes and raises UsageError where there is none of that name; `is_filter` whether a text
    is a filter, which is how a chisel with optional arguments tells them from a filter. Raises UsageError.
    """
    splitter = _Splitter(list(words), arity, is_filter)
    return splitter.run()


class _Splitter:
    def __init__(self, words: list[str], arity: Callable[[str], Arity], is_filter: Callable[[str], bool]) -> None:
        self._words = words
        self._at = 0
        self._arity = arity
        self._is_filter = is_filter
        self.options = ReadOptions()

    def run(self) -> ReadOptions:
        options = self.options
        while self._at < len(self._words):
            word = self._words[self._at]
            if word == "--":
                self._at += 1
                if options.input is None and not self._needs_none() and self._at < len(self._words):
                    options.input = self._next("")
                break
            if word.startswith("--"):
                self._at += 1
                self._long(word[2:])
            elif word.startswith("-") and word != "-":
                self._at += 1
                self._short(word[1:])
            elif options.input is None and not self._needs_none():
                self._at += 1
                options.input = word
            else:
                break
        options.filter = " ".join(self._words[self._at :])
        return options

    def _needs_none(self) -> bool:
        """Whether what was asked so far needs no capture."""
        options = self.options
        return options.list_fields or options.list_chisels or options.list_events or bool(options.describe)

    def _next(self, switch: str) -> str:
        if self._at >= len(self._words):
            raise UsageError(f"{switch} needs a value: {NEEDS.get(switch.lstrip('-'), 'see syswire read --help')}")
        self._at += 1
        return self._words[self._at - 1]

    def _short(self, letters: str) -> None:
        """The letters of one word; one that takes a value takes the rest of the word, or the next one."""
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in FLAGS:
                FLAGS[letter](self.options)
            elif letter in VALUES:
                self._value(letter, letters or self._next(f"-{letter}"))
                return
            elif letter in ROTATING:
                raise UsageError(_rotating(f"-{letter}"))
            elif letter in LIVE:
                raise UsageError(_live(f"-{letter}"))
            elif letter not in IGNORED:
                raise UsageError(f"unknown switch -{letter}; syswire read --help names them all")

    def _long(self, text: str) -> None:
        name, equals, value = text.partition("=")
        if name in LIVE_LONG:
            raise UsageError(_live(f"--{name}"))
        if name in ROTATING.values() and name:
            raise UsageError(_rotating(f"--{name}"))
        if name in OURS:
            attribute = {"csv": "csv", "list-chisels": "list_chisels"}.get(name, "markdown")
            setattr(self.options, attribute, True)
            self.options.list_fields |= name == "list-markdown"
        elif (letter := LONG.get(name)) is None:
            if name not in IGNORED_LONG:
                from difflib import get_close_matches

                near = get_close_matches(name, [*LONG, *OURS], 1)
                raise UsageError(f"unknown switch --{name}{f'; did you mean --{near[0]}?' if near else ''}")
        elif letter in FLAGS:
            if equals:
                raise UsageError(f"--{name} takes no value")
            FLAGS[letter](self.options)
        else:
            self._value(letter, value if equals else self._next(f"--{name}"))

    def _value(self, letter: str, value: str) -> None:
        options = self.options
        match letter:
            case "c":
                self._chisel(value)
            case "i":
                options.describe.append(value)
            case "n":
                options.count = _number(value, "-n", "how many events to read", 1)
            case "M":
                options.seconds = _number(value, "-M", "how many seconds to read for", 1)
            case "s":
                _number(value, "-s", "a length in bytes")  # a capture has the bytes that it has
            case "p":
                self._format(value)
            case "r":
                if options.input is not None:
                    raise UsageError(f"one capture at a time: {options.input} and {value}")
                options.input = value
            case "t":
                if value not in tuple(TIME_TYPES):
                    raise UsageError(f"-t {value}: not a kind of time; give one of {', '.join(TIME_TYPES)}")
                options.time = value
            case "w":
                options.write = value

    def _format(self, value: str) -> None:
        kinds = {"container": "c", "kubernetes": "k", "mesos": "m", "c": "c", "k": "k", "m": "m"}
        if value == "p":
            self.options.show_format = True
        else:
            self.options.format = kinds.get(value, value)

    def _chisel(self, name: str) -> None:
        """A chisel and those of the next words that are its arguments."""
        if name == "l":
            self.options.list_chisels = True
            return
        takes = self._arity(name)
        arguments: list[str] = []
        if takes.required:
            if self._at >= len(self._words):
                raise UsageError(f"chisel {name} needs an argument; syswire read -i {name} tells which")
            arguments = _parts(self._next("-c"))
        elif self._at < len(self._words) and (self._is_colors() or (takes.optional and self._is_argument())):
            arguments = _parts(self._next("-c"))
        if arguments and self._at < len(self._words) and self._is_colors():
            arguments.append(self._next("-c"))
        self.options.chisels.append(ChiselCall(name, arguments))

    def _is_colors(self) -> bool:
        """Whether the next word turns colours off, which any chisel may be told."""
        return self._words[self._at] in COLORS

    def _is_argument(self) -> bool:
        """Whether the next word is an argument of a chisel that may do without: it is neither switch nor filter."""
        word = self._words[self._at]
        if word.startswith("-"):
            return False
        if self.options.input is None:
            return False  # then it is the capture
        return not self._is_filter(" ".join(self._words[self._at :]))


def _parts(text: str) -> list[str]:
    """The arguments in one word of the command line: parted by blanks, quotes within hold some together."""
    if text and not any(char in text for char in "'\"\\ \t\r\n"):
        return [text]
    import shlex

    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _data(options: ReadOptions, mode: str) -> None:
    if options.data not in ("", mode):
        raise UsageError(f"-{options.data} and -{mode}: buffers can be shown in one way at a time")
    options.data = mode


def _number(text: str, switch: str, what: str, least: int = 0) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 18 or int(text) < least:
        raise UsageError(f"{switch} {text[:40]}: not a number from {least} on ({what})")
    return int(text)


def _live(switch: str) -> str:
    return f"{switch} is for capturing from a running system; read shows a recorded capture"


def _rotating(switch: str) -> str:
    return f"{switch}: a row of files is not written; -w writes one, and -n and a filter say what goes into it"


NEEDS = {
    "c": "the name of a chisel; syswire read -cl lists them",
    "chisel": "the name of a chisel; syswire read -cl lists them",
    "i": "the name of a chisel; syswire read -cl lists them",
    "n": "how many events to read",
    "p": "a format such as '%evt.num %proc.name'; syswire read -l lists the fields",
    "print": "a format such as '%evt.num %proc.name'; syswire read -l lists the fields",
    "r": "a capture",
    "s": "a length in bytes",
    "t": f"one of {', '.join(TIME_TYPES)}",
    "w": "the file to write",
    "M": "how many seconds to read for",
}

HELP = """\
usage: syswire read INPUT [SWITCH...] [FILTER...]
       syswire read -l | -cl | -i CHISEL | -L

Read a capture as sysdig does: print its events, or run chisels on them. INPUT is .scap, pcap or pcapng, plain,
gzip or zstd; - is standard input. FILTER is in sysdig's language: proc.name=httpd and fd.port=80.

what is printed
  -p FORMAT     a line in this form for each event; '*' in front: with missing fields too; -pc with containers
  -j            JSON
  -t TYPE       time: h of day, a since the epoch, r since the begin, d since the enter, D since the last event, n none
  -v            whole buffers, also when they are long
  -A -x -X -b   buffers as text, hexadecimal, both, base64
  -D            internal events too
  -q            print no events
  -S            a summary of the most frequent events at the end
  -n COUNT      stop after so many events
  -M SECONDS    stop after so many seconds of the capture
chisels
  -c NAME [ARGUMENTS]   run a chisel; several may be given; --csv or -j for programs
  -cl                   list them
  -i NAME               what one does and which arguments it takes
writing
  -w FILE       write the events to a scap file, with the state that they need; -z compressed with gzip
lists
  -l            the fields for filters and formats; -lv with their types; --list-markdown
  -L            the events
-r INPUT, -s, -d, -E, -F, -P and -R are taken as sysdig takes them; they change nothing here.
"""
