"""What is told of wrong filters, to the letter, with the place."""

from __future__ import annotations

import pytest

from syswire.convert.filters.errors import FilterError, nearest
from syswire.convert.filters.judge import compile_filter

WRONG = {
    "proc.nam=x": ("there is no field proc.nam; did you mean proc.name?", 0),
    "name=x": ("there is no field name; did you mean proc.name?", 0),
    "fd.sport=80 and fd.prot=x": ("there is no field fd.prot; did you mean fd.proto?", 16),
    "xyzzy.plugh=1": ("there is no field xyzzy.plugh; syswire read -l lists all", 0),
    "proc.name": ("an operator is missing behind proc.name; to see whether it is there: proc.name exists", 9),
    "proc.name like x": (
        "like is no operator; known are == != <= >= = < > bcontains bstartswith contains endswith exists glob"
        " icontains iglob in intersects pmatch regex startswith",
        10,
    ),
    "proc.name startwith x": ("startwith is no operator; did you mean startswith?", 10),
    "proc.name CONTAINS x": ("CONTAINS is no operator; write contains", 10),
    "proc.name=": ('a value is missing behind =; an empty one is written ""', 10),
    "proc.name='x": ("the quote ' is not closed", 10),
    r"proc.name=\xq": (r"two hexadecimal digits follow \x; a backslash itself is written \\", 10),
    "proc.name in x": ("a list in brackets follows in; write in (VALUE, VALUE)", 13),
    "proc.name in (a b)": ("a comma is missing between these values; a value with blanks goes in quotes", 16),
    "proc.name in (a,)": ('a value is missing in this list; an empty one is written ""', 16),
    "proc.name in (a": ("this bracket is not closed", 13),
    "(proc.name=a": ("this bracket is not closed", 0),
    "proc.name=a)": ("this bracket was never opened", 11),
    "proc.name=a(b": ("a bracket cannot stand in a value; put the value in quotes", 11),
    "proc.name=a and": ("the filter ends where a check should come; such as proc.name=httpd", 15),
    "and proc.name=a": ("'and' stands where a check should come; such as proc.name=httpd", 0),
    "()": ("there is nothing in these brackets", 1),
    "proc.name=a AND fd.num=1": ("AND is not known; write and", 12),
    "proc.name=a && fd.num=1": ("&& is not known; write and", 12),
    "!proc.name=a": ("! is not known; write not", 0),
    "proc.name=a b": ("'and' or 'or' is missing here; a value with blanks goes in quotes", 12),
    "fd.num=3abc": ("3abc is not a whole number; numbers are decimal, or 0x and hexadecimal digits", 7),
    "user.uid=4294967296": ("4294967296 does not fit: the field has 32 bits", 9),
    "fd.num contains 3": (
        "contains does not work on fd.num, which is a number; it takes = != < <= > >= in intersects exists",
        7,
    ),
    "fd.sport in (80, nosuch)": ("nosuch is neither a port nor the name of a service", 17),
    "fd.sport=70000": ("70000 does not fit: the field has 16 bits", 9),
    "fd.is_server=1": ("1 is neither true nor false; write true", 13),
    "fd.ip=10.0.0.0/8": (
        "10.0.0.0/8 is no IP address; networks go with fd.net, fd.cnet, fd.snet, fd.lnet and fd.rnet",
        6,
    ),
    "fd.net=10.0.0.1": ("10.0.0.1 is no IP network; write ADDRESS/BITS, such as 10.0.0.0/8", 7),
    "fd.sip>10.0.0.1": (
        "> does not work on fd.sip, which is an IP address; it takes = != in intersects exists",
        6,
    ),
    "evt.type=raed": ("there is no event raed; did you mean read?", 9),
    "evt.type in (read, wirte)": ("there is no event wirte; did you mean write?", 19),
    "evt.type.is.opne=1": ("there is no event opne; did you mean open?", 12),
    "evt.arg.nmae=x": ("no event has an argument nmae; did you mean name?", 8),
    "evt.rawarg.res=foo": ("foo is not a whole number; numbers are decimal, or 0x and hexadecimal digits", 15),
    "evt.rawarg.fd contains 3": (
        "contains does not work on evt.rawarg, which is a number; it takes = != < <= > >= in intersects exists",
        14,
    ),
    "evt.arg=x": ("evt.arg needs an argument; such as evt.arg.fd", 7),
    "evt.arg[x]=1": ("x is not the number of an argument; write evt.arg.x", 8),
    "proc.aname[x]=a": ("x is not a number; such as proc.aname[0]", 11),
    "proc.name[1]=a": ("proc.name takes no argument", 9),
    "thread.cgroup=a": ("thread.cgroup needs an argument; such as thread.cgroup.memory", 13),
    "evt.buffer bcontains xyz": (
        "xyz is no row of hexadecimal digits; write two digits a byte, such as cafe01",
        21,
    ),
    "proc.name regex (a": ("a value is missing behind regex; an empty one is written \"\"", 16),
    "proc.name regex '(a'": ("the regex is wrong: missing ), unterminated subpattern at position 0", 16),
}  # fmt: skip


@pytest.mark.parametrize("filter", WRONG)
def test_each_mistake_is_told_with_its_place(filter: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(filter)
    line, place = WRONG[filter]
    assert str(caught.value).splitlines() == [line, f"  {filter}", "  " + " " * place + "^"]
    assert caught.value.position == place
    assert caught.value.exit_code == 2


def test_of_a_long_filter_the_surroundings_are_shown() -> None:
    filter = " or ".join(["proc.name=a"] * 1000) + " or proc.nam=b or " + " or ".join(["proc.name=a"] * 1000)
    with pytest.raises(FilterError) as caught:
        compile_filter(filter)
    _, shown, caret = str(caught.value).splitlines()
    assert shown.startswith("  ...")
    assert shown.endswith("...")
    assert len(shown) < 120
    assert shown[caret.index("^") :].startswith("proc.nam=b")


def test_control_characters_of_a_filter_are_not_printed() -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter("proc.name=\x1b[31m' and x")
    assert "\x1b" not in str(caught.value)


def test_the_nearest_name_is_one_that_exists() -> None:
    names = ["proc.name", "proc.pname", "fd.name", "evt.type"]
    assert nearest("proc.nmae", names) == "proc.name"
    assert nearest("PROC.NAME", names) == "proc.name"
    assert nearest("type", names) == "evt.type"
    assert nearest("zzzzzz", names) is None
    assert nearest("a" * 1_000_000, names) is None
