"""The LAMP server of the sample: Apache's workers, PHP's queries, MariaDB's threads, each as its system calls."""

from __future__ import annotations

from typing import NamedTuple

import mysql
from machine import SECOND, Connection, End, Machine, Steps, Thread
from truth import Exchange, Plant, Truth
from web import Request, Response

from syswire.convert.scap.encoding import Address, Polled, Value, strings
from syswire.convert.scap.event_table import Code

SERVER_IP, SERVER_IP6 = "10.0.0.5", "2001:db8::5"
SOCKET = "/var/lib/mysql/mysql.sock"
EAGAIN, EINPROGRESS, ECONNRESET = 11, 115, 104
CLONE_THREAD_FLAGS = 0x1 | 0x2 | 0x800 | 0x2000 | 0x8000
ACCEPT4 = (Code.SOCKET_ACCEPT4_5_E, Code.SOCKET_ACCEPT4_5_X)
ACCEPT = (Code.SOCKET_ACCEPT_5_E, Code.SOCKET_ACCEPT_5_X)
POLL = (Code.SYSCALL_POLL_E, Code.SYSCALL_POLL_X)
CLONE = (Code.SYSCALL_CLONE_20_E, Code.SYSCALL_CLONE_20_X)
POLLIN, POLLOUT = 1, 4
PPM_RDONLY = 1
LISTENING_AND_LOGS = {3: ":80", 4: "[::]:80", 7: "/var/log/httpd/access_log", 8: "/var/log/httpd/error_log"}


class Query(NamedTuple):
    """A question to the database: the way to it, the SQL and the answer."""

    way: str
    sql: str
    answer: bytes


class Visit(NamedTuple):
    """What arrives in one go on a connection, and what follows from it."""

    requests: list[Request]
    responses: list[Response]
    think: int = 2_000_000
    query: Query | None = None
    plants: tuple[Plant, ...] = ()
    pieces: int = 1


class DatabaseLink(NamedTuple):
    """A worker's connection to the database and the database's thread that serves it."""

    fd: int
    thread: Thread
    thread_fd: int


