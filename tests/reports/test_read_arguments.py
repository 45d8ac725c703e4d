"""sysdig's switches, split as sysdig splits them; a call that cannot be meant is refused in one helpful line."""

from __future__ import annotations

import pytest

from syswire.convert.errors import UsageError
from syswire.reports.read_arguments import Arity, ChiselCall, ReadOptions
from syswire.reports.read_arguments import split as split_with

TAKES = {"topconns": Arity(0, 0), "spy_ip": Arity(1, 1), "echo_fds": Arity(0, 1), "fdbytes_by": Arity(1, 0)}


def arity(name: str) -> Arity:
    if name not in TAKES:
        raise UsageError(f"there is no chisel {name}")
    return TAKES[name]


def split(*words: str) -> ReadOptions:
    """A text is a filter here if it has an operator."""
    return split_with(list(words), arity, lambda text: "=" in text)


def test_words_behind_the_capture_are_the_filter() -> None:
    given = split("a.scap", "proc.name=httpd", "and", "fd.port=80")
    assert (given.input, given.filter, given.chisels) == ("a.scap", "proc.name=httpd and fd.port=80", [])


def test_a_chisel_takes_its_argument_and_leaves_the_filter() -> None:
    given = split("a.scap", "-c", "spy_ip", "1.2.3.4", "proc.name=x")
    assert given.chisels == [ChiselCall("spy_ip", ["1.2.3.4"])]
    assert given.filter == "proc.name=x"


@pytest.mark.parametrize(
    ("words", "chisel", "wanted"),
    [
        (("-c", "echo_fds", "fd.port=80"), ChiselCall("echo_fds", []), "fd.port=80"),
        (("-c", "echo_fds", "disable_color", "fd.port=80"), ChiselCall("echo_fds", ["disable_color"]), ""),
        (("-c", "topconns", "proc.name=httpd"), ChiselCall("topconns", []), "proc.name=httpd"),
        (("-ctopconns",), ChiselCall("topconns", []), ""),
        (("--chisel=topconns",), ChiselCall("topconns", []), ""),
        (("--chisel", "fdbytes_by", "fd.name"), ChiselCall("fdbytes_by", ["fd.name"]), ""),
    ],
)
def test_optional_arguments_are_told_from_filters(words: tuple[str, ...], chisel: ChiselCall, wanted: str) -> None:
    given = split_with(["a.scap", *words], arity, lambda text: text.startswith("fd."))
    assert given.chisels == [chisel]
    assert given.filter == (wanted or ("fd.port=80" if "disable_color" in words else ""))


def test_the_capture_may_stand_anywhere_before_the_filter() -> None:
    for words in (
        ("a.scap", "-A", "-c", "echo_fds", "fd.port=80"),
        ("-A", "a.scap", "-c", "echo_fds", "fd.port=80"),
        ("-A", "-c", "echo_fds", "a.scap", "fd.port=80"),
        ("-r", "a.scap", "-Acecho_fds", "fd.port=80"),
        ("--read=a.scap", "--print-ascii", "-c", "echo_fds", "--", "fd.port=80"),
    ):
        given = split(*words)
        assert (given.input, given.data, given.filter) == ("a.scap", "A", "fd.port=80"), words
        assert given.chisels == [ChiselCall("echo_fds", [])]


def test_switches_behind_a_chisel_and_joined_letters() -> None:
    given = split("a.scap", "-c", "spy_ip", "1.2.3.4", "-Aj", "-n10", "-s", "4096", "-pc", "evt.num<9")
    assert (given.data, given.json, given.count, given.format, given.filter) == ("A", True, 10, "c", "evt.num<9")


def test_values_of_the_switches() -> None:
    given = split("-", "-p", "*%evt.num", "-t", "a", "-w", "out.scap", "-z", "-v", "-D", "-q", "-S", "-M", "5")
    assert (given.input, given.format, given.time, given.write) == ("-", "*%evt.num", "a", "out.scap")
    assert (given.compress, given.verbose, given.show_hidden, given.quiet, given.summary) == (True,) * 5
    assert given.seconds == 5


def test_lists_need_no_capture() -> None:
    assert split("-l").list_fields
    assert split("-lv").verbose
    assert split("-cl").list_chisels
    assert split("-L").list_events
    assert split("-i", "spy_ip").describe == ["spy_ip"]
    assert split("-pp").show_format


def test_a_filter_may_begin_like_a_number() -> None:
    assert split("a.scap", "evt.rawres", "=", "-11").filter == "evt.rawres = -11"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("a.scap", "-c"), "the name of a chisel"),
        (("a.scap", "-c", "nothing"), "no chisel nothing"),
        (("a.scap", "-c", "spy_ip"), "needs an argument"),
        (("a.scap", "-n", "many"), "-n many: not a number"),
        (("a.scap", "-n", "0"), "from 1 on"),
        (("a.scap", "-t", "q"), "-t q"),
        (("a.scap", "-A", "-x"), "-A and -x"),
        (("a.scap", "-Y"), "unknown switch -Y"),
        (("a.scap", "--jsn"), "did you mean --json?"),
        (("a.scap", "--json=1"), "takes no value"),
        (("a.scap", "-C", "5"), "-w writes one"),
        (("a.scap", "-k", "http://x"), "running system"),
        (("a.scap", "-r", "b.scap"), "one capture at a time"),
        (("a.scap", "-p"), "-p needs a value"),
        (("a.scap", "-w"), "the file to write"),
    ],
)
def test_wrong_calls_are_refused(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=r"(?s).*") as caught:
        split(*words)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
