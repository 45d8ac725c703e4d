"""The head of a recording against a process that tells what it opened itself, read by the plain reader and by ours."""

from __future__ import annotations

import os
import resource
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import plain_scap
from support.witness import THREAD_NAME, witness
from syswire.capture.snapshot import Bounds, State, snapshot
from syswire.convert.scap import headers

Facts = dict[str, Any]
TCP, UDP = 2, 3
IPV4, IPV6, IPV4_BOUND, IPV6_BOUND, FIFO, UNIX, EVENTFD, UNSUPPORTED, EPOLL, NETLINK = 3, 4, 5, 6, 7, 8, 9, 10, 12, 15


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Facts]:
    with witness(str(tmp_path_factory.mktemp("witness"))) as told:
        yield told


@pytest.fixture(scope="module")
def state(facts: Facts) -> State:
    return snapshot()


@pytest.fixture(scope="module")
def read(state: State) -> list[plain_scap.Header]:
    return [one for one in plain_scap.records(state.blocks) if isinstance(one, plain_scap.Header)]


@pytest.fixture(scope="module")
def threads(read: list[plain_scap.Header]) -> dict[int, dict[str, Any]]:
    return {entry["tid"]: entry for block in read if block.kind == "processes" for entry in block.entries}


def descriptors_of(pid: int, blocks: bytes) -> dict[int, dict[str, Any]]:
    """The descriptor list of a process as the plain reader has it."""
    for one in plain_scap.records(blocks):
        if isinstance(one, plain_scap.Header) and one.kind == "descriptors" and one.entries[0].get("tid") == pid:
            return {entry["fd"]: entry for entry in one.entries[1:]}
    raise AssertionError(f"no descriptors of {pid}")


@pytest.fixture(scope="module")
def descriptors(state: State, facts: Facts) -> dict[int, dict[str, Any]]:
    return descriptors_of(facts["pid"], state.blocks)


def test_the_order_of_blocks(read: list[plain_scap.Header]) -> None:
    kinds = [block.kind for block in read]
    assert kinds[:5] == ["section", "machine", "interfaces", "users", "processes"]
    assert set(kinds[5:]) <= {"processes", "descriptors"}


def test_the_process(facts: Facts, threads: dict[int, dict[str, Any]]) -> None:
    entry = threads[facts["pid"]]
    told = {"pid": facts["pid"], "ptid": facts["ppid"], "sid": facts["sid"], "vpgid": facts["pgid"]}
    told |= {"uid": facts["uid"], "gid": facts["gid"], "vtid": facts["pid"], "vpid": facts["pid"], "flags": 0}
    assert {name: entry[name] for name in told} == told
    assert entry["cwd"].decode() == facts["cwd"]
    assert entry["exepath"].decode() == facts["python"]
    assert [entry["exe"], *entry["args"].split(b"\0")[:-1]] == [text.encode() for text in facts["argv"]]
    assert entry["root"] == b"/"
    assert entry["fdlimit"] == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert entry["vmrss_kb"] > 1000 and entry["vmsize_kb"] >= entry["vmrss_kb"]


def test_its_thread(facts: Facts, threads: dict[int, dict[str, Any]]) -> None:
    entry = threads[facts["tid"]]
    assert (entry["pid"], entry["ptid"], entry["flags"]) == (facts["pid"], facts["ppid"], 0x2001)
    assert (entry["comm"], entry["exe"]) == (THREAD_NAME, threads[facts["pid"]]["exe"])


def test_capabilities_stand_where_old_and_new_readers_look(facts: Facts, threads: dict[int, dict[str, Any]]) -> None:
    status = Path(f"/proc/{facts['pid']}/status").read_text()
    told = {line.split(":")[0]: int(line.split()[1], 16) for line in status.splitlines() if line.startswith("Cap")}
    entry = threads[facts["pid"]]
    names = ("cap_inheritable", "cap_permitted", "cap_effective")
    assert [entry[name] for name in names] == [told["CapInh"], told["CapPrm"], told["CapEff"]]
    assert entry["loginuid"] == int(Path(f"/proc/{facts['pid']}/loginuid").read_text())
    assert "pidns_init_start_ts" not in entry


