"""The chisels: a row each, with what it takes and what makes it."""

from __future__ import annotations

from .base import Chisel, Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, Literal

    Make = Callable[..., Chisel]
    Category = Literal[
        "Application", "CPU Usage", "Errors", "I/O", "Logs", "Misc", "Net", "Performance", "Security", "System State"
    ]

COLORS: Final = ("disable_color", "disable_colors")
"""Either word, as the last argument of any chisel, turns colours off."""


class Argument:
    """An argument. One that is `rest` takes all words that are left: a filter."""

    __slots__ = ("description", "name", "required", "rest")

    def __init__(self, name: str, description: str, required: bool = False, rest: bool = False) -> None:
        self.name = name
        self.description = description
        self.required = required
        self.rest = rest


class Row:
    """A chisel: `summary` for the list, `description` for `-i`; `make(output, *arguments)` gives it."""

    __slots__ = ("arguments", "category", "description", "make", "name", "summary")

    def __init__(
        self,
        name: str,
        category: Category,
        summary: str,
        description: str,
        make: Make,
        arguments: tuple[Argument, ...] = (),
    ) -> None:
        self.name = name
        self.category = category
        self.summary = summary
        self.description = description
        self.make = make
        self.arguments = arguments


def of(module: str, name: str) -> Make:
    """Makes what has that name in a module beside this one, which is imported only then."""

    def make(output: Output, *arguments: str) -> Chisel:
        from importlib import import_module

        chisel: Chisel = getattr(import_module(f".{module}", __package__), name)(output, *arguments)
        return chisel

    return make


def total(name: str) -> Make:
    """Makes the chisel of that row of the sums."""

    def make(output: Output) -> Chisel:
        from . import sums

        return sums.SumTable(next(row for row in sums.SUMS if row.name == name), output)

    return make


def total_by(name: str) -> Make:
    """Makes a sum whose key is the argument."""

    def make(output: Output, field: str) -> Chisel:
        from . import sums

        return sums.SumTable(sums.by_field(name, field), output)

    return make


def rate(name: str) -> Make:
    """Makes a rate by the second."""

    def make(output: Output) -> Chisel:
        from .rates import Rate

        return Rate(output, name)

    return make


def slow_io(name: str) -> Make:
    """Makes fileslower or netlower."""

    def make(output: Output, milliseconds: str) -> Chisel:
        from .slow import SlowIO

        return SlowIO(output, name, milliseconds)

    return make


def standard(number: int) -> Make:
    """Makes stdin, stdout or stderr."""

    def make(output: Output) -> Chisel:
        from .echo import Standard

        return Standard(output, number)

    return make


FIELD: Final = Argument("key", "the field by which to group, such as proc.name", required=True)
LEAST: Final = Argument("min_ms", "show what took longer than this many milliseconds", required=True)
WHICH: Final = Argument("filter", "a filter on processes and descriptors, such as 'fd.port=80'", rest=True)
DUMP: Final = Argument("dump_file_name", "a scap file to write, with the events around each find")
REACH: Final = Argument("dump_range_ms", "how far around, before and after, in milliseconds; 1000 if not given")

