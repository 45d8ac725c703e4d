"""Filters judged on events made by hand, by the program and by a naive judge of the same tree."""

from __future__ import annotations

import fnmatch
import ipaddress
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syswire.convert.filters.fields.table import FIELDS, NOT_IN_PACKETS
from syswire.convert.filters.judge import Filter, compile_filter
from syswire.convert.filters.tree import And, Check, Not, Or, Tree, text
from syswire.convert.trace.model import INFOS, Event, Fd, Interface, Thread, Trace

READ_EXIT = 7
PROCINFO = next(code for code, info in enumerate(INFOS) if info.name == "procinfo")


class Made(NamedTuple):
    """What an event is made of."""

    comm: str = "httpd"
    pid: int = 100
    tid: int = 100
    uid: int | None = 0
    kind: str | None = "ipv4"
    fd_name: str = "10.0.0.7:5000->10.0.0.5:80"
    role: str | None = "server"
    sip: str = "10.0.0.7"
    dip: str = "10.0.0.5"
    sport: int = 5000
    dport: int = 80
    cpu: int = 0


def event(made: Made, code: int = READ_EXIT, params: tuple[bytes, ...] = (bytes(8), b"GET /")) -> Event:
    """The event."""
    trace = Trace("made", "scap")
    trace.interfaces = [Interface(4, bytes([10, 0, 0, 5]), bytes([255, 255, 255, 0]), "eth0")]
    thread = Thread(trace, made.tid, made.pid)
    thread.comm, thread.uid = made.comm, made.uid
    trace.threads[made.tid] = thread
    one = Event(trace, INFOS[code], code, 1_000_000_000, made.tid, params)
    one.thread, one.cpu, one.num, one.ordinal = thread, made.cpu, 1, 1
    one.fd_num = 3
    if made.kind is not None:
        one.fd = Fd(3, made.kind, made.fd_name)
        if made.kind.startswith("ipv"):
            one.fd.sip, one.fd.dip = (ipaddress.ip_address(side).packed for side in (made.sip, made.dip))
            one.fd.sport, one.fd.dport, one.fd.role, one.fd.l4 = made.sport, made.dport, made.role, "tcp"
    return one


HOLDS = [
    "proc.name=httpd",
    "proc.name!=mysqld",
    "proc.name contains ttp",
    "proc.name icontains TTP",
    "proc.name startswith ht",
    "proc.name endswith pd",
    "proc.name glob h*d",
    "proc.name glob h[st]tp?",
    "proc.name glob h[!s]tpd",
    "proc.name iglob H*D",
    "proc.name regex h.+d",
    "proc.name in (mysqld, httpd)",
    "proc.name intersects (mysqld, httpd)",
    "proc.name < i",
    "proc.name exists",
    "not proc.name=mysqld",
    "fd.port=80",
    "fd.port=5000",
    "fd.port=http",
    "fd.port=0x50",
    "fd.port in (80, 443)",
    "fd.port<81",
    "fd.port!=81",
    "fd.ip=10.0.0.7",
    "fd.ip=10.0.0.5",
    "fd.ip!=10.0.0.6",
    "fd.net=10.0.0.0/8",
    "fd.net!=11.0.0.0/8",
    "fd.net in (11.0.0.0/8, 10.0.0.0/29)",
    "fd.cip=10.0.0.7",
    "fd.sip=10.0.0.5",
    "fd.lip=10.0.0.5",
    "fd.rip=10.0.0.7",
    "fd.cport=5000",
    "fd.sport=80",
    "fd.lport=80",
    "fd.rport=5000",
    "fd.cnet=10.0.0.4/30",
    "fd.sip!=::1",
    "fd.l4proto=tcp",
    "fd.type=ipv4",
    "fd.typechar=4",
    "fd.sockfamily=ip",
    "fd.is_server=true",
    "fd.num=3",
    "fd.uid=1003",
    "fd.containername=:10.0.0.7:5000->10.0.0.5:80",
    "user.uid=0",
    "user.uid<=0x0",
    "thread.ismain=true",
    "thread.ismain in (true, false)",
    "container.id=host",
    "evt.type=read",
    "evt.buffer contains GET",
    "evt.buffer bcontains 474554",
    "evt.buffer bstartswith 4745",
    "evt.buffer startswith GET",
    "evt.buffer endswith /",
    r'evt.buffer = "GET \x2f"',
    "evt.buffer in (POST, 'GET /')",
    "not fd.sip.name exists",
    "not k8s.pod.name=a",
    "not k8s.pod.name!=a",
    "proc.name=httpd and fd.port=80 or proc.name=x",
    "proc.name=x or proc.name=httpd and fd.port=80",
]
FAILS = [
    "proc.name=http",
    "proc.name=HTTPD",
    "proc.name!=httpd",
    "proc.name in ()",
    "proc.name glob H*D",
    "proc.name glob http",
    "proc.name regex http",
    "proc.name pmatch (ht)",
    "fd.port=443",
    "fd.port!=80",
    "fd.port>5000",
    "fd.ip!=10.0.0.7",
    "fd.ip=10.0.0.9",
    "fd.net!=10.0.0.0/8",
    "fd.net=10.0.0.0/32",
    "fd.snet!=10.0.0.5/32",
    "fd.net=::/0",
    "fd.sip=::1",
    "evt.type=write",
    "k8s.pod.name=a",
    "k8s.pod.name!=a",
    "proc.aname exists",
    "proc.aname!=x",
    "evt.buffer endswith GET",
]


