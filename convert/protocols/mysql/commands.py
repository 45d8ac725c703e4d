"""What a MySQL client says: commands as they are read from its packets.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..sql import secrets as sql_secrets
from ..sql import sightings
from .answers import respond
from .command import LONG_DATA, Command
from .fields import (
    CONNECT_ATTRIBUTES,
    LONGEST,
    NATIVE,
    PLUGIN_AUTH,
    QUERY_ATTRIBUTES,
    SHORT,
    Login,
    Reader,
    Short,
    read_attributes,
)
from .values import query_attributes

if TYPE_CHECKING:
    from ..sql.packets import Packet

NAMES = {
    0x00: "sleep", 0x01: "quit", 0x02: "init-db", 0x03: "query", 0x04: "field-list", 0x05: "create-db",
    0x06: "drop-db", 0x07: "refresh", 0x08: "shutdown", 0x09: "statistics", 0x0A: "process-info", 0x0B: "connect",
    0x0C: "kill", 0x0D: "debug", 0x0E: "ping", 0x0F: "time", 0x10: "delayed-insert", 0x11: "change-user",
    0x12: "binlog-dump", 0x13: "table-dump", 0x14: "connect-out", 0x15: "register-replica", 0x16: "prepare",
    0x17: "execute", 0x18: "long-data", 0x19: "close", 0x1A: "reset", 0x1B: "set-option", 0x1C: "fetch",
    0x1D: "daemon", 0x1E: "binlog-dump-gtid", 0x1F: "reset-connection", 0x20: "clone",
    0x21: "subscribe-group-replication", 0xFA: "bulk-execute", 0xFE: "multi",
}  # fmt: skip


def read(packet: Packet, capabilities: int | None, user: str | None, challenge: bytes = b"") -> Command:
    """The command in a packet whose number is 0. `capabilities`: None where the login was not seen.

    `challenge`: the server's last one, which a login within the session answers.
    """
    body = packet.body
    number = body[0] if body else 0
    command = Command(NAMES.get(number, f"command {number}"), packet.span)
    command.fields["command"] = command.name
    try:
        _read(command, packet, capabilities, user, challenge)
    except Short:
        command.fields["request_complete"] = False
    return command


def _read(command: Command, packet: Packet, capabilities: int | None, user: str | None, challenge: bytes) -> None:
    body, name, fields = packet.body, command.name, command.fields
    reader = Reader(body, 1)
    if name == "query":
        _query(command, packet, capabilities, user)
    elif name == "prepare":
        _text(command, packet, 1, user)
    elif name in {"init-db", "create-db", "drop-db"}:
        fields["database"] = reader.rest()[:SHORT].decode("latin-1")
    elif name == "field-list":
        fields["table"] = reader.cstring()[:SHORT]
    elif name == "kill":
        fields["connection_id"] = reader.number(4)
    elif name == "set-option":
        fields["multi_statements"] = not reader.number(2)
    elif name in {"execute", "bulk-execute"}:
        command.statement = fields["statement"] = reader.number(4)
        command.execution = packet
    elif name in {"close", "reset", "fetch", LONG_DATA}:
        command.statement = fields["statement"] = reader.number(4)
        if name == "fetch":
            fields["most_rows"] = reader.number(4)
    elif name == "change-user":
        _change_user(command, packet, capabilities, challenge)
    elif name in {"register-replica", "binlog-dump", "binlog-dump-gtid"}:
        _replica(command, packet, reader)


def _replica(command: Command, packet: Packet, reader: Reader) -> None:
    """What one server asks of another; the password is one for logging in to the asking one."""
    fields = command.fields
    if command.name == "binlog-dump":
        fields["position"] = reader.number(4)
        reader.take(2)
        fields["server_id"] = reader.number(4)
        fields["log_file"] = reader.rest()[:SHORT].decode("latin-1")
        return
    if command.name == "binlog-dump-gtid":
        reader.take(2)
        fields["server_id"] = reader.number(4)
        fields["log_file"] = reader.take(reader.number(4))[:SHORT].decode("latin-1")
        fields["position"] = reader.number(8)
        return
    fields["server_id"] = reader.number(4)
    fields["host"], fields["user"] = reader.short(), reader.short()
    size = reader.number(1)
    secret = reader.take(size)
    if secret:
        span = packet.part(reader.at - size, reader.at)
        command.sight(secret, secret, span, True, as_name(str(fields["user"])))
        command.sightings[-1].location = "replica"
    fields["port"] = reader.number(2)


def _query(command: Command, packet: Packet, capabilities: int | None, user: str | None) -> None:
    body, begin = packet.body, 1
    attributed = capabilities & QUERY_ATTRIBUTES if capabilities is not None else body[1:3] == b"\0\1"
    if attributed:
        found = query_attributes(body)
        if found is not None:
            begin = found.begin
            if found.pairs:
                command.fields["attributes"] = found.pairs
    _text(command, packet, begin, user)


def _text(command: Command, packet: Packet, begin: int, user: str | None) -> None:
    """SQL up to the end of a packet; what passwords it holds is cut out and told apart."""
    text = packet.body[begin : begin + LONGEST].decode("latin-1")
    complete = packet.complete and begin + len(text) == packet.length
    command.sql = text
    command.secrets = sql_secrets.find(text, sql_secrets.MYSQL, complete)
    command.fields["sql"] = sql_secrets.mask(text, command.secrets)
    command.fields["sql_complete"] = complete
    command.sightings += sightings.told(command.secrets, text, packet, begin, user, "mysql")
    if command.secrets:
        command.fields["secret"] = True


def _change_user(command: Command, packet: Packet, capabilities: int | None, challenge: bytes) -> None:
    """COM_CHANGE_USER: a login within the session."""
    command.kind = "login"
    reader = Reader(packet.body, 1)
    fields = command.fields
    fields["user"] = reader.cstring()[:SHORT]
    command.user = as_name(str(fields["user"]))
    begin = reader.at + 1
    answer = reader.take(reader.number(1))
    fields["database"] = reader.cstring()[:SHORT] or None
    command.plugin = NATIVE
    if reader.left >= 2:
        fields["character_set"] = reader.number(2)
        if reader.left and (capabilities is None or capabilities & PLUGIN_AUTH):
            command.plugin = reader.cstring()[:SHORT]
        if reader.left and (capabilities is None or capabilities & CONNECT_ATTRIBUTES):
            fields["attributes"] = read_attributes(Reader(reader.take(reader.lenenc())))
    fields["authentication"] = command.plugin
    command.challenge = challenge
    respond(command, packet, answer, begin)


def describe_login(command: Command, told: Login) -> None:
    """What the first login says."""
    fields = command.fields
    fields["user"], fields["database"] = told.user[:SHORT], told.database and told.database[:SHORT]
    fields["authentication"] = told.plugin and told.plugin[:SHORT]
    fields["capabilities"], fields["character_set"] = told.capabilities, told.character_set
    if told.attributes:
        fields["attributes"] = told.attributes
    if not told.whole:
        fields["request_complete"] = False
    command.user = as_name(told.user)
    command.plugin = told.plugin or NATIVE


def as_name(text: str) -> str | None:
    """A user's name as UTF-8 where it is that."""
    try:
        return text.encode("latin-1").decode() or None
    except UnicodeError:
        return text
