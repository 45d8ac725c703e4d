"""SSH: banners and algorithms written out by hand, what ssh -v says of a recording, and hostile ones."""

from __future__ import annotations

from hashlib import md5
from pathlib import Path
from random import Random
from struct import pack

from hypothesis import given, settings
from hypothesis import strategies as st

from support.loopback_talk import recorded
from support.parsing import Found, talk
from syswire.convert.model.record import Value
from syswire.convert.protocols.ssh.parser import Ssh

LISTS = ("kex-a,kex-b", "ssh-ed25519", "c1,c2", "c3", "m1", "m2,m3", "none", "zlib,none", "", "en")
OTHERS = ("kex-b,kex-a", "ssh-rsa", "c2", "c3,c1", "m1", "m3", "none", "none", "", "")


def string(data: bytes) -> bytes:
    return pack(">I", len(data)) + data


def packet(payload: bytes, padding: int = 4) -> bytes:
    return pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


def algorithms(lists: tuple[str, ...]) -> bytes:
    return packet(b"\x14" + bytes(16) + b"".join(string(each.encode()) for each in lists) + bytes(5))


NEWKEYS = packet(b"\x15")
KEY = string(b"ssh-ed25519") + string(bytes(range(32)))
TALK: list[tuple[bool, bytes]] = [
    (False, b"SSH-2.0-Server_1 with comment\r\n" + algorithms(OTHERS)),
    (True, b"SSH-2.0-Client_1\r\n" + algorithms(LISTS)),
    (True, packet(b"\x1e" + string(bytes(32)))),
    (False, packet(b"\x1f" + string(KEY) + string(bytes(32)) + string(bytes(83))) + NEWKEYS + bytes(range(200))),
    (True, NEWKEYS + bytes(300)),
]


def test_both_sides() -> None:
    found = talk(Ssh, TALK)
    assert found.asked == [
        {
            "banner": "SSH-2.0-Client_1",
            "version": "2.0",
            "software": "Client_1",
            "kex_algorithms": ["kex-a", "kex-b"],
            "host_key_algorithms": ["ssh-ed25519"],
            "ciphers_to_server": ["c1", "c2"],
            "ciphers_to_client": ["c3"],
            "macs_to_server": ["m1"],
            "macs_to_client": ["m2", "m3"],
            "compression_to_server": ["none"],
            "compression_to_client": ["zlib", "none"],
            "languages_to_server": [],
            "languages_to_client": ["en"],
            "hassh": md5(b"kex-a,kex-b;c1,c2;m1;none").hexdigest(),
        }
    ]
    response = found.answered[0]
    assert response is not None
    assert response["banner"] == "SSH-2.0-Server_1 with comment"
    assert (response["software"], response["comment"]) == ("Server_1", "with comment")
    assert response["hassh_server"] == md5(b"kex-b,kex-a;c3,c1;m3;none").hexdigest()
    assert response["host_key_type"] == "ssh-ed25519"
    # by ssh-keygen -l
    assert response["host_key_fingerprint"] == "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA"
    assert [response[f"agreed_{name}"] for name in ("kex", "host_key", "cipher_to_server", "cipher_to_client")] == [
        "kex-a",
        None,
        "c2",
        "c3",
    ]
    request = found.records[0].request
    assert request is not None
    assert (request.span.place, request.span.offset) == ("call 1", 0)
    assert request.span.length == len(TALK[1][1])
    assert not found.weirds


def test_one_side_alone() -> None:
    found = talk(Ssh, TALK[1:3])
    assert found.answered == [None]
    assert found.asked[0] is not None
    assert found.asked[0]["hassh"] == md5(b"kex-a,kex-b;c1,c2;m1;none").hexdigest()
    assert not talk(Ssh, []).records


def test_lines_before_the_banner_and_ssh_1() -> None:
    found = talk(
        Ssh, [(False, b"Welcome\r\nto the \xfcber host\nSSH-1.99-Old\n" + bytes(99)), (True, b"SSH-1.5-Older\n")]
    )
    response, request = found.answered[0], found.asked[0]
    assert response == {
        "banner": "SSH-1.99-Old",
        "version": "1.99",
        "software": "Old",
        "lines_before": ["Welcome", "to the \xfcber host"],
    }
    assert request == {"banner": "SSH-1.5-Older", "version": "1.5", "software": "Older"}


def test_the_other_way_round() -> None:
    client = ("kex-a,ext-info-c", *LISTS[1:])
    calls = [(True, b"SSH-2.0-S\r\n" + algorithms(OTHERS)), (False, b"SSH-2.0-C\r\n" + algorithms(client))]
    found = talk(Ssh, calls)
    assert [name for name, _ in found.weirds] == ["ssh-roles-reversed"]
    assert found.asked[0] is not None
    assert found.answered[0] is not None
    assert "hassh_server" in found.asked[0]
    assert found.answered[0]["hassh"] == md5(b"kex-a,ext-info-c;c1,c2;m1;none").hexdigest()


def test_a_refusal() -> None:
    goodbye = packet(b"\1" + pack(">I", 3) + string(b"no matching cipher") + string(b""))
    found = talk(Ssh, [(True, b"SSH-2.0-C\r\n"), (False, b"SSH-2.0-S\r\n" + algorithms(OTHERS) + goodbye)])
    assert found.answered[0] is not None
    assert found.answered[0]["disconnect_code"] == 3
    assert found.answered[0]["disconnect_text"] == "no matching cipher"


