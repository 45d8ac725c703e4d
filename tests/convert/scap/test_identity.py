"""Names, users and containers of threads as bytes say them; tables that input fills are bounded."""

from __future__ import annotations

import io
import json

import pytest

from support.recording import Recording, tcp
from syswire.convert.scap import identity, identity_store
from syswire.convert.scap.containers import container_of, described
from syswire.convert.scap.encoding import strings
from syswire.convert.scap.headers import ProcessEntry, UserEntry
from syswire.convert.scap.identity import Identities
from syswire.convert.scap.snapshot import NO_ID, Process

HASH = "0123456789abcdef" * 4


def entry(tid: int = 5, **more: object) -> ProcessEntry:
    values: dict[str, object] = {"tid": tid, "pid": tid, "ptid": 1, "comm": b"c", "exe": b"/c", "exepath": b"/c"}
    values |= {"args": b"", "cwd": b"/", "flags": 0, "uid": 7, "gid": 7, "env": b"", "cgroups": b"", "loginuid": -1}
    return ProcessEntry(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cgroups", "name"),
    [
        ([], None),
        (["cpu=/", "memory=/user.slice"], None),
        (["cpu=/docker/" + HASH], HASH[:12]),
        (["cpu=/", "memory=/system.slice/docker-" + HASH + ".scope"], HASH[:12]),
        (["cpu=/machine.slice/libpod-" + HASH + ".scope"], HASH[:12]),
        (["cpu=/kubepods/burstable/pod0f0f/" + HASH], HASH[:12]),
        (["cpu=/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + HASH + ".scope"], HASH[:12]),
        (["cpu=/lxc/web"], "web"),
        (["cpu=/lxc.payload.mail/init.scope"], "mail"),
    ],
)
def test_containers_by_control_groups(cgroups: list[str], name: str | None) -> None:
    assert container_of(strings(cgroups)) == name


def test_control_groups_that_are_meant_to_take_long() -> None:
    """Each would be a walk over all that follows it if the search began anew everywhere."""
    assert container_of(b"kubepods" * 8000) is None
    assert container_of(b"kubepods/" * 8000) is not None
    assert container_of(b"/docker/" * 8000) is None


def test_container_events() -> None:
    assert described(json.dumps({"container": {"id": HASH, "name": "web", "more": [1]}}).encode()) == (
        HASH[:12],
        b"web",
    )
    for wrong in (b"", b"{", b"[]", b'{"container": 1}', b'{"container": {"id": 1, "name": "x"}}', b"\xff", b"null"):
        assert described(wrong) is None
    assert described(b'{"container":{"id":"a","name":"b","deep":' + b"[" * 100_000 + b"]" * 100_000 + b"}}") is None
    assert described(b'{"container":{"id":"a","name":"' + b"n" * 10_000 + b'"}}') == ("a", b"n" * 256)


def test_a_thread_of_the_list_has_its_container() -> None:
    made = Recording()
    made.machine(
        [Process(9, 9, 1, b"web", b"web", cgroups=strings(["cpu=/docker/" + HASH])), Process(8, 8, 1, b"h", b"h")]
    )
    made.raw(324, -1, [json.dumps({"container": {"id": HASH[:12], "name": "shop"}}).encode()])
    made.accept(9, 4, tcp("10.0.0.7", 4000, "10.0.0.5", 80))
    made.accept(8, 4, tcp("10.0.0.7", 4001, "10.0.0.5", 80))
    made.fork(9, 10)
    seen = made.decoded()
    assert [version.container for version in seen.threads] == [HASH[:12], None, HASH[:12]]
    assert [seen.result.containers[conv.container] for conv in seen.convs] == [HASH[:12], ""]
    assert seen.result.container_names == {HASH[:12]: b"shop"}


def test_ids_that_say_none() -> None:
    made = Recording()
    made.machine([Process(9, 9, 1, b"x", b"x", uid=NO_ID, gid=NO_ID)])
    (version,) = made.decoded().threads
    assert (version.uid, version.gid, version.user) == (-1, -1, None)


def test_a_number_that_is_listed_twice_has_one_living_version() -> None:
    made = Recording()
    made.machine([Process(9, 9, 1, b"one", b"x"), Process(9, 9, 1, b"two", b"x")])
    made.accept(9, 4, tcp("10.0.0.7", 4000, "10.0.0.5", 80))
    seen = made.decoded()
    assert seen.named(seen.chunks[0]) == "two"


def test_parameters_of_wrong_widths() -> None:
    store = Identities(io.BytesIO())
    version, _ = store.listed(entry())
    odd = [b"\1" * 40] * 31
    assert store.cloned(1, 223, odd, 6, 6, False)[0] == 2
    assert store.executed(2, 293, odd, version, 5, 5, b"\1" * 9000, b"/")[0] == 3
    assert store.changed(3, 193, odd, 3) in (3, 4)
    assert store.changed(3, 401, odd, 3) == 3
    store.described(4, 354, odd)
    for number in range(1, len(store) + 1):
        assert len(store.get(number).exepath) < 5000


def test_what_input_can_fill_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_MOST_VERSIONS", 3)
    monkeypatch.setattr(identity, "_MOST_NAMES", 2)
    store = Identities(io.BytesIO())
    assert [store.listed(entry(tid))[0] for tid in range(5)] == [1, 2, 3, 0, 0]
    assert store.changed(1, 199, [b"", b"\1\0\0\0"], 3) == 3, "where there is no room the old version stays"
    for uid in range(4):
        store.user(UserEntry(False, uid, 0, b"u" * 1000))
    assert [len(name) for name in store.users.values()] == [256, 256]
    for number in range(4):
        store.described(1, 228, [b"id%d" % number, b"", b"name"])
    assert len(store.container_names) == 2
    assert store.refused == 3 + 2 + 2


def test_the_spool_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rename copies all else that is known of a thread."""
    monkeypatch.setattr(identity, "_MOST_SPOOL", 20_000)
    store = Identities(io.BytesIO())
    version, _ = store.listed(entry(args=b"a" * 60_000))
    for number in range(50):
        version = store.changed(number, 401, [b"", b"\x0f\0\0\0", b"n%d\0" % number], version)
    assert store.refused > 40
    assert store.get(version).args == (b"a" * 4096,)


def test_versions_that_do_not_fit_memory_come_from_the_spool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity_store, "_MOST_KEPT", 5000)
    store = Identities(io.BytesIO())
    for tid in range(1, 40):
        store.listed(entry(tid, comm=b"t%d" % tid))
    for tid in (1, 39, 7, 20):
        assert store.get(tid).name == b"t%d" % tid
    store.exited(77, 7)
    assert store.get(7).end == 77
    assert store.cloned(78, 223, [], 100, 100, True)[0] == 40