@pytest.mark.parametrize("filter", HOLDS)
def test_what_holds(filter: str) -> None:
    assert compile_filter(filter).judge(event(Made()))


@pytest.mark.parametrize("filter", FAILS)
def test_what_does_not(filter: str) -> None:
    assert not compile_filter(filter).judge(event(Made()))


def test_an_empty_filter_wants_everything() -> None:
    assert compile_filter(" ").judge(event(Made()))
    assert compile_filter(" ").fields == []


def test_without_a_role_nobody_is_client_but_both_ends_are_there() -> None:
    one = event(Made(role=None))
    for filter, wanted in {
        "fd.cip exists": False,
        "fd.sport exists": False,
        "fd.lport exists": False,
        "fd.ip=10.0.0.7": True,
        "fd.port=80": True,
        "fd.l4proto exists": False,
    }.items():
        assert compile_filter(filter).judge(one) is wanted


def test_a_bound_socket_has_one_end() -> None:
    one = event(Made(kind="ipv4_bound", role="server"))
    for filter, wanted in {"fd.sip=10.0.0.7": True, "fd.cip exists": False, "fd.sport=5000": True, "fd.port!=80": True,
                           "fd.is_server=true": True, "fd.lip exists": False}.items():  # fmt: skip
        assert compile_filter(filter).judge(one) is wanted


def test_types_without_a_descriptor_have_no_field_of_one() -> None:
    one = event(Made(), PROCINFO, (bytes(8), bytes(8)))
    for name in ("fd.num", "fd.name", "fd.typechar", "fd.port", "fd.uid", "fd.type"):
        assert not compile_filter(f"{name} exists" if name != "fd.port" else "fd.port>=0").judge(one)


def test_ancestors_are_walked_and_a_ring_of_them_ends() -> None:
    one = event(Made())
    assert one.thread is not None
    trace = one.trace
    for tid, ptid, comm in ((100, 50, "httpd"), (50, 1, "bash"), (1, 100, "init")):
        thread = trace.threads.setdefault(tid, Thread(trace, tid, tid))
        thread.ptid, thread.comm = ptid, comm
    for filter, wanted in {
        "proc.aname=bash": True, "proc.aname=init": True, "proc.aname=httpd": False, "proc.aname!=bash": True,
        "proc.aname[0]=httpd": True, "proc.aname[1]=bash": True, "proc.aname[2]=init": True,
        "proc.aname[3] exists": False,
        "proc.apid=1": True, "proc.apid in (50)": True, "proc.apid[1]=50": True, "proc.pname=bash": True,
        "proc.loginshellid=50": True, "proc.ppid=50": True,
    }.items():  # fmt: skip
        assert compile_filter(filter).judge(one) is wanted, filter


VALUES: dict[str, list[str]] = {
    "proc.name": ["httpd", "sh", "bash", "", "ht"],
    "proc.pid": ["1", "100", "0x64", "-1"],
    "fd.name": ["/etc/passwd", "/etc", "10.0.0.7:5000->10.0.0.5:80", ""],
    "fd.sport": ["80", "443", "0x50"],
    "fd.sip": ["10.0.0.5", "10.0.0.6"],
    "fd.net": ["10.0.0.0/30", "10.0.0.5/32", "0.0.0.0/0"],
    "fd.port": ["80", "5000"],
    "thread.ismain": ["true", "false"],
}
OPERATORS: dict[str, list[str]] = {
    "proc.name": ["=", "!=", "<", "<=", ">", ">=", "contains", "icontains", "startswith", "endswith", "glob", "in"],
    "proc.pid": ["=", "!=", "<", "<=", ">", ">=", "in"],
    "fd.name": ["=", "!=", "contains", "startswith", "endswith", "pmatch", "in", "exists"],
    "fd.sport": ["=", "!=", "<", ">=", "in", "exists"],
    "fd.sip": ["=", "!=", "in", "exists"],
    "fd.net": ["=", "!=", "in"],
    "fd.port": ["=", "!=", "<", "in"],
    "thread.ismain": ["=", "!=", "in"],
}


@st.composite
def one_check(draw: st.DrawFn) -> Check:
    """A check that fits its field."""
    name = draw(st.sampled_from(sorted(VALUES)))
    operator = draw(st.sampled_from(OPERATORS[name]))
    many = operator in ("in", "pmatch")
    count = 0 if operator == "exists" else draw(st.integers(0, 3)) if many else 1
    values = draw(st.lists(st.sampled_from(VALUES[name]), min_size=count, max_size=count))
    return Check(name, operator, tuple(values))