def test_no_environment(state: State, threads: dict[int, dict[str, Any]]) -> None:
    assert b"must-not-be-recorded" not in state.blocks
    assert {entry["env"] for entry in threads.values()} == {b""}


def ends(facts: Facts, name: str, descriptors: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries of the witness's sockets of that name; the inodes must be those that it told."""
    told = facts["sockets"][name]
    assert [descriptors[one["fd"]]["inode"] for one in told] == [one["inode"] for one in told]
    return [descriptors[one["fd"]] for one in told]


@pytest.mark.parametrize(
    ("name", "family", "l4", "kind", "bound"),
    [
        ("tcp4", socket.AF_INET, TCP, IPV4, IPV4_BOUND),
        ("tcp6", socket.AF_INET6, TCP, IPV6, IPV6_BOUND),
        ("udp4", socket.AF_INET, UDP, IPV4, IPV4_BOUND),
        ("udp6", socket.AF_INET6, UDP, IPV6, IPV6_BOUND),
    ],
)
def test_ip_sockets(
    facts: Facts, descriptors: dict[int, dict[str, Any]], name: str, family: int, l4: int, kind: int, bound: int
) -> None:
    if name not in facts["sockets"]:
        pytest.skip("no IPv6")
    server, client, *accepted = ends(facts, name, descriptors)
    told = facts["sockets"][name]
    ip = socket.inet_pton(family, told[0]["own"][0])
    assert (server["type"], server["ip"], server["port"], server["l4proto"]) == (bound, ip, told[0]["own"][1], l4)
    for entry, end in zip([client, *accepted], told[1:], strict=True):
        assert (entry["type"], entry["sip"], entry["dip"], entry["l4proto"]) == (kind, ip, ip, l4)
        assert (entry["sport"], entry["dport"]) == (end["own"][1], end["peer"][1])


def test_ipv4_over_an_ipv6_listener(facts: Facts, descriptors: dict[int, dict[str, Any]]) -> None:
    if "mapped" not in facts["sockets"]:
        pytest.skip("no IPv6")
    server, client, accepted = ends(facts, "mapped", descriptors)
    port, local = facts["sockets"]["mapped"][0]["own"][1], b"\x7f\0\0\x01"
    assert (server["type"], server["ip"], server["port"]) == (IPV6_BOUND, bytes(16), port)
    assert (client["type"], client["dip"], client["dport"]) == (IPV4, local, port)
    assert (accepted["type"], accepted["sip"], accepted["sport"], accepted["dip"]) == (IPV4, local, port, local)


@pytest.mark.parametrize("name", ["unix", "abstract"])
def test_unix_sockets(facts: Facts, descriptors: dict[int, dict[str, Any]], name: str) -> None:
    server, client, accepted = ends(facts, name, descriptors)
    path = f"{facts['cwd']}/talk here.sock" if name == "unix" else f"@witness-{facts['pid']}"
    assert [entry["name"].decode() for entry in (server, client, accepted)] == [path, "", path]
    assert {entry["type"] for entry in (server, client, accepted)} == {UNIX}
    assert (client["source"], client["destination"]) == (accepted["destination"], accepted["source"])
    assert client["source"] != client["destination"] != 0
    assert server["destination"] == 0


def test_a_pair_of_unix_sockets(facts: Facts, descriptors: dict[int, dict[str, Any]]) -> None:
    first, second = ends(facts, "pair", descriptors)
    assert (first["source"], first["destination"]) == (second["destination"], second["source"])
    assert first["source"] != 0 != first["destination"]


def test_sockets_that_are_in_no_table(facts: Facts, descriptors: dict[int, dict[str, Any]]) -> None:
    stream, datagram = ends(facts, "unbound", descriptors)
    for entry, l4 in ((stream, TCP), (datagram, UDP)):
        assert (entry["type"], entry["sport"], entry["dport"], entry["l4proto"]) == (IPV4, 0, 0, l4)
        assert entry["sip"] == entry["dip"] == bytes(4)
    (route,) = ends(facts, "netlink", descriptors)
    assert route["type"] == NETLINK


def test_files_and_the_rest(facts: Facts, descriptors: dict[int, dict[str, Any]]) -> None:
    entries = {name: descriptors[fd] for name, fd in facts["others"].items()}
    kinds = {name: entry["type"] for name, entry in entries.items()}
    assert kinds == {
        "pipe": FIFO, "pipe_to": FIFO, "log": 16, "folder": 2, "null": 16, "epoll": EPOLL, "eventfd": EVENTFD,
        "memory": 16,
    }  # fmt: skip
    log = entries["log"]
    # PPM_O_WRONLY 2, APPEND 8, NONBLOCK 64, LARGEFILE 2048 is not set by a program of 64 bits, CLOEXEC 4096.
    assert log["open_flags"] & ~2048 == 2 | 8 | 64 | 4096
    assert log["name"].decode() == f"{facts['cwd']}/log"
    assert log["inode"] == facts["inodes"]["log"]
    assert log["dev"] == facts["device"] & 0xFFFFFFFF
    assert entries["null"]["open_flags"] & 3 == 3 and entries["null"]["name"] == b"/dev/null"
    assert entries["pipe"]["name"] == b"pipe:[%d]" % facts["inodes"]["pipe"]
    assert entries["folder"]["name"].decode() == facts["cwd"]
    assert entries["memory"]["name"].startswith(b"/memfd:kept")


def test_the_machine(read: list[plain_scap.Header]) -> None:
    (machine,) = read[1].entries
    assert machine["hostname"].decode() == socket.gethostname()
    assert machine["num_cpus"] == os.cpu_count()
    total = int(Path("/proc/meminfo").read_text().split()[1]) * 1024
    assert machine["memory"] == total
    started = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    assert abs(machine["boot_time"] / 1e9 - started) < 5


def test_interfaces(read: list[plain_scap.Header]) -> None:
    loopback = [entry for entry in read[2].entries if entry["name"] == b"lo"]
    assert (b"\x7f\0\0\x01", b"\xff\0\0\0") in [(entry["addr"], entry["netmask"]) for entry in loopback]
    if Path("/proc/net/if_inet6").exists():
        expected = {bytes.fromhex(line.split()[0]) for line in Path("/proc/net/if_inet6").read_text().splitlines()}
        assert {entry["addr"] for entry in read[2].entries if len(entry["addr"]) == 16} == expected


def test_users(read: list[plain_scap.Header]) -> None:
    users = {entry["uid"]: entry for entry in read[3].entries if entry["kind"] == 0}
    groups = {entry["gid"]: entry["name"] for entry in read[3].entries if entry["kind"] == 1}
    assert (users[0]["name"], users[0]["home"]) == (b"root", b"/root")
    assert groups[0] == b"root"


def test_our_reader_has_the_same(state: State, facts: Facts, threads: dict[int, dict[str, Any]]) -> None:
    found: dict[int, headers.ProcessEntry] = {}
    counted = 0
    at = 0
    while at < len(state.blocks):
        kind, size = struct.unpack_from("<II", state.blocks, at)
        body = state.blocks[at + 8 : at + size - 4]
        if kind in headers.PROCESSES:
            found |= {entry.tid: entry for entry in headers.processes(body, "<", 9)}
        if kind in headers.DESCRIPTORS:
            counted += len(list(headers.descriptors(body, "<", 2)[1]))
        at += size
    assert found.keys() == threads.keys()
    assert found[facts["pid"]].cwd == threads[facts["pid"]]["cwd"]
    assert found[facts["pid"]].loginuid & 0xFFFFFFFF == threads[facts["pid"]]["loginuid"]
    assert (len(found), counted) == (state.threads, state.descriptors)


def test_who_is_left_out(facts: Facts) -> None:
    tids = {
        entry["tid"]
        for one in plain_scap.records(snapshot(frozenset({facts["pid"]})).blocks)
        if isinstance(one, plain_scap.Header) and one.kind == "processes"
        for entry in one.entries
    }
    assert not tids & {facts["pid"], facts["tid"], os.getpid()}
    assert 1 in tids


def test_the_order_is_fixed(read: list[plain_scap.Header], threads: dict[int, dict[str, Any]]) -> None:
    keys = [(entry["pid"], entry["tid"] != entry["pid"], entry["tid"]) for entry in threads.values()]
    assert keys == sorted(keys)
    lists = [block.entries[0]["tid"] for block in read if block.kind == "descriptors"]
    assert lists == sorted(lists) and len(lists) == len(set(lists))


def test_bounds(facts: Facts) -> None:
    few = snapshot(bounds=Bounds(threads=3, descriptors=5, of_process=2))
    assert few.threads == 3 and few.descriptors <= 5
    assert few.losses["processes_left_out"] > 0
    cut = descriptors_of(facts["pid"], snapshot(bounds=Bounds(of_process=2)).blocks)
    assert sorted(cut) == sorted([0, 1])


def test_processes_that_come_and_go() -> None:
    """What ends while it is read is counted or read, and the head is whole."""
    with subprocess.Popen(["sh", "-c", "i=0; while [ $i -lt 400 ]; do (:) & i=$((i+1)); done; wait"]) as noise:
        for _ in range(10):
            state = snapshot()
            assert all(isinstance(one, plain_scap.Header) for one in plain_scap.records(state.blocks))
        noise.kill()


def test_without_rights(facts: Facts) -> None:
    """As nobody: what everybody may see of the witness, no descriptors, and told that there is more."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become nobody")
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            state = snapshot()
            with os.fdopen(write_end, "wb") as pipe:
                pipe.write(struct.pack("<I", state.losses.get("refused", 0)) + state.blocks)
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        (refused,) = struct.unpack("<I", pipe.read(4))
        blocks = [one for one in plain_scap.records(pipe.read()) if isinstance(one, plain_scap.Header)]
    os.waitpid(child, 0)
    entries = {entry["tid"]: entry for one in blocks if one.kind == "processes" for entry in one.entries}
    entry = entries[facts["pid"]]
    assert (entry["cwd"], entry["exepath"], entry["uid"]) == (b"", b"", 0)
    assert entry["exe"].decode() == facts["argv"][0]
    assert refused >= 1 and facts["tid"] in entries
    assert facts["pid"] not in [one.entries[0]["tid"] for one in blocks if one.kind == "descriptors"]


def test_sockets_of_another_network(tmp_path: Path) -> None:
    with witness(str(tmp_path), namespace=True) as facts:
        if "refused" in facts:
            pytest.skip(f"no network namespace: {facts['refused']}")
        assert facts["namespace"] != str(Path("/proc/self/ns/net").readlink())
        found = descriptors_of(facts["pid"], snapshot().blocks)
        server, client, accepted = ends(facts, "tcp4", found)
        told = facts["sockets"]["tcp4"]
        assert (server["type"], server["port"], client["sport"]) == (IPV4_BOUND, told[0]["own"][1], told[1]["own"][1])
        assert (accepted["sip"], accepted["dport"]) == (b"\x7f\0\0\x01", told[1]["own"][1])
        if "tcp6" in facts["sockets"]:
            assert ends(facts, "tcp6", found)[1]["sip"] == socket.inet_pton(socket.AF_INET6, "::1")
        assert ends(facts, "unix", found)[0]["name"].decode() == f"{facts['cwd']}/talk here.sock"
        _, near, far = ends(facts, "unix", found)
        assert (near["source"], near["destination"]) == (far["destination"], far["source"])
        assert near["source"] != near["destination"] != 0
        assert ends(facts, "unbound", found)[0]["l4proto"] == TCP
