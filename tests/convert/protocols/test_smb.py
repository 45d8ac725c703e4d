"""SMB: messages put together by hand after MS-CIFS and MS-SMB2, samba's own talk, and damage."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import ntlm_made as made
from support.ntlm_made import wide
from support.parsing import Found, talk
from support.recorded_talk import recorded
from syswire.convert.protocols.smb.parser import Smb

Calls = list[tuple[bool, bytes | int]]
MORE, WRONG, FINE = 0xC0000016, 0xC000006D, 0
PROOF, BLOB = made.V2_PROOF, made.V2_BLOB
_DATA = Path(__file__).resolve().parents[2] / "data/protocols"


def framed(message: bytes) -> bytes:
    return struct.pack(">I", len(message)) + message


def head2(command: int, number: int, status: int = 0, flags: int = 0, session: int = 0, tree: int = 0) -> bytes:
    """SMB 2's header (MS-SMB2 2.2.1.2)."""
    head = b"\xfeSMB" + struct.pack("<HHIHHII", 64, 0, status, command, 1, flags, 0)
    return head + struct.pack("<QIIQ", number, 0, tree, session) + b"\0" * 16


def setup2(blob: bytes, number: int, session: int = 0) -> tuple[bool, bytes]:
    body = struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 88, len(blob), 0) + blob
    return True, framed(head2(1, number, session=session) + body)


def answer2(blob: bytes, number: int, status: int, session: int = 0x99, guest: int = 0) -> tuple[bool, bytes]:
    body = struct.pack("<HHHH", 9, guest, 72, len(blob)) + blob
    return False, framed(head2(1, number, status, 1, session) + body)


def login2(status: int = FINE, guest: int = 0) -> Calls:
    return [
        setup2(made.spnego_init(made.NEGOTIATE), 1),
        answer2(made.spnego_response(made.challenge()), 1, MORE),
        setup2(made.spnego_response(made.authenticate(PROOF + BLOB, made.V2_LM), b"m" * 16), 2, 0x99),
        answer2(b"", 2, status, guest=guest),
    ]


def tree2(path: str, number: int) -> tuple[bool, bytes]:
    name = wide(path)
    return True, framed(head2(3, number, session=0x99) + struct.pack("<HHHH", 9, 0, 72, len(name)) + name)


def said(found: Found) -> list[tuple[str | None, bytes, str, str]]:
    return [(s.username, s.secret, s.outcome, s.confidence) for s in found.sightings]


@pytest.mark.parametrize(
    ("status", "guest", "outcome"),
    [(FINE, 0, "accepted"), (WRONG, 0, "refused"), (0xC0000064, 0, "refused"), (FINE, 1, "unknown")],
)
def test_a_login_of_version_2(status: int, guest: int, outcome: str) -> None:
    calls = login2(status, guest)
    found = talk(Smb, calls)
    assert said(found) == [("Domain\\User", made.V2_LINE.encode(), outcome, "certain")]
    [record] = found.records
    assert record.kind == "login" and record.request is not None and record.response is not None
    assert record.request.fields == {
        "mechanism": "NTLM", "ntlm_version": 2, "user": "Domain\\User", "workstation": "COMPUTER", "secret": True,
    }  # fmt: skip
    assert record.response.fields["result"] == outcome
    [sighting] = found.sightings
    client = b"".join(data for up, data in calls if up and isinstance(data, bytes))
    at = sighting.span.offset
    assert client[at : at + sighting.span.length] == sighting.raw == PROOF + BLOB


def test_shares_and_files() -> None:
    name = wide("a\\b.txt")
    create = struct.pack("<HBBIQQIIIIIHHII", 57, 0, 0, 2, 0, 0, 1, 0, 7, 1, 0, 120, len(name), 0, 0) + name
    calls: Calls = [
        tree2("\\\\srv\\data", 5),
        (False, framed(head2(3, 5, flags=1) + struct.pack("<HBBIII", 16, 1, 0, 0, 0, 0))),
        (True, framed(head2(5, 6) + create)),
        (False, framed(head2(5, 6, 0xC0000034, 1) + struct.pack("<HBBI", 9, 0, 0, 0) + b"\0")),
    ]
    found = talk(Smb, calls)
    assert found.asked == [
        {"operation": "tree-connect", "path": "\\\\srv\\data"},
        {"operation": "open", "path": "a\\b.txt"},
    ]
    assert found.answered == [
        {"result": "ok", "nt_status": "0x00000000", "share": "disk"},
        {"result": "error", "nt_status": "0xc0000034"},
    ]