class Lamp:
    """The server's processes; workers take visitors one at a time."""

    def __init__(self, machine: Machine, truth: Truth) -> None:
        self.machine, self.truth = machine, truth
        self.random = machine.random
        self.master = Thread(machine, 1200, 1200, 1, "httpd", "/usr/sbin/httpd", ["-DFOREGROUND"])
        self.master.fds |= LISTENING_AND_LOGS
        self.workers = [self._worker(1201 + number) for number in range(8)]
        self.idle: list[Thread] = []
        self.mysqld = Thread(machine, 900, 900, 1, "mysqld", "/usr/libexec/mysqld", ["--basedir=/usr"])
        self.mysqld.uid = self.mysqld.gid = 27
        self.mysqld.lowest = 30
        self.mysqld.fds |= {20: "0.0.0.0:3306", 21: SOCKET, 25: "/var/lib/mysql/shop/users.ibd"}
        self.database_threads = [self._database_thread(910 + number) for number in range(2)]
        self.links: dict[int, DatabaseLink] = {}
        self._pointer = 0xFFFF8880_12340000
        self._port = 40010
        self._threads = 930

    def _worker(self, tid: int) -> Thread:
        worker = Thread(self.machine, tid, tid, 1200, "httpd", "/usr/sbin/httpd", ["-DFOREGROUND"])
        worker.uid = worker.gid = 48
        worker.fds |= LISTENING_AND_LOGS
        worker.lowest = 10
        return worker

    def _database_thread(self, tid: int) -> Thread:
        thread = Thread(self.machine, tid, 900, 1, "mysqld", "/usr/libexec/mysqld", ["--basedir=/usr"])
        thread.uid = thread.gid = 27
        thread.fds, thread.lowest = self.mysqld.fds, 30
        return thread

    def port(self) -> int:
        """The next ephemeral port of the machine."""
        self._port += 2
        return self._port

    def rest(self, worker: Thread) -> None:
        """A worker waits for the next visitor."""
        worker.enter(ACCEPT4, [0x1000], [])
        self.idle.append(worker)

    def start(self) -> None:
        """Processes take up their work; the busy workers of the first seconds are not idle yet."""
        self.mysqld.enter(POLL, [[Polled(20, POLLIN), Polled(21, POLLIN)], -1], [])
        for worker in self.workers[3:]:
            self.rest(worker)

    def files(self, thread: Thread, paths: list[str]) -> None:
        """Read some small files."""
        for path in paths:
            fd = thread.new_fd(path)
            thread.call(
                (Code.SYSCALL_OPENAT_2_E, Code.SYSCALL_OPENAT_2_X),
                [-100, path, PPM_RDONLY, 0],
                [fd, -100, path, PPM_RDONLY, 0, 0xFD00, 0x20000 + sum(path.encode()) % 5000],
            )
            thread.call((Code.SYSCALL_FSTAT_E, Code.SYSCALL_FSTAT_X), [fd], [0, fd])
            thread.receive(fd, b"<?php\nrequire_once 'shop.inc';\n// " + path.encode() + b"\n", 4096)
            self.close(thread, fd)

    @staticmethod
    def close(thread: Thread, fd: int) -> None:
        """Close a descriptor."""
        thread.call((Code.SYSCALL_CLOSE_E, Code.SYSCALL_CLOSE_X), [fd], [0, fd])
        what = thread.fds.pop(fd)
        if isinstance(what, End):
            what.connection.closed = True

    def noise(self, worker: Thread) -> None:
        """What a page needs before it answers."""
        path = "/var/www/html/index.php"
        worker.call((Code.SYSCALL_STAT_E, Code.SYSCALL_STAT_X), [], [0, path])
        self.files(worker, [f"/var/www/html/lib/mod{self.random.randrange(9)}.inc.php" for _ in range(2)])
        worker.call((Code.SYSCALL_BRK_4_E, Code.SYSCALL_BRK_4_X), [0], [0x5600_0000_0000, 260_000, 21_000, 0, 0])

    def visit(
        self, at: int, client: Address, visits: list[Visit], *, closing: str = "client", pause: int = 300_000
    ) -> Steps:
        """A visitor from elsewhere: connects, asks, and the connection ends as told."""
        while not self.idle:
            at += SECOND // 20
            yield at
        worker = self.idle.pop(0)
        server = Address(SERVER_IP6 if ":" in client.ip else SERVER_IP, 80)
        link = self.machine.connection(Connection("tcp", client, server))
        fd = self.accepted(worker, link, at)
        yield from self.serve(worker, fd, visits, pause)
        yield from self.finish(worker, fd, closing)

    def accepted(self, worker: Thread, link: Connection, at: int) -> int:
        """The worker's accept returns with a connection."""
        fd = worker.new_fd(End(link, is_server=True))
        worker.leave(at, [fd, link.tuple(), 0, 0, 511])
        worker.call((Code.SYSCALL_FCNTL_E, Code.SYSCALL_FCNTL_X), [fd, 4], [2, fd, 4, 0])
        return fd

    def serve(self, worker: Thread, fd: int, visits: list[Visit], pause: int = 300_000) -> Steps:
        """Read and answer on an open connection."""
        for number, visit in enumerate(visits):
            if self.random.random() < 0.4:
                worker.enter_receive(fd)
                worker.leave_receive(b"", error=EAGAIN)
            arrival = worker.now + (visit.think if number else pause)
            worker.enter(POLL, [[Polled(fd, POLLIN)], 5000], [])
            yield arrival
            worker.leave(arrival, [1, [Polled(fd, POLLIN)], 5000])
            self.answer(worker, fd, visit, None)

    def answer(self, worker: Thread, fd: int, visit: Visit, client_pid: int | None, read: bool = True) -> None:
        """Read what a visit sends and answer all of it."""
        link = worker.end(fd).connection
        wire = b"".join(request.message.wire for request in visit.requests)
        at = worker.end(fd).received
        if read:
            cut = len(visit.requests[0].message.head) if visit.pieces > 1 else len(wire)
            for part in filter(None, (wire[:cut], wire[cut:])):
                worker.receive(fd, part)
        else:
            at -= len(wire)
        for request, response in zip(visit.requests, visit.responses, strict=True):
            self.noise(worker)
            if visit.query is not None:
                self.query(worker, visit.query)
            begin = worker.end(fd).sent
            plants = [plant for plant in visit.plants if plant.raw in request.message.wire]
            self.truth.exchange(Exchange(link, request, at, response, begin, worker.pid, client_pid, plants))
            self.respond(worker, fd, response)
            self.log(worker, request, response)
            at += len(request.message.wire)

    def respond(self, worker: Thread, fd: int, response: Response) -> None:
        """Send a response with the calls that it names."""
        wire, head = response.message.wire, response.message.head
        if response.calls == "sendfile":
            source = worker.new_fd("/var/www/html/manual.pdf")
            worker.send(fd, head, "writev")
            worker.sendfile(fd, source, wire[len(head) :])
            self.close(worker, source)
        elif response.calls == "split":
            worker.send(fd, head)
            worker.send(fd, wire[len(head) :])
        elif response.calls == "chunks":
            stops = [stop + 2 for _, stop in response.message.body]
            for start, stop in zip([0, *stops], [*stops, len(wire)], strict=True):
                worker.send(fd, wire[start:stop])
        else:
            worker.send(fd, wire, response.calls)

    def log(self, worker: Thread, request: Request, response: Response) -> None:
        """Apache's access log."""
        line = f'- - [20/Nov/2026:09:15:07 +0000] "{request.method} {request.target} HTTP/1.1" {response.status}\n'
        worker.send(7, line.encode())

    def finish(self, worker: Thread, fd: int, closing: str) -> Steps:
        """End a connection: closed by the client, by the server after its time-out, or reset."""
        worker.enter(POLL, [[Polled(fd, POLLIN)], 5000], [])
        until = worker.now + (5 * SECOND if closing == "server" else 700_000)
        yield until
        if closing == "server":
            worker.leave(until, [0, [], 5000])
        else:
            worker.leave(until, [1, [Polled(fd, POLLIN)], 5000])
            worker.enter_receive(fd)
            worker.leave_receive(b"", error=ECONNRESET if closing == "reset" else 0)
        if closing != "reset":
            worker.call((Code.SOCKET_SHUTDOWN_E, Code.SOCKET_SHUTDOWN_X), [fd, 1], [0, fd, 1])
        self.close(worker, fd)
        self.rest(worker)

    def query(self, worker: Thread, query: Query) -> None:
        """Ask the database: over a new unix connection, a new TCP connection, or the one that stands."""
        link = self.links.get(worker.tid) if query.way == "standing" else self.connect(worker, query.way)
        if link is None:
            raise AssertionError(f"worker {worker.tid} has no standing connection")
        how = "sendto" if query.way == "unix" else "write"
        self.say(worker, link, mysql.query(query.sql), how)
        if query.way == "tcp":
            self.files(link.thread, ["/var/lib/mysql/shop/users.frm"])
        self.reply(worker, link, query.answer)
        link.thread.enter_receive(link.thread_fd, 16384, "recvfrom")
        if query.way != "standing":
            self.say(worker, link, mysql.leave(), how)
            self.close(worker, link.fd)
            self.close(link.thread, link.thread_fd)
            self.database_threads.append(link.thread)

    def connect(self, worker: Thread, way: str) -> DatabaseLink:
        """Open a connection to the database and log in."""
        if way == "unix":
            self._pointer += 0x480
            link = Connection("unix", None, None, (self._pointer, self._pointer + 0x1C0), SOCKET)
            domain, proto, listener = 1, 0, 21
        else:
            link = Connection("tcp", Address("127.0.0.1", self.port()), Address("127.0.0.1", 3306))
            domain, proto, listener = 2, 6, 20
        self.machine.connection(link)
        fd = worker.new_fd(End(link, is_server=False))
        worker.call(
            (Code.SOCKET_SOCKET_E, Code.SOCKET_SOCKET_X), [domain, 0x80001, proto], [fd, domain, 0x80001, proto, 0]
        )
        worker.call((Code.SOCKET_CONNECT_E, Code.SOCKET_CONNECT_X), [fd, None], [0, link.tuple(), fd, link.server])
        thread, thread_fd = self._accept(link, listener, worker.now)
        made = DatabaseLink(fd, thread, thread_fd)
        salt = bytes(self.random.randrange(33, 126) for _ in range(20))
        thread.send(thread_fd, mysql.greeting(thread.tid, salt), "sendto")
        worker.wait(thread.now)
        worker.receive(fd, mysql.greeting(thread.tid, salt), 16384, "recvfrom")
        thread.enter_receive(thread_fd, 16384, "recvfrom")
        self.say(worker, made, mysql.login("stats", "shop"), "sendto")
        self.reply(worker, made, mysql.ok(2))
        thread.enter_receive(thread_fd, 16384, "recvfrom")
        return made

    def _accept(self, link: Connection, listener: int, at: int) -> tuple[Thread, int]:
        main = self.mysqld
        main.leave(at, [1, [Polled(listener, POLLIN)], -1])
        fd = main.new_fd(End(link, is_server=True))
        main.call(ACCEPT, [], [fd, link.tuple(), 0, 0, 80])
        if self.database_threads:
            thread = self.database_threads.pop(0)
            main.call(
                (Code.SYSCALL_FUTEX_E, Code.SYSCALL_FUTEX_X), [0x7F00_1234_0000, 129, 1], [1, 0x7F00_1234_0000, 129, 1]
            )
            thread.wait(main.now)
        else:
            thread = self.clone_thread()
        main.enter(POLL, [[Polled(20, POLLIN), Polled(21, POLLIN)], -1], [])
        return thread, fd

    def clone_thread(self) -> Thread:
        """The database starts another thread."""
        self._threads += 1
        main = self.mysqld
        thread = self._database_thread(self._threads)
        main.enter(CLONE, [], cloned(main, thread, thread.tid, CLONE_THREAD_FLAGS))
        main.leave()
        thread.wait(main.now)
        thread.meta(CLONE[1], cloned(main, thread, 0, CLONE_THREAD_FLAGS))
        return thread

    def say(self, worker: Thread, link: DatabaseLink, data: bytes, how: str) -> None:
        """The worker sends; now and then the database has it before the worker's call returned."""
        worker.enter_send(link.fd, data, how)
        if self.random.random() < 0.2:
            link.thread.leave_receive(data, worker.now + 900)
            worker.leave(link.thread.now + 1200)
        else:
            worker.leave()
            link.thread.leave_receive(data, worker.now + 500)

    def reply(self, worker: Thread, link: DatabaseLink, data: bytes) -> None:
        """The database sends, the worker waits for it and reads."""
        worker.enter(POLL, [[Polled(link.fd, POLLIN)], 86_400_000], [])
        link.thread.send(link.thread_fd, data, "sendto")
        worker.leave(link.thread.now, [1, [Polled(link.fd, POLLIN)], 86_400_000])
        worker.receive(link.fd, data, 32768, "recvfrom")


def cloned(parent: Thread, child: Thread, res: int, flags: int) -> list[Value]:
    """The exit values of clone, as the parent (res is the child) or as the child (res 0) has them."""
    me = parent if res else child
    return [
        *(res, me.exe, strings(me.args), me.tid, me.pid, me.ptid, "/", 1024, 10, 300, 250_000, 20_000, 0),
        *(me.comm, b"", flags, me.uid, me.gid, me.tid, me.pid, 0),
    ]
