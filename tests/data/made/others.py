"""What else runs on the sample's machine: sshd with a session, cron with its jobs, a shell that calls curl."""

from __future__ import annotations

from machine import SECOND, Connection, End, Machine, Steps, Thread
from server import CLONE, EINPROGRESS, POLL, POLLIN, POLLOUT, SERVER_IP, Lamp, Visit, cloned
from truth import Exchange

from syswire.convert.scap.encoding import Address, Dynamic, Polled, Value, strings
from syswire.convert.scap.event_table import Code

EXECVE = (Code.SYSCALL_EXECVE_19_E, Code.SYSCALL_EXECVE_19_X)
SOCKET = (Code.SOCKET_SOCKET_E, Code.SOCKET_SOCKET_X)
CONNECT = (Code.SOCKET_CONNECT_E, Code.SOCKET_CONNECT_X)
GETSOCKOPT = (Code.SOCKET_GETSOCKOPT_E, Code.SOCKET_GETSOCKOPT_X)
ECONNREFUSED = 111
FORK_FLAGS = 0x0080_0000 | 0x0100_0000
SOCK_STREAM, SOCK_DGRAM = 1, 2


class Others:
    """Processes beside the web server."""

    def __init__(self, machine: Machine, lamp: Lamp) -> None:
        self.machine, self.lamp = machine, lamp
        self.sshd = Thread(machine, 800, 800, 1, "sshd", "/usr/sbin/sshd", ["-D"])
        self.session = Thread(machine, 815, 815, 800, "sshd", "/usr/sbin/sshd", ["-D", "-R"])
        self.shell = Thread(machine, 820, 820, 815, "bash", "-bash", [])
        self.shell.uid = self.shell.gid = 1000
        self.cron = Thread(machine, 700, 700, 1, "crond", "/usr/sbin/crond", ["-n"])
        self._pids = 4000

    def fork(self, parent: Thread, pid: int | None = None) -> Thread:
        """A process forks: the child has what the parent had."""
        if pid is None:
            self._pids += 1
            pid = self._pids
        child = Thread(self.machine, pid, pid, parent.pid, parent.comm, parent.exe, parent.args)
        child.uid, child.gid, child.fds, child.lowest = parent.uid, parent.gid, dict(parent.fds), parent.lowest
        parent.enter(CLONE, [], cloned(parent, child, child.tid, FORK_FLAGS))
        parent.leave()
        child.wait(parent.now)
        child.meta(CLONE[1], cloned(parent, child, 0, FORK_FLAGS))
        return child

    def execute(self, thread: Thread, comm: str, exe: str, args: list[str]) -> None:
        """A process becomes another program."""
        path = exe if exe.startswith("/") else f"/usr/bin/{exe}"
        thread.comm, thread.exe, thread.args = comm, exe, args
        values: list[Value] = [
            *(0, exe, strings(args), thread.tid, thread.pid, thread.ptid, "/root", 1024, 2, 140, 9000, 3000, 0),
            *(comm, b"", strings(["LANG=C.UTF-8", "PATH=/usr/bin:/bin"]), 34816, thread.pid, 1000, 0, 0, 0, 0),
            *(7000 + thread.pid, self.machine.start, self.machine.start),
            *(thread.uid, path, thread.pid, thread.gid, path),
        ]
        thread.call(EXECVE, [path], values)
        self.lamp.files(thread, ["/etc/ld.so.cache", "/lib64/libc.so.6"])

    def exit(self, thread: Thread) -> None:
        """A process ends."""
        thread.meta(Code.PROCEXIT_1_E, [0, 0, 0, 0, thread.ptid])

    def remote_shell(self, at: int, link: Connection, turns: int) -> Steps:
        """Somebody types in an old session: encrypted bytes both ways."""
        thread, random = self.session, self.machine.random
        fd = thread.new_fd(End(link, is_server=True), 4)
        for _ in range(turns):
            yield at
            thread.wait(at)
            thread.receive(fd, random.randbytes(36 + 16 * random.randrange(4)), 16384)
            thread.send(fd, random.randbytes(36 + 16 * random.randrange(12)))
            at += SECOND // 4 + random.randrange(SECOND)

    def job(self, at: int, command: str) -> Steps:
        """cron runs a command by way of a shell."""
        yield at
        self.cron.wait(at)
        child = self.fork(self.cron)
        self.execute(child, "sh", "/bin/sh", ["-c", command])
        inner = self.fork(child)
        program = command.split()[0]
        self.execute(inner, program.rsplit("/", 1)[-1], program, command.split()[1:])
        self.lamp.files(inner, [f"/var/lib/shop/session{number}" for number in range(12)])
        self.exit(inner)
        child.wait(inner.now)
        self.exit(child)

    def look_up(self, at: int) -> Steps:
        """sshd asks a name server for the name of an address."""
        yield at
        thread = self.sshd
        thread.wait(at)
        link = Connection("udp", Address(SERVER_IP, 41653), Address("10.0.0.2", 53))
        self.machine.connection(link)
        fd = thread.new_fd(End(link, is_server=False))
        thread.call(SOCKET, [2, 0x80802, 0], [fd, 2, 0x80802, 0, 0])
        thread.call(CONNECT, [fd, link.server], [0, link.tuple(), fd, link.server])
        name = b"\x0250\x010\x010\x0210\x07in-addr\x04arpa\0\0\x0c\0\x01"
        thread.send(fd, b"\x5a\x17\x01\0\0\x01\0\0\0\0\0\0" + name, "sendto")
        answer = b"\xc0\x0c\0\x0c\0\x01\0\0\x0e\x10\0\x17\x03ops\x07example\x03org\0\0\0\0\0\0\0"
        arrival = thread.now + 3_000_000
        thread.enter(POLL, [[Polled(fd, POLLIN)], 5000], [])
        yield arrival
        thread.leave(arrival, [1, [Polled(fd, POLLIN)], 5000])
        thread.receive(fd, b"\x5a\x17\x81\x80\0\x01\0\x01\0\0\0\0" + name + answer, 2048, "recvfrom")
        self.lamp.close(thread, fd)

    def refused(self, at: int, server: Address) -> Steps:
        """curl finds nobody listening."""
        yield at
        curl = self.curl(at, [f"http://{server.ip}:{server.port}/"])
        client = Address(server.ip, self.lamp.port())
        fd = curl.new_fd("refused")
        curl.call(SOCKET, [2, SOCK_STREAM, 6], [fd, 2, SOCK_STREAM, 6, 0])
        link = Connection("tcp", client, server)
        row = curl.call(CONNECT, [fd, server], [-ECONNREFUSED, link.tuple(), fd, server])
        self.lamp.truth.refused.append({"pid": curl.pid, "server": {"ip": server.ip, "port": server.port}, "row": row})
        self.lamp.close(curl, fd)
        self.exit(curl)

    def curl(self, at: int, args: list[str]) -> Thread:
        """The shell starts curl."""
        self.shell.wait(at)
        child = self.fork(self.shell)
        self.execute(child, "curl", "curl", args)
        self.shell.wait(child.now)
        return child

    def local(self, at: int, visit: Visit, args: list[str], *, race: str = "", size: int = 16384) -> Steps:
        """curl asks the server over the loopback: both ends are seen.

        A race "send" has curl's send return after the answer was sent, "receive" has curl's receive return before the
        server's send; `size` is how much curl reads at once.
        """
        yield at
        while not self.lamp.idle:
            at += SECOND // 20
            yield at
        curl = self.curl(at, args)
        server = Address("127.0.0.1", 80)
        link = Connection("tcp", Address("127.0.0.1", self.lamp.port()), server)
        self.machine.connection(link)
        fd = curl.new_fd(End(link, is_server=False))
        curl.call(SOCKET, [2, SOCK_STREAM, 6], [fd, 2, SOCK_STREAM, 6, 0])
        curl.call(CONNECT, [fd, server], [-EINPROGRESS, link.tuple(), fd, server])
        curl.call(POLL, [[Polled(fd, POLLOUT)], 0], [1, [Polled(fd, POLLOUT)], 0])
        curl.call(GETSOCKOPT, [], [0, fd, 1, 4, Dynamic(1, bytes(8)), 4])
        worker = self.lamp.idle.pop(0)
        served = self.lamp.accepted(worker, link, curl.now)
        request, response = visit.requests[0], visit.responses[0]
        curl.enter_send(fd, request.message.wire, "sendto")
        if race == "send":
            worker.wait(curl.now + 2500)
            self.lamp.answer(worker, served, visit, curl.pid)
            curl.leave(worker.now + 700)
            self._receive(curl, fd, response.message.wire, size)
        elif race == "receive":
            curl.leave()
            worker.wait(curl.now)
            worker.receive(served, request.message.wire)
            begin = worker.end(served).sent
            self.lamp.truth.exchange(
                Exchange(link, request, 0, response, begin, worker.pid, curl.pid, list(visit.plants))
            )
            curl.enter_receive(fd, size, "recvfrom")
            worker.enter_send(served, response.message.wire, "writev")
            curl.leave_receive(response.message.wire[:size], worker.now + 900)
            worker.leave(curl.now + 1100)
            self._receive(curl, fd, response.message.wire[size:], size)
            self.lamp.log(worker, request, response)
        else:
            curl.leave()
            worker.wait(curl.now)
            self.lamp.answer(worker, served, visit, curl.pid)
            curl.wait(worker.now)
            self._receive(curl, fd, response.message.wire, size)
        worker.wait(curl.now)
        worker.enter_receive(served)
        self.lamp.close(curl, fd)
        self.exit(curl)
        worker.leave_receive(b"", curl.now)
        self.lamp.close(worker, served)
        self.lamp.rest(worker)

    @staticmethod
    def _receive(curl: Thread, fd: int, wire: bytes, size: int) -> None:
        for at in range(0, len(wire), size):
            curl.receive(fd, wire[at : at + size], size, "recvfrom")