def test_two_sessions_at_once_keep_their_challenges() -> None:
    other = made.challenge(b"\x22" * 8)
    calls: Calls = [
        setup2(made.NEGOTIATE, 1),
        setup2(made.NEGOTIATE, 2),
        answer2(made.challenge(), 1, MORE, 0x11),
        answer2(other, 2, MORE, 0x22),
        setup2(made.authenticate(), 3, 0x11),
        setup2(made.authenticate(user=wide("Two")), 4, 0x22),
        answer2(b"", 4, FINE, 0x22),
        answer2(b"", 3, WRONG, 0x11),
    ]
    lines = {s.username: (s.secret, s.outcome) for s in talk(Smb, calls).sightings}
    assert lines["Domain\\User"] == (made.V1_LINE.encode(), "refused")
    assert lines["Domain\\Two"][0].endswith(b":2222222222222222") and lines["Domain\\Two"][1] == "accepted"


def test_chained_commands() -> None:
    """A tree connect chained to a session setup, related to it (MS-SMB2 3.3.5.2.7)."""
    blob = made.authenticate()
    first = head2(1, 2, session=0x99) + struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 88, len(blob), 0) + blob
    first += b"\0" * (-len(first) % 8)
    first = first[:20] + struct.pack("<I", len(first)) + first[24:]
    path = wide("\\\\srv\\x")
    second = head2(3, 3, flags=4, session=2**64 - 1) + struct.pack("<HHHH", 9, 0, 72, len(path)) + path
    calls: Calls = [setup2(made.NEGOTIATE, 1), answer2(made.challenge(), 1, MORE), (True, framed(first + second))]
    found = talk(Smb, [*calls, answer2(b"", 2, FINE)])
    assert said(found)[0][1:3] == (made.V1_LINE.encode(), "accepted")
    assert [r.kind for r in found.records] == ["login", "smb"]


def head1(command: int, number: int, status: int = 0, response: bool = False, flags2: int = 0xC000) -> bytes:
    """SMB 1's header (MS-CIFS 2.2.3.1)."""
    head = b"\xffSMB" + struct.pack("<BIBHH", command, status, 0x98 if response else 0x18, flags2, 0)
    return head + b"\0" * 10 + struct.pack("<HHHH", 0, 77, 100, number)


