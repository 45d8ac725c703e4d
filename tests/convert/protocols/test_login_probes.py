"""Which openings are SIP, RADIUS, VNC, X11, rsync, rlogin, rsh, rexec or a login of PPP, and which are not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.ppp.probe import probe as ppp
from syswire.convert.protocols.radius.probe import probe as radius
from syswire.convert.protocols.rlogin.probe import probe as rlogin
from syswire.convert.protocols.rlogin.probe import probe_rexec as rexec
from syswire.convert.protocols.rlogin.probe import probe_rsh as rsh
from syswire.convert.protocols.rsync.probe import probe as rsync
from syswire.convert.protocols.sip.probe import probe as sip
from syswire.convert.protocols.vnc.probe import probe as vnc
from syswire.convert.protocols.x11.probe import probe as x11

PROBES = (sip, radius, vnc, x11, rsync, rlogin, rsh, rexec, ppp)
REGISTER = b"REGISTER sip:h SIP/2.0\r\n"
LOGIN = b"\1\7\0\x2b" + b"A" * 16 + b"\1\5ada" + b"\4\6\xc0\0\2\1" + b"\3\x13\7" + b"R" * 16
LOGIN = LOGIN[:2] + len(LOGIN).to_bytes(2, "big") + LOGIN[4:]
COOKIE = b"l\0\x0b\0\0\0\x12\0\x10\0\0\0MIT-MAGIC-COOKIE-1\0\0" + bytes(16)


@dataclass
class Begun:
    client: bytes = b""
    server: bytes = b""
    client_port: int = 40000
    server_port: int = 40001
    path: str = ""
    transport: str = "tcp"
    first_to_server: bool = True
    over: bool = False


@pytest.mark.parametrize(
    ("probe", "begun", "verdict"),
    [
        (sip, Begun(REGISTER), YES),
        (sip, Begun(b"\r\n\r\n" + REGISTER), YES),
        (sip, Begun(server=b"SIP/2.0 200 OK\r\n"), YES),
        (sip, Begun(b"INVITE sip:"), MORE),
        (sip, Begun(b"INVITE sip:", over=True), NO),
        (sip, Begun(b"OPTIONS rtsp://h/ RTSP/1.0\r\n"), NO),
        (sip, Begun(b"OPTIONS sip:h HTTP/1.1\r\n"), NO),
        (sip, Begun(b"\0" * 100), NO),
        (radius, Begun(LOGIN), YES),
        (radius, Begun(LOGIN[:-1]), NO),
        (radius, Begun(LOGIN + b"x"), NO),
        (radius, Begun(b"\4\1\0\x14" + bytes(16), server_port=1813), YES),
        (radius, Begun(b"\4\1\0\x14" + bytes(16)), NO),
        (radius, Begun(b"\1\1\0\x14" + bytes(16)), NO),
        (radius, Begun(b"\x63\1\0\x14" + bytes(16), server_port=1812), NO),
        (vnc, Begun(server=b"RFB 003.008\n", first_to_server=False), YES),
        (vnc, Begun(server=b"RFB 0", first_to_server=False), MORE),
        (vnc, Begun(server=b"RFB version", first_to_server=False), NO),
        (x11, Begun(COOKIE), YES),
        (x11, Begun(COOKIE[:7]), MORE),
        (x11, Begun(b"l\0\x0b\0\1\0" + COOKIE[6:]), NO),
        (x11, Begun(b"B\0\x0b\0\0\0" + COOKIE[6:]), NO),
        (x11, Begun(b"list all of it"), NO),
        (rsync, Begun(server=b"@RSYNCD: 31.0 sha512 md5\n", first_to_server=False), YES),
        (rsync, Begun(server=b"@RSYNCD: ", first_to_server=False), MORE),
        (rsync, Begun(server=b"@RSYNCED\n", first_to_server=False), NO),
        (rlogin, Begun(b"\0here\0there\0xterm/38400\0"), YES),
        (rlogin, Begun(b"\0"), MORE),
        (rlogin, Begun(b"\0here\0there\0what is this\0"), NO),
        (rlogin, Begun(b"\0\0\0\0\0\0\0\x01"), NO),
        (rsh, Begun(b"1021\0here\0there\0ls\0", server_port=514), YES),
        (rsh, Begun(b"1021\0here\0there\0ls\0"), NO),
        (rexec, Begun(b"1021\0there\0word\0ls\0", server_port=512), YES),
        (rexec, Begun(b"1021\0there\0word\0ls\0", server_port=513), NO),
        (ppp, Begun(b"\xc0\x23\1\1\0\x0c\3ada\3abc"), YES),
        (ppp, Begun(b"\xc0\x21\1\1\0\4"), NO),
    ],
)  # fmt: skip
def test_openings(probe: object, begun: Begun, verdict: int) -> None:
    assert callable(probe) and probe(begun) == verdict


@given(st.binary(max_size=300), st.binary(max_size=300), st.booleans())
def test_random_bytes_are_none_of_them(client: bytes, server: bytes, first: bool) -> None:
    for probe in PROBES:
        assert probe(Begun(client, server, first_to_server=first)) in (NO, MORE)
        assert probe(Begun(client, server, first_to_server=first, over=True)) == NO