TREES: st.SearchStrategy[Tree] = st.recursive(
    one_check(),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda children: And(tuple(children))),
        st.lists(inner, min_size=2, max_size=3).map(lambda children: Or(tuple(children))),
    ),
    max_leaves=8,
)
EVENTS = st.builds(
    Made,
    comm=st.sampled_from(["httpd", "sh", "bash", "HTTPD"]),
    pid=st.sampled_from([1, 100, 5000]),
    tid=st.sampled_from([1, 100]),
    sip=st.just("10.0.0.7"),
    sport=st.just(5000),
    kind=st.sampled_from([None, "file", "ipv4"]),
    fd_name=st.sampled_from(["/etc/passwd", "/etc", "10.0.0.7:5000->10.0.0.5:80", ""]),
    role=st.sampled_from([None, "client", "server"]),
    dip=st.sampled_from(["10.0.0.5", "10.0.0.6", "192.168.0.1"]),
    dport=st.sampled_from([80, 443]),
)


def naive(tree: Tree, made: Made) -> bool:
    """The same judgement, in the plainest words, from what the event was made of."""
    if isinstance(tree, Not):
        return not naive(tree.child, made)
    if isinstance(tree, And):
        return False not in [naive(child, made) for child in tree.children]
    if isinstance(tree, Or):
        return True in [naive(child, made) for child in tree.children]
    socket = made.kind == "ipv4"
    has_role = socket and made.role is not None
    known: dict[str, list[object]] = {
        "proc.name": [made.comm],
        "proc.pid": [made.pid],
        "fd.name": [made.fd_name] if made.kind else [""],
        "fd.sport": [made.dport] if has_role else [],
        "fd.sip": [made.dip] if has_role else [],
        "fd.net": [made.sip, made.dip] if socket else [],
        "fd.port": [made.sport, made.dport] if socket else [],
        "thread.ismain": [str(made.pid == made.tid).lower()],
    }
    values = known[tree.field]
    if tree.operator == "exists":
        return values != []
    if tree.operator == "!=":
        return values != [] and not any(same(tree.field, value, wanted) for value in values for wanted in tree.values)
    return any(naive_check(tree, value) for value in values)


def same(field: str, value: object, wanted: str) -> bool:
    """Whether a value is the one in the filter."""
    if field == "fd.net":
        return ipaddress.ip_address(str(value)) in ipaddress.ip_network(wanted, strict=False)
    return value == (int(wanted, 0) if isinstance(value, int) else wanted)


def naive_check(check: Check, value: object) -> bool:
    """One value against one check."""
    if check.operator in ("=", "in"):
        return any(same(check.field, value, wanted) for wanted in check.values)
    if check.operator == "pmatch":
        paths = [wanted.strip("/").split("/") if wanted.strip("/") else [] for wanted in check.values]
        return any([part for part in str(value).split("/") if part][: len(path)] == path for path in paths)
    wanted = check.values[0]
    if isinstance(value, int):
        number = int(wanted, 0)
        return {"<": value < number, "<=": value <= number, ">": value > number, ">=": value >= number}[check.operator]
    word = str(value)
    return {
        "<": word < wanted,
        "<=": word <= wanted,
        ">": word > wanted,
        ">=": word >= wanted,
        "contains": wanted in word,
        "icontains": wanted.lower() in word.lower(),
        "startswith": word[: len(wanted)] == wanted,
        "endswith": word[len(word) - len(wanted) :] == wanted if len(wanted) <= len(word) else False,
        "glob": fnmatch.fnmatchcase(word, wanted),
    }[check.operator]


@given(TREES, EVENTS)
def test_any_tree_is_judged_as_a_naive_judge_does(tree: Tree, made: Made) -> None:
    filter = text(tree)
    assert Filter(filter, tree).judge(event(made)) is naive(tree, made), filter
    assert compile_filter(filter).judge(event(made)) is naive(tree, made), filter


def packet() -> Event:
    """A packet: a socket, and no thread."""
    one = event(Made())
    one.trace.format, one.trace.interfaces = "pcap", []
    one.thread = one.fd_num = None
    return one


@pytest.mark.parametrize(
    "filter",
    ["fd.port=80", "fd.ip=10.0.0.7", "fd.name contains 5000->", "fd.cip=10.0.0.7", "fd.type=ipv4", "fd.l4proto=tcp",
     "fd.typechar=4", "fd.snet=10.0.0.0/8", "evt.buffer contains GET"],
)  # fmt: skip
def test_packets_have_sockets(filter: str) -> None:
    assert compile_filter(filter).judge(packet())


@pytest.mark.parametrize("name", sorted(set(NOT_IN_PACKETS) - {"evt.cpu"}))
def test_what_packets_cannot_know_is_missing(name: str) -> None:
    row = FIELDS[name]
    assert row.extract(packet(), "0" if row.argument == "required" else None) is None
