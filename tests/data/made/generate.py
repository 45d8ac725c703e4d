"""Make the sample: the LAMP server of the sysdig tutorial as a scap file, with the truth beside it.

    python tests/data/made/generate.py [--out DIRECTORY] [--seed N] [--mb N]

Writes act1.scap.gz and truth.json (see README.md). The same seed gives the same bytes. With --mb the visitors keep
coming until the file has that many million bytes; it is then act1.scap, not compressed, and its truth holds no
exchanges, which would not fit into memory.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

from machine import SECOND, Connection, Machine, Steps, Thread
from others import Others
from scenario import STANDING_PORT, get, index, neighbours, not_there, older, plant_elsewhere, visitors
from server import SERVER_IP, SERVER_IP6, SOCKET, Lamp
from truth import Truth
from web import long_page, response

from syswire.convert.scap.encoding import Address, strings
from syswire.convert.scap.snapshot import Bound, Descriptor, File, Group, Interface, Process, Socket, UnixSocket, User
from syswire.convert.scap.snapshot import Machine as MachineInfo
from syswire.convert.scap.writer import ScapWriter

START = 1_795_166_100 * SECOND
"""2026-11-20 09:15:00 UTC."""
SHARED_TABLE = 0x1 | 0x2000
"""Thread flags: descriptors shared with the process (CLONE_FILES), and no process of its own (CLONE_THREAD)."""


def header(writer: ScapWriter, lamp: Lamp, others: Others, old: dict[str, Connection]) -> bytes:
    """Everything before the first event."""
    machine = MachineInfo("lamp01", 4, 8 << 30, 32768, START - 864_000 * SECOND)
    interfaces = [
        Interface("lo", "127.0.0.1", "255.0.0.0", "0.0.0.0"),
        Interface("eth0", SERVER_IP, "255.255.255.0", "10.0.0.255"),
        Interface("lo", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::"),
        Interface("eth0", SERVER_IP6, "ffff:ffff:ffff:ffff::", "::"),
    ]
    users: list[User | Group] = [
        User(0, 0, "root", "/root", "/bin/bash"),
        User(27, 27, "mysql", "/var/lib/mysql"),
        User(48, 48, "apache", "/usr/share/httpd"),
        User(1000, 1000, "ops", "/home/ops", "/bin/bash"),
        *(Group(gid, name) for gid, name in ((0, "root"), (27, "mysql"), (48, "apache"), (1000, "ops"))),
    ]
    init = Thread(lamp.machine, 1, 1, 0, "systemd", "/usr/lib/systemd/systemd", ["--system"])
    threads = [init, others.cron, others.sshd, others.session, others.shell, lamp.mysqld, *lamp.database_threads]
    threads += [link.thread for link in lamp.links.values()]
    threads += [lamp.master, *lamp.workers]
    out = [
        writer.section_header(),
        writer.machine(machine),
        writer.interfaces(interfaces),
        writer.users(users),
        writer.processes(process(thread) for thread in threads),
    ]
    listening: list[Descriptor] = [Bound(3, "0.0.0.0", 80), Bound(4, "::", 80)]
    logs = [File(7, b"/var/log/httpd/access_log", 10), File(8, b"/var/log/httpd/error_log", 10)]
    out.append(writer.descriptors(lamp.master.tid, [*listening, *logs]))
    for worker, name in zip(lamp.workers, ("body", "idle", "waiting", "", "", "", "", ""), strict=True):
        own: list[Descriptor] = [accepted(10, old[name])] if name else []
        if worker.tid in lamp.links:
            own.append(Socket(12, "127.0.0.1", STANDING_PORT, "127.0.0.1", 3306))
        out.append(writer.descriptors(worker.tid, [*listening, *logs, *own]))
    database: list[Descriptor] = [
        Bound(20, "0.0.0.0", 3306),
        UnixSocket(21, 0xFFFF8880_11110000, 0, SOCKET.encode()),
        File(25, b"/var/lib/mysql/shop/users.ibd", 3),
        accepted(40, old["database"]),
    ]
    out.append(writer.descriptors(lamp.mysqld.tid, database))
    out.append(writer.descriptors(others.sshd.tid, [Bound(3, "0.0.0.0", 22)]))
    out.append(writer.descriptors(others.session.tid, [accepted(4, old["remote"])]))
    return b"".join(out)


def accepted(fd: int, connection: Connection) -> Socket:
    """The server's end of an older connection as /proc shows it: its own side first."""
    assert connection.server is not None
    assert connection.client is not None
    return Socket(fd, connection.server.ip, connection.server.port, connection.client.ip, connection.client.port)


def process(thread: Thread) -> Process:
    """A thread's entry in the process list."""
    path = thread.exe if thread.exe.startswith("/") else "/usr/bin/bash"
    return Process(
        *(thread.tid, thread.pid, thread.ptid, thread.comm.encode(), thread.exe.encode(), path.encode()),
        args=strings(thread.args),
        flags=SHARED_TABLE if thread.tid != thread.pid else 0,
        uid=thread.uid,
        gid=thread.gid,
        env=strings(["LANG=C.UTF-8"]),
    )


class Sample:
    """The file's bytes, block by block, and the truth when it ends."""

    def __init__(self, seed: int, size: int) -> None:
        self.machine = Machine(seed, START)
        self.truth = Truth(self.machine)
        self.events = 0
        self._size = size
        self._written = 0

    def blocks(self) -> Iterator[bytes]:
        """The header, then one block an event."""
        writer, machine = ScapWriter(), self.machine
        lamp = Lamp(machine, self.truth)
        others = Others(machine, lamp)
        old = older(machine, lamp, others)
        yield header(writer, lamp, others, old)
        lamp.start()
        visitors(machine, lamp)
        neighbours(machine, lamp, others)
        plant_elsewhere(self.truth)
        if self._size:
            machine.session(machine.start + 30 * SECOND, self._crowd(lamp))
        for row in machine.run():
            self.events += 1
            block = writer.event(row.ts, row.tid, row.cpu, row.code, row.values)
            self._written += len(block)
            yield block

    def _crowd(self, lamp: Lamp) -> Steps:
        """Visitors one after the other, until the file is large enough."""
        machine = self.machine
        random = machine.random
        at = machine.start + 30 * SECOND
        pages = [get(f"/page{n}.html", response(200, long_page(2000 + 900 * n))) for n in range(12)]
        while self._written < self._size:
            visits = [index(), *random.sample(pages, 6), not_there(f"/img/{random.randrange(500)}.png")]
            hurried = [visit._replace(think=random.randrange(200_000, 900_000)) for visit in visits]
            client = Address(f"10.{random.randrange(1, 200)}.{random.randrange(256)}.7", random.randrange(32768, 65000))
            machine.session(at, lamp.visit(at, client, hurried))
            at += random.randrange(1_000_000, 2_000_000)
            self.truth.forget()
            yield at


def main() -> None:
    """Write the sample."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mb", type=float, default=0, help="million bytes to reach; 0 is the sample itself")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    sample = Sample(options.seed, int(options.mb * 1_000_000))
    if options.mb:
        with (options.out / "act1.scap").open("wb") as target:
            target.writelines(sample.blocks())
    else:
        data = b"".join(sample.blocks())
        (options.out / "act1.scap.gz").write_bytes(gzip.compress(data, 9, mtime=0))
    truth = sample.truth.as_json(sample.events)
    for refused in truth["refused"]:
        refused["event"] = refused.pop("row").ordinal
    text = json.dumps(truth, indent=1, ensure_ascii=False) + "\n"
    (options.out / "truth.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