CHISELS: Final = (
    Row("httplog", "Application", "A line for each HTTP request that was answered",
        "Pairs HTTP requests with their responses by process and descriptor, and prints method, URL, status, latency "
        "and length when the response comes: < where the process was asked, > where it asked.", of("http", "HttpLog")),
    Row("httptop", "Application", "The URLs that were asked for most",
        "Sums up HTTP requests by method and URL: how many, how long on average, or how many bytes.",
        of("http", "HttpTop"),
        (Argument("by", "ncalls (if nothing is given), time or bytes"),)),
    Row("memcachelog", "Application", "A line for each key that memcached was asked for or given",
        "Shows get, gets and set with their key, and the size that a set announces.", of("memcache", "MemcacheLog"),
        (Argument("method", "get or set: only these"), Argument("size", "only what has this many bytes or more"))),
    Row("topprocs_cpu", "CPU Usage", "Processes by time on the processors",
        "Sums up the samples of processor time that old capture drivers took each second.", of("usage", "Processors")),
    Row("topfiles_errors", "Errors", "Files by failed calls", "Counts the calls on each file that failed.",
        total("topfiles_errors")),
    Row("topprocs_errors", "Errors", "Processes by failed calls", "Counts the calls of each process that failed.",
        total("topprocs_errors")),
    Row("echo_fds", "I/O", "All that processes read and write",
        "Prints the data of each read and write, of files, sockets and pipes alike, with the process and the name of "
        "the descriptor. A filter on the command line narrows it down.", of("echo", "Echo")),
    Row("fdbytes_by", "I/O", "Bytes read and written, by a field", "Sums up the bytes of all I/O by the field given.",
        total_by("fdbytes_by"), (FIELD,)),
    Row("fdcount_by", "I/O", "Number of descriptors used, by a field",
        "Counts the different descriptors that were used, by the field given.",
        of("usage", "CountDescriptors"), (FIELD,)),
    Row("fdtime_by", "I/O", "Time spent in I/O, by a field", "Sums up how long I/O calls took by the field given.",
        total_by("fdtime_by"), (FIELD,)),
    Row("iobytes", "I/O", "Bytes in and out, by the second", "Sums up all I/O for each second of the capture.",
        rate("iobytes")),
    Row("iobytes_file", "I/O", "Bytes of files in and out, by the second",
        "Sums up the I/O of files for each second of the capture.", rate("iobytes_file")),
    Row("spy_file", "I/O", "What is read from and written to files",
        "Prints each read and write of files with its data; terminals are left out unless named.",
        of("echo", "SpyFile"),
        (Argument("read_or_write", "R, W, or RW for both"), Argument("spy_on_file_name", "the path of the one file"))),
    Row("stderr", "I/O", "What processes write to standard error", "Prints the data of descriptor 2.", standard(2)),
    Row("stdin", "I/O", "What processes read from standard input", "Prints the data of descriptor 0.", standard(0)),
    Row("stdout", "I/O", "What processes write to standard output", "Prints the data of descriptor 1.", standard(1)),
    Row("topfiles_bytes", "I/O", "Files by bytes", "Sums up the bytes read from and written to each file.",
        total("topfiles_bytes")),
    Row("topfiles_time", "I/O", "Files by time", "Sums up how long reads and writes of each file took.",
        total("topfiles_time")),
    Row("topprocs_file", "I/O", "Processes by bytes of files",
        "Sums up the bytes that each process read from files and wrote to them.", total("topprocs_file")),
    Row("spy_logs", "Logs", "All that is written to logs",
        "Prints each line written to a file whose name looks like a log's, and can save the events around it.",
        of("logs", "SpyLogs"), (DUMP, REACH)),
    Row("spy_syslog", "Logs", "All that is sent to syslog",
        "Prints each message sent to /dev/log with facility and severity, and can save the events around it.",
        of("logs", "SpySyslog"), (DUMP, REACH)),
    Row("around", "Misc", "Saves the events around those that a filter finds",
        "Writes the events of the same thread, some time before and after each event that the command line's filter "
        "finds, to a file.", of("logs", "Around"),
        (Argument("dump_file_name", "the scap file to write", required=True), REACH)),
    Row("iobytes_net", "Net", "Bytes of the network in and out, by the second",
        "Sums up the I/O of IP sockets for each second of the capture.", rate("iobytes_net")),
    Row("spy_ip", "Net", "What was said with an address", "Prints the data exchanged with an IP address.",
        of("echo", "spy_ip"),
        (Argument("host_ip", "the address", required=True),)),
    Row("spy_port", "Net", "What was said over a port", "Prints the data exchanged over an IP port.",
        of("echo", "spy_port"),
        (Argument("host_port", "the port", required=True),)),
    Row("topconns", "Net", "Connections by bytes", "Sums up the bytes of each connection, both ways.",
        total("topconns")),
    Row("topports_server", "Net", "Server ports by bytes", "Sums up the bytes of each server port, both ways.",
        total("topports_server")),
    Row("topprocs_net", "Net", "Processes by bytes of the network",
        "Sums up the bytes that each process sent and received.", total("topprocs_net")),
    Row("bottlenecks", "Performance", "The ten slowest system calls",
        "Prints the calls that took longest, with how they began and how they ended.", of("slow", "Bottlenecks")),
    Row("fileslower", "Performance", "Slow reads and writes of files",
        "Prints reads and writes of files that took long; devices are left out.", slow_io("fileslower"), (LEAST,)),
    Row("netlower", "Performance", "Slow calls on the network", "Prints calls on IP sockets that took long.",
        slow_io("netlower"), (LEAST,)),
    Row("proc_exec_time", "Performance", "How long processes lived",
        "Prints for each process that ends how long it lived, if its beginning was seen.", of("slow", "Lifetimes")),
    Row("scallslower", "Performance", "Slow system calls", "Prints calls of any kind that took long.",
        of("slow", "SlowCalls"),
        (LEAST,)),
    Row("topscalls", "Performance", "System calls by number", "Counts events by their type.", total("topscalls")),
    Row("topscalls_time", "Performance", "System calls by time", "Sums up how long calls took, by their type.",
        total("topscalls_time")),
    Row("list_login_shells", "Security", "The login shells below which commands were run",
        "Prints the number of each shell: proc.loginshellid=N is then a filter for its session.",
        of("users", "LoginShells"),
        (Argument("command", "a part of a command's name; * for any"),
         Argument("arguments", "a part of the command's arguments"))),
    Row("shellshock_detect", "Security", "Attacks on bash by functions in its environment",
        "Prints the shells that are started with a variable that begins like a function.", of("users", "Shellshock")),
    Row("spy_users", "Security", "What users do at their shells",
        "Prints each command that is run below a shell and each directory that a shell goes to, with the shell's "
        "number and the user; what a script runs is indented.", of("users", "spy_users"),
        (Argument("max_depth", "how deep below a shell to look; 16 if not given"),)),
    Row("lscontainers", "System State", "The containers that the capture describes",
        "Prints kind, image, name and id of the containers.", of("state", "Containers"),
        (Argument("desc", "desc: all of each name, one a line"),)),
    Row("lsof", "System State", "Open descriptors", "Prints what each thread had open when the capture began.",
        of("state", "OpenFiles"), (WHICH,)),
    Row("netstat", "System State", "Open sockets", "Prints the IP sockets that were open when the capture began.",
        of("state", "Connections"), (WHICH,)),
    Row("ps", "System State", "Processes", "Prints the threads that were there when the capture began.",
        of("state", "Processes"), (WHICH,)),
)  # fmt: skip
"""All chisels, by category and name."""

BY_NAME: Final = {row.name: row for row in CHISELS}

ABSENT: Final = {
    "spectrogram": "it draws on a live terminal",
    "subsecoffset": "it draws on a live terminal",
    "topcontainers_cpu": "-pc -c topprocs_cpu shows the containers",
    "topcontainers_error": "-c fdcount_by container.name and -pc -c topprocs_errors show the containers",
    "topcontainers_file": "-pc -c topprocs_file shows the containers",
    "topcontainers_net": "-pc -c topprocs_net shows the containers",
    "udp_extract": "syswire convert writes whole streams, those of UDP too",
    "tracers_2_statsd": "it sends to a statsd server, and syswire sends nothing",
}
"""Chisels of sysdig that are left out, and why or what does instead."""

__all__ = ["ABSENT", "BY_NAME", "CHISELS", "COLORS", "Argument", "Output", "Row"]
