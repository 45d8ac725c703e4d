"""MySQL and MariaDB: logins and commands with their answers, on TCP and on unix sockets.

A client may send commands before the earlier ones are answered; answers come in their order. Where bytes are missing,
an answer is told with its command only where the turns of the two sides leave no doubt.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.span import Span
from .answers import goes_on, respond
from .command import AUTH, NOTHING, Command
from .commands import describe_login, read
from .fields import COMPRESS, SSL, ZSTD, Greeting, Login, error, greeting, login
from .packets import Inflater, MySqlFramer
from .replies import INFILE, Reply
from .statements import Statements

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Parser, Sink
    from ..sql.packets import Packet

_MOST_PENDING = 1024
_MOST_HELD = 4 << 20
_MOST_WEIRD = 100


class MySql:
    """One conversation's parser."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._ordinal = 0
        self._weird_count = 0
        self._framers = {True: MySqlFramer(self._said, True), False: MySqlFramer(self._answered, False)}
        for framer in self._framers.values():
            framer.lose()
            framer.anchor()
        self._inflaters: dict[bool, Inflater] | None = None
        self._inner: Parser | None = None
        self._quiet = False
        self._last: bool | None = None
        self._fresh = False
        """Nothing of the client's turn has been taken yet."""
        self._greeting: tuple[Greeting, Span] | None = None
        self._capabilities: int | None = None
        self._user: str | None = None
        self._challenge = b""
        self._queue: deque[Command] = deque()
        self._held = 0
        self._reply: Reply | None = None
        self._pairs: int | None = 0
        """So many commands of the queue are surely answered next, in their order; None: all of them."""
        self._statements = Statements()

    # What comes in.

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction."""
        if self._inner is not None:
            self._inner.data(to_server, data, offset, place, boundary)
            return
        if self._quiet or not data:
            return
        if to_server is not self._last:
            self._turn(to_server)
        framer = self._framers[to_server]
        taken = 0
        if self._inflaters is None:
            taken = framer.feed(data, offset, place)
            if taken == len(data) and not framer.stop:
                return
            framer.stop = False
        if taken == len(data) or self._quiet:
            return
        self._pass_on(to_server, data[taken:], offset + taken, place)

    def _pass_on(self, to_server: bool, data: bytes, offset: int, place: object) -> None:
        """Bytes that are no packets of their own."""
        if self._inner is not None:
            self._inner.data(to_server, data, offset, place, False)
        elif self._inflaters is not None:
            self._inflaters[to_server].feed(data, offset, place)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """Bytes that moved and are not known."""
        if self._inner is not None:
            self._inner.gap(to_server, length, offset, place)
            return
        if self._quiet or length <= 0:
            return
        if to_server is not self._last:
            self._turn(to_server)
        framer = self._framers[to_server]
        before = framer.synced
        if self._inflaters is not None:
            self._inflaters[to_server].gap(length, offset)
        else:
            framer.gap(length, offset)
        if to_server:
            self._fresh = False
        if framer.synced:
            return
        if before:
            self._sink.weird("mysql-gap", Span(place, offset, length))
        if to_server:
            self._pairs = len(self._queue) if self._pairs is None else min(self._pairs, len(self._queue))
        else:
            framer.rows = False
            self._hand_partial()
            self._pairs = 0

    def close(self, ended: bool = True) -> None:
        """Hand out everything begun."""
        if self._inner is not None:
            self._inner.close(ended)
            return
        self._flush_inflaters()
        rest = self._framers[True].rest()
        if rest is not None and not self._quiet and rest.body:
            self._said(rest)
        self._flush()
        if self._greeting is not None:
            told, span = self._greeting
            self._greeting = None
            self._hand("login", None, Message(span, told.fields()))
        self._quiet = True

    def _turn(self, to_server: bool) -> None:
        """The other side speaks now."""
        self._flush_inflaters()
        self._last = to_server
        self._fresh = to_server
        self._framers[to_server].anchor()
        if self._inflaters is not None:
            self._inflaters[to_server].turn()

    def _flush_inflaters(self) -> None:
        for inflater in (self._inflaters or {}).values():
            inflater.flush()

    # The client.

    def _said(self, packet: Packet) -> None:
        if self._quiet:
            return
        fresh, self._fresh = self._fresh, False
        if self._greeting is not None or (packet.tag in {1, 2} and self._user is None and not self._queue):
            self._log_in(packet)
            return
        if self._reply is not None and self._reply.state == INFILE:
            self._reply.infile_bytes += packet.length
            return
        head = self._queue[0] if self._queue else None
        if packet.tag and head is not None and head.reply == AUTH:
            self._authenticate(head, packet)
            return
        if packet.tag:
            if packet.length:  # what ends a file that the server refused is empty
                self._lose(True, packet)
            return
        if packet.body[:1] == b"\x18":
            self._statements.send(packet)
            return
        if fresh and (self._pairs is not None or not self._framers[False].synced):
            self._flush()
            self._pairs = None
        command = read(packet, self._capabilities, self._user, self._challenge)
        if command.execution is not None:
            command.sent = self._statements.sent(command.statement)
        elif command.name in {"reset", "close"}:
            self._statements.sent(command.statement)
        self._enqueue(command)

    def _enqueue(self, command: Command) -> None:
        self._queue.append(command)
        self._held += command.weight
        if self._reply is None:
            self._hand_unanswered()
        if len(self._queue) > _MOST_PENDING or self._held > _MOST_HELD:
            self._flush()
            self._pairs = 0

    def _log_in(self, packet: Packet) -> None:
        told = login(packet.body)
        greeted, self._greeting = self._greeting, None
        command = Command("login", packet.span, "login")
        command.reply = AUTH
        if told is None:
            self._lose(True, packet)
            if greeted is not None:
                self._hand("login", None, Message(greeted[1], greeted[0].fields()))
            return
        server = greeted[0].capabilities if greeted else None
        self._capabilities = told.capabilities if server is None else told.capabilities & server
        if greeted is not None or self._pairs is not None:
            self._pairs = None
        self._framers[False].begin_here()
        if told.capabilities & SSL and packet.length == 32:
            self._encrypt(command, told, greeted)
            return
        describe_login(command, told)
        self._user = command.user
        command.challenge = greeted[0].challenge if greeted else b""
        respond(command, packet, packet.body[told.begin : told.end], told.begin)
        self._enqueue(command)
        self._reply = Reply(command, self._capabilities, self._framers[False])
        self._greeting = greeted
        self._greet(self._reply)

    def _greet(self, reply: Reply) -> None:
        """The answer to a login begins with the greeting."""
        reply.kind = "login"
        if self._greeting is not None:
            told, span = self._greeting
            self._greeting = None
            reply.begun, reply.end, reply.greeting = span, span.offset + span.length, told.fields()

    def _encrypt(self, command: Command, told: Login, greeted: tuple[Greeting, Span] | None) -> None:
        """SSLRequest: what follows is TLS."""
        fields: dict[str, Value] = {"tls": True, "capabilities": told.capabilities}
        response = Message(greeted[1], greeted[0].fields()) if greeted else None
        self._hand("login", Message(command.span, fields), response)
        for framer in self._framers.values():
            framer.stop = True
        self._inner = self._sink.switch("tls")

    def _authenticate(self, command: Command, packet: Packet) -> None:
        """The client's next word in a login."""
        respond(command, packet, packet.body, 0)
        end = packet.span.offset + packet.span.length
        command.span = Span(command.span.place, command.span.offset, end - command.span.offset)

    # The server.

    def _answered(self, packet: Packet) -> None:
        if self._quiet:
            return
        if self._reply is None and not self._begin_reply(packet):
            return
        reply = self._reply
        assert reply is not None
        command = reply.command
        if reply.kind == "login" and goes_on(command, packet.body):
            self._challenge = command.challenge if command else b""
            reply.end = packet.end
            reply.begun = reply.begun or packet.span
            return
        if reply.packet(packet):
            self._finish()

    def _begin_reply(self, packet: Packet) -> bool:
        """Whose answer begins with this packet; returns whether it is one."""
        framer = self._framers[False]
        first = packet.body[:1]
        if not packet.tag and not self._queue and self._user is None:
            told = greeting(packet.body)
            if told is not None and self._greeting is None:
                self._greeting = told, packet.span
                self._challenge = told.challenge
                self._pairs = None
                self._framers[True].begin_here()
                return False
        refused = not packet.tag and first == b"\xff" and error(packet.body) is not None
        if refused and self._greeting is None and self._user is None and not self._queue:
            command = Command("login", packet.span, "login")
            reply = Reply(None, None, framer)
            reply.packet(packet)
            self._hand(command.kind, None, Message(packet.span, reply.told()))
            return False
        if self._greeting is not None and packet.tag > 1:  # what the client says is not seen
            self._reply = Reply(None, None, framer)
            self._greet(self._reply)
            return True
        if packet.tag != 1 and not refused:
            if first != b"\xfe" or packet.length != 5:  # the end of descriptions that were taken to have ended
                self._lose(False, packet)
            return False
        if self._queue and self._pairs != 0 and not refused:
            self._reply = Reply(self._queue[0], self._capabilities, framer)
        else:
            self._reply = Reply(None, self._capabilities, framer)
        return True

    def _finish(self) -> None:
        """The answer that was awaited is whole."""
        reply, self._reply = self._reply, None
        assert reply is not None
        command = reply.command
        if command is None:
            self._hand_pair(None, reply)
            return
        self._pop()
        logged_in = command.name == "login" and reply.result == "ok"
        self._hand_pair(command, reply)
        if command.kind == "login" and reply.result == "ok":
            self._user = command.user
        if logged_in and self._capabilities is not None and self._capabilities & (COMPRESS | ZSTD):
            self._compress()
        self._hand_unanswered()

    def _compress(self) -> None:
        """Everything that follows is compressed."""
        self._framers[False].stop = True
        if (self._capabilities or 0) & COMPRESS:
            self._inflaters = {to_server: Inflater(framer) for to_server, framer in self._framers.items()}
        else:
            framer = self._framers[False]
            self._sink.weird("mysql-zstd", Span(None, framer.position, 0))
            self._quiet = True

    def _lose(self, to_server: bool, packet: Packet) -> None:
        """Packets do not follow each other as they should."""
        self._weird_count += 1
        if self._weird_count <= _MOST_WEIRD:
            self._sink.weird("mysql-out-of-step", packet.span)
        self._framers[to_server].lose()
        if not to_server:
            self._hand_partial()
        self._pairs = 0

    # What goes out.

    def _pop(self) -> Command:
        command = self._queue.popleft()
        self._held -= command.weight
        if self._pairs:
            self._pairs -= 1
        return command

    def _hand_unanswered(self) -> None:
        """Commands at the head that get no answer."""
        while self._queue and self._queue[0].reply == NOTHING:
            command = self._pop()
            self._hand_pair(command, None)

    def _hand_partial(self) -> None:
        """The answer that has begun ends here, for us."""
        reply, self._reply = self._reply, None
        if reply is None:
            return
        if reply.command is not None:
            self._pop()
        self._hand_pair(reply.command, reply)
        self._hand_unanswered()

    def _flush(self) -> None:
        """No answer is awaited any more."""
        self._hand_partial()
        while self._queue:
            self._hand_pair(self._pop(), None)

    def _hand_pair(self, command: Command | None, reply: Reply | None) -> None:
        response = None
        if reply is not None:
            fields = reply.told()
            span = reply.span()
            if command is not None:
                self._use(command, reply)
            if command is not None and command.secrets:
                command.mask_all(fields)
            response = Message(span, reply.greeting | fields) if span is not None else None
        if command is None:
            if response is not None:
                self._hand(reply.kind if reply else "query", None, response)
            return
        if reply is None:
            self._use(command, None)
        command.judge(reply.result if reply else None, reply.code if reply else None)
        self._hand(command.kind, Message(command.span, command.fields), response)
        for sighting in command.sightings:
            sighting.exchange = self._ordinal
            self._sink.sighting(sighting)

    def _use(self, command: Command, reply: Reply | None) -> None:
        """What the command does to prepared statements."""
        if command.name == "prepare" and reply is not None and reply.result == "ok":
            self._statements.prepared(command, *reply.statement)
        elif command.name in {"close"}:
            self._statements.closed(command.statement)
        elif command.execution is not None:
            self._statements.resolve(command, self._capabilities)

    def _hand(self, kind: str, request: Message | None, response: Message | None) -> None:
        self._ordinal += 1
        self._sink.record(Record(kind, "mysql", self._ordinal, request, response))
