"""Records through the drain to a file, and what sysdig shows of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.plain_scap import Event, events
from syswire.capture.drain import Drain
from syswire.convert.scap.snapshot import Interface, Machine, Process, User
from syswire.convert.scap.writer import ScapWriter

TALL = 65_000


def made(records: bytes, snaplen: int = TALL) -> list[Event]:
    """The events of some records, read by the plain reader."""
    drain = Drain(-1, 0, snaplen, 0)
    drain.inject(records)
    return events(head() + drain.take(None))


def head() -> bytes:
    """A machine with the address 10.0.0.1 and fd00::1, the user www-data (33), and the process 100, "web"."""
    writer = ScapWriter()
    web = Process(100, 100, 1, b"web", b"/usr/bin/web", b"/usr/bin/web", cwd=b"/srv")
    net = [
        Interface("eth0", "10.0.0.1", "255.255.255.0", "10.0.0.255"),
        Interface("eth0", "fd00::1", "ffff:ffff:ffff:ffff::", "::"),
    ]
    return (
        writer.section_header()
        + writer.machine(Machine("host", 2))
        + writer.interfaces(net)
        + writer.users([User(33, 33, "www-data")])
        + writer.processes([web])
    )


def shown(sysdig: str, path: Path, records: bytes, form: str, *filters: str, snaplen: int = TALL) -> list[str]:
    """A line for each event of the records, as sysdig prints them; fails where sysdig finds fault with the file."""
    drain = Drain(-1, 0, snaplen, 0)
    drain.inject(records)
    path.write_bytes(head() + drain.take(None))
    done = subprocess.run([sysdig, "-r", str(path), "-p", "*" + form, *filters], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    return [line.rstrip() for line in done.stdout.decode("utf-8", "surrogateescape").splitlines()]