def negotiated1(mode: int, challenge: bytes = made.CHALLENGE) -> tuple[bool, bytes]:
    words = struct.pack("<HBHHIIIIQHB", 0, mode, 50, 1, 65535, 65536, 0, 0, 0, 0, len(challenge))
    body = bytes([len(words) // 2]) + words + struct.pack("<H", len(challenge)) + challenge
    return False, framed(head1(0x72, 1, response=True) + body)


def setup1(oem: bytes, unicode: bytes, flags2: int = 0xC000) -> tuple[bool, bytes]:
    """Session setup without extended security (MS-CIFS 2.2.4.53.1)."""
    words = struct.pack("<BBHHHHIHHII", 0xFF, 0, 0, 4356, 50, 0, 0, len(oem), len(unicode), 0, 0xD4)
    secret = oem + unicode
    start = 32 + 1 + len(words) + 2 + len(secret)
    if flags2 & 0x8000:
        texts = b"\0" * (start & 1) + b"".join(wide(text) + b"\0\0" for text in ("User", "Domain", "OS", "LM"))
    else:
        texts = b"User\0Domain\0OS\0LM\0"
    data = secret + texts
    body = bytes([len(words) // 2]) + words + struct.pack("<H", len(data)) + data
    return True, framed(head1(0x73, 2, flags2=flags2) + body)


def answer1(status: int, action: int = 0) -> tuple[bool, bytes]:
    words = struct.pack("<BBHH", 0xFF, 0, 0, action)
    return False, framed(head1(0x73, 2, status, True) + bytes([3]) + words + b"\0\0")


@pytest.mark.parametrize("flags2", [0xC000, 0x4000])
def test_a_login_of_version_1_without_extended_security(flags2: int) -> None:
    calls: Calls = [negotiated1(3), setup1(made.V1_LM, made.V1_NT, flags2), answer1(FINE)]
    found = talk(Smb, calls)
    assert said(found) == [("Domain\\User", made.V1_LINE.encode(), "accepted", "certain")]
    assert found.asked[0] == {
        "user": "Domain\\User", "mechanism": "NTLM", "ntlm_version": 1, "secret": True, "native_os": "OS",
        "native_lan_manager": "LM", "dialect": "NT LM 0.12",
    }  # fmt: skip


def test_passwords_in_the_clear() -> None:
    calls: Calls = [negotiated1(1, b""), setup1(b"Attic-7\0", b"", 0x4000), answer1(WRONG)]
    found = talk(Smb, calls)
    assert said(found) == [("User", b"Attic-7", "refused", "certain")]
    calls = [negotiated1(1, b""), setup1(b"", wide("Atti\xe7-7\0")), answer1(FINE)]
    assert said(talk(Smb, calls)) == [("User", "Atti\xe7-7".encode(), "accepted", "certain")]


@pytest.mark.parametrize(
    "calls",
    [
        [negotiated1(3), setup1(b"\0", b""), answer1(FINE)],  # anonymous
        [negotiated1(3), setup1(b"Pass", b""), answer1(FINE)],  # the server wants responses: this is none
        [negotiated1(3), setup1(b"\0" * 24, b"\0" * 24), answer1(FINE)],
        [setup2(made.NEGOTIATE, 1), answer2(made.challenge(), 1, MORE)],
        [
            setup2(made.NEGOTIATE, 1), answer2(made.challenge(), 1, MORE),
            setup2(made.authenticate(b"", b"\0", b"", b""), 2, 0x99), answer2(b"", 2, FINE, guest=2),
        ],
    ],
)  # fmt: skip
def test_it_is_no_credential(calls: Calls) -> None:
    assert said(talk(Smb, calls)) == []


def test_cuts_and_gaps() -> None:
    whole = login2()
    for cuts in ([1], [3], [7, 100]):
        assert talk(Smb, whole, cuts=cuts).said() == talk(Smb, whole).said()
    read = framed(head2(8, 9, flags=1) + struct.pack("<HBBII", 17, 80, 0, 100_000, 0) + b"\0" * 100_000)
    calls: Calls = [(False, read[:5000]), (False, 90_000), (False, read[95_000:]), *whole]
    assert said(talk(Smb, calls)) == said(talk(Smb, whole))
    # In the middle of a message, and behind a loss that hides where the next begins.
    assert said(talk(Smb, [(True, b"\x11" * 300), *whole])) == said(talk(Smb, whole))
    assert said(talk(Smb, [(True, framed(head2(9, 1))), (True, 70_000), *whole])) == said(talk(Smb, whole))


def test_one_direction() -> None:
    whole = login2()
    [only] = talk(Smb, [call for call in whole if call[0]]).sightings
    assert (only.outcome, only.confidence) == ("unknown", "likely")
    assert only.secret == made.V2_LINE.replace(":0123456789abcdef:", "::").encode()
    assert talk(Smb, [call for call in whole if not call[0]]).sightings == []


def test_requests_without_end_are_held_within_bounds() -> None:
    found = talk(Smb, [tree2("\\\\a\\b", number) for number in range(12_000)])
    assert len(found.records) == 10_000


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=120)), max_size=6), st.booleans())
@settings(max_examples=60)
def test_no_bytes_raise(calls: Calls, old: bool) -> None:
    begin = b"\xffSMB\x73" if old else b"\xfeSMB\x40\0"
    framed_too = [(up, framed(begin + data)) for up, data in calls if isinstance(data, bytes)]
    talk(Smb, calls)
    talk(Smb, framed_too)


@given(st.integers(0, 900), st.binary(min_size=1, max_size=6), st.sampled_from([1, 2]), st.integers(1, 300))
@settings(max_examples=120)
def test_no_damage_raises_and_cuts_do_not_matter(at: int, put: bytes, version: int, cut: int) -> None:
    calls = login2() if version == 2 else [negotiated1(3), setup1(made.V1_LM, made.V1_NT), answer1(FINE)]
    damaged: Calls = []
    for up, data in calls:
        assert isinstance(data, bytes)
        if 0 <= at < len(data):
            data = data[:at] + put + data[at + len(put) :]
        at -= len(data)
        damaged.append((up, data))
    assert talk(Smb, damaged).said() == talk(Smb, damaged, cuts=[cut]).said()


def test_what_samba_and_smbclient_said() -> None:
    """games logs in by a wrong password, by the right one, and nobody does."""
    users = []
    for stream in recorded(_DATA / "smb2.pcap", 445):
        found = talk(Smb, stream)
        users += [(s.username, s.outcome, s.details["hashcat"] if s.details else None) for s in found.sightings]
    assert users == [("INVENTED\\games", "refused", 5600), ("INVENTED\\games", "accepted", 5600)]