def test_what_is_no_ssh() -> None:
    found = talk(Ssh, [(False, b"SSH-2.0-S\r\n"), (True, b"GET / HTTP/1.1\r\n\r\n")])
    assert [name for name, _ in found.weirds] == ["ssh-broken"]
    assert found.asked == [None]
    long = talk(Ssh, [(True, b"SSH-2.0-" + b"x" * 400 + b"\r\n" + b"\xff" * 50)])
    assert [name for name, _ in long.weirds] == ["ssh-long-banner", "ssh-broken"]
    lists = talk(Ssh, [(True, b"SSH-2.0-x\r\n" + packet(b"\x14" + bytes(16) + b"\0\0\xff\xff"))])
    assert [name for name, _ in lists.weirds] == ["ssh-broken"]


def test_losses() -> None:
    begin = TALK[0][1]
    found = talk(Ssh, [(False, begin), (False, 300), (True, TALK[1][1]), (False, bytes(500))])
    assert found.answered[0] is not None
    assert "hassh_server" in found.answered[0]
    cut = talk(Ssh, [(False, begin[:60]), (False, len(begin) - 60), (True, TALK[1][1]), (False, NEWKEYS)])
    assert cut.answered[0] is not None
    assert cut.answered[0]["banner"] == "SSH-2.0-Server_1 with comment"
    assert "hassh_server" not in cut.answered[0]


def test_long_lists_and_endless_lines() -> None:
    many = ",".join(f"a{i}" for i in range(2000))
    found = talk(Ssh, [(True, b"SSH-2.0-x\r\n" + algorithms((many, *LISTS[1:])))])
    assert found.asked[0] is not None
    assert len(found.asked[0]["kex_algorithms"]) == 256  # type: ignore[arg-type]
    assert found.asked[0]["kex_algorithms_complete"] is False
    assert found.asked[0]["hassh"] == md5(f"{many};c1,c2;m1;none".encode()).hexdigest()
    endless = Found()
    parser = Ssh(endless)
    for i in range(300):
        parser.data(False, b"line\n" * 1000, 5000 * i, None, True)
    assert parser._sides[False].done
    parser.close()
    assert len(endless.records[0].response.fields["lines_before"]) == 16  # type: ignore[union-attr,arg-type]


def told(data: Path) -> list[list[str]]:
    found: list[list[str]] = []
    for line in (data / "protocols" / "ssh-told.txt").read_text().splitlines():
        if line.startswith("== "):
            found.append([])
        else:
            found[-1].append(line)
    return found


def after(lines: list[str], what: str) -> str:
    return next((line.split(what, 1)[1] for line in lines if what in line), "")


def test_says_what_ssh_says(data: Path) -> None:
    conversations = recorded(data / "protocols" / "ssh.pcap")
    assert len(conversations) == 4
    for conversation, lines in zip(conversations, told(data), strict=True):
        found = talk(Ssh, conversation.calls)
        request, response = found.asked[0], found.answered[0]
        assert request is not None
        assert response is not None
        assert request["banner"] == after(lines, "Local version string ")
        assert response["banner"] == "SSH-2.0-" + after(lines, "remote software version ")
        algorithm = after(lines, "kex: algorithm: ")
        assert response["agreed_kex"] == (None if algorithm == "(no match)" else algorithm)
        if response["agreed_kex"] is None:
            assert response["kex_algorithms"] == after(lines, "Their offer: ").split(",")
            continue
        assert response["agreed_host_key"] == after(lines, "kex: host key algorithm: ")
        assert response["agreed_cipher_to_server"] == after(lines, "client->server cipher: ").split()[0]
        assert response["agreed_cipher_to_client"] == after(lines, "server->client cipher: ").split()[0]
        key: list[Value] = [response["host_key_type"], response["host_key_fingerprint"]]
        assert key == after(lines, "Server host key: ").split()
        assert not found.weirds


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.booleans())
@settings(max_examples=60, deadline=None)
def test_however_it_is_cut(cuts: list[int], boundaries: bool) -> None:
    assert talk(Ssh, TALK, cuts=cuts, boundaries=boundaries).said() == talk(Ssh, TALK).said()


@given(st.lists(st.tuples(st.booleans(), st.one_of(st.binary(max_size=80), st.integers(1, 99))), max_size=8))
@settings(max_examples=150, deadline=None)
def test_never_raises_on_anything(calls: list[tuple[bool, bytes | int]]) -> None:
    talk(Ssh, calls)
    talk(Ssh, [(True, b"SSH-2.0-a\n"), (False, b"SSH-2.0-b\n"), *calls])


@given(st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_the_same_answer_to_a_changed_beginning(seed: int) -> None:
    random = Random(seed)
    calls: list[tuple[bool, bytes | int]] = []
    for to_server, content in TALK:
        changed = bytearray(content)
        for _ in range(random.randrange(3)):
            changed[random.randrange(len(changed))] = random.randrange(256)
        cut = random.randrange(len(changed))
        calls.append((to_server, bytes(changed[:cut])))
        if random.randrange(2):
            calls.append((to_server, 1 + random.randrange(50)))
        calls.append((to_server, bytes(changed[cut:])))
    assert talk(Ssh, calls, cuts=[1 + random.randrange(30), 1]).said() == talk(Ssh, calls).said()
