"""Interfaces, users and boot time: netlink answers and files put together by hand."""

from __future__ import annotations

import pwd
import socket
import struct
from pathlib import Path

import pytest

from syswire.capture.machine import accounts, addresses, boot_time, interfaces
from syswire.convert.scap.snapshot import Group, Interface, User


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def answer(family: int, prefix: int, index: int, *attributes: bytes) -> tuple[int, bytes]:
    """Struct ifaddrmsg of linux/if_addr.h in an RTM_NEWADDR."""
    return 20, struct.pack("=BBBBI", family, prefix, 0, 0, index) + b"".join(attributes)


def test_addresses() -> None:
    ip, peer, last = bytes((10, 1, 2, 3)), bytes((10, 1, 2, 9)), bytes((10, 1, 3, 255))
    long = socket.inet_pton(socket.AF_INET6, "fe80::1")
    found = addresses(
        [
            answer(10, 64, 2, attribute(1, long)),
            answer(2, 23, 2, attribute(1, ip), attribute(2, ip), attribute(3, b"eth0:1\0"), attribute(4, last)),
            answer(2, 32, 7, attribute(1, peer), attribute(2, ip)),
            answer(2, 0, 1, attribute(1, bytes((127, 0, 0, 1)))),
            answer(2, 40, 1, attribute(1, ip)),  # no such prefix
            answer(2, 8, 1, attribute(1, long)),  # no IPv4 address
            answer(99, 8, 1, attribute(1, ip)),
            (3, b""),
        ],
        {1: "lo", 2: "eth0"},
    )
    assert found == [
        Interface("lo", "127.0.0.1", "0.0.0.0", "0.0.0.0"),
        Interface("eth0:1", "10.1.2.3", "255.255.254.0", "10.1.3.255"),
        Interface("eth0", "fe80::1", "ffff:ffff:ffff:ffff::", "::"),
        Interface("7", "10.1.2.3", "255.255.255.255", "0.0.0.0"),  # its own end, not the peer's
    ]


def test_the_interfaces_of_this_machine() -> None:
    own = {(one.name, one.address, one.netmask) for one in interfaces()}
    assert ("lo", "127.0.0.1", "255.0.0.0") in own
    names = {name for _, name in socket.if_nameindex()}
    assert {name.split(":")[0] for name, _, _ in own} <= names


def test_accounts(tmp_path: Path) -> None:
    passwd, group = tmp_path / "passwd", tmp_path / "group"
    passwd.write_bytes(
        b"root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0:second:/root:/bin/sh\n# note:x:5:5:a:b:c\n+::::::\n"
        b"short:x:7\nweb:x:33:34:W\xe9b:/var/www:/usr/sbin/nologin\nhuge:x:4294967296:1::/:/\nbad:x:-1:1::/:/\n"
    )
    group.write_bytes(b"root:x:0:\nwww:x:34:web,root\nnumber:x:none:\n")
    assert accounts([33], str(passwd), str(group)) == [
        User(0, 0, "root", "/root", "/bin/bash"),
        User(33, 34, "web", "/var/www", "/usr/sbin/nologin"),
        Group(0, "root"),
        Group(34, "www"),
    ]


def test_owners_that_only_the_name_service_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = pwd.struct_passwd(("ldap", "x", 70001, 70000, "", "/home/ldap", "/bin/sh"))

    def known(uid: int) -> pwd.struct_passwd:
        if uid != 70001:
            raise KeyError(uid)
        return entry

    monkeypatch.setattr(pwd, "getpwuid", known)
    missing = str(tmp_path / "none")
    assert accounts([70001, 70002], missing, missing) == [User(70001, 70000, "ldap", "/home/ldap", "/bin/sh")]


def test_boot_time() -> None:
    assert boot_time(b"cpu  1 2\nintr 5\nbtime 1700000001\nprocesses 9\n") == 1_700_000_001_000_000_000
    assert boot_time(b"cpu\n") == 0
