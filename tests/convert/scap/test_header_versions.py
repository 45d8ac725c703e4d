"""Lists at the head of a file in every version, both byte orders, whole and cut, against the plain reader."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from support import plain_scap
from support.old_headers import DESCRIPTOR_BLOCKS, PROCESS_BLOCKS, Made, blocks
from syswire.convert.scap import headers

Order = Literal["<", ">"]
PROCESS_FIELDS = ("tid", "pid", "ptid", "comm", "exe", "args", "cwd", "flags", "uid", "gid")
MEMORY_FIELDS = {"vmsize": "vmsize_kb", "vmrss": "vmrss_kb", "vmswap": "vmswap_kb"}
MEMORY_FIELDS |= {"pfmajor": "pfmajor", "pfminor": "pfminor"}


def decoded(kind: str, version: int, body: bytes, order: str) -> tuple[list[Any], bool]:
    """What the product makes of a body: entries, and whether the list was whole."""
    entries: list[Any] = []
    try:
        if kind == "machine":
            entries.append(headers.machine(body, order))
        elif kind == "descriptors":
            tid, found = headers.descriptors(body, order, version)
            entries.append(tid)
            entries.extend(found)
        elif kind == "processes":
            entries.extend(headers.processes(body, order, version))
        elif kind == "interfaces":
            entries.extend(headers.interfaces(body, order, version))
        else:
            entries.extend(headers.users(body, order, version))
    except headers.ShortEntryError:
        return entries, False
    return entries, True


def as_told(kind: str, plain: dict[str, Any]) -> dict[str, Any]:
    """An entry of the plain reader with the product's names; only what the product keeps."""
    if kind == "machine":
        names = {"num_cpus": "cpus", "memory": "memory", "max_pid": "max_pid", "hostname": "hostname"}
        names["boot_time"] = "boot_time"
        return {new: plain[old] for old, new in names.items()}
    if kind == "processes":
        told = {name: plain[name] for name in PROCESS_FIELDS}
        told |= {name: plain.get(name) or b"" for name in ("exepath", "env", "cgroups")}
        loginuid = plain.get("loginuid")
        told |= {"loginuid": -1 if loginuid is None else loginuid, "fdlimit": plain["fdlimit"]}
        told |= {new: plain.get(old) or 0 for new, old in MEMORY_FIELDS.items()}
        told |= {name: -1 if plain.get(name) is None else plain[name] for name in ("sid", "vpgid", "vtid", "vpid")}
        return told | {"root": plain.get("root") or b""}
    if kind == "interfaces":
        family = 4 if plain["type"] in (1, 3) else 6
        return {"family": family, "address": plain["addr"], "netmask": plain["netmask"], "name": plain["name"]}
    if kind == "users":
        told = {"group": plain["kind"] == 1, "uid": plain.get("uid", 0), "gid": plain["gid"], "name": plain["name"]}
        return told | {"home": plain.get("home", b""), "shell": plain.get("shell", b"")}
    told = {"fd": plain["fd"], "inode": plain["inode"], "kind": plain["type"], "name": plain.get("name", b"")}
    told |= {"sip": plain.get("sip", b""), "dip": plain.get("dip", plain.get("ip", b""))}
    told |= {"sport": plain.get("sport", 0), "dport": plain.get("dport", plain.get("port", 0))}
    told |= {"l4": plain.get("l4proto", 0), "source": plain.get("source", 0)}
    told |= {"open_flags": plain.get("open_flags", 0), "device": plain.get("dev") or 0}
    return told | {"dest": plain.get("destination", 0)}


def flat(entry: Any) -> dict[str, Any]:
    """An entry's fields by name; the undecoded tail of process entries left out."""
    fields = dict(entry.told())
    if (rest := fields.pop("rest", None)) is not None:
        fields |= rest.told()
        del fields["tail"]
    return fields


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_version(order: Order, seed: int) -> None:
    made, seen = Made(order, 0), set()
    for kind, version, number, body in blocks(order, seed):
        seen.add(number)
        (told,) = plain_scap.headers(made.section() + made.block(number, body))[1:]
        body += bytes(-len(body) % 4)
        assert (told.kind, told.version) == (kind, version)
        entries, whole = decoded(kind, version, body, order)
        assert whole
        if kind == "descriptors":
            assert entries.pop(0) % (1 << 64) == told.entries.pop(0)["tid"]
        assert [flat(entry) for entry in entries] == [as_told(kind, entry) for entry in told.entries]
    known = {*headers.PROCESSES, *headers.DESCRIPTORS, *headers.INTERFACES, *headers.USERS, *headers.MACHINE}
    assert seen == known


@pytest.mark.parametrize("order", ["<", ">"])
def test_cut_anywhere_the_entries_before_remain(order: Order) -> None:
    for kind, version, _, body in blocks(order, 7):
        whole, _ = decoded(kind, version, body, order)
        for length in range(0, len(body), 3):
            entries, _ = decoded(kind, version, body[:length], order)
            assert entries[:-1] == whole[: max(len(entries) - 1, 0)]
            assert len(entries) <= len(whole)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["processes", "descriptors"])
def test_what_an_entry_has_beyond_the_known_is_passed_over(order: Order, kind: str) -> None:
    made = Made(order, 5)
    if kind == "processes":
        plain = made.process(9, 29)
        longer = made.measured(plain[4:] + bytes(500))
        number = PROCESS_BLOCKS[9][0]
        body = longer + plain
    else:
        plain = made.descriptor(2, 7)
        longer = made.measured(plain[4:] + bytes(500))
        number = DESCRIPTOR_BLOCKS[2][0]
        body = bytes(8) + longer + plain
    entries, whole = decoded(kind, headers.PROCESSES.get(number, 2), body, order)
    assert whole
    first, second = entries[-2:]
    assert flat(first) | {"loginuid": 0} == flat(second) | {"loginuid": 0}
