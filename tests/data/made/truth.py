"""What is in the sample, written down by the generator while it makes it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from machine import Connection, Flow, Machine, Row
from web import Message, Request, Response


class Plant(NamedTuple):
    """A credential in a request: `raw` is how the secret stands in the request's bytes."""

    location: str
    field: str | None
    username: str
    secret: str
    raw: bytes
    outcome: str
    complete: bool = True


@dataclass(slots=True)
class Exchange:
    """A request and its response, and where they begin in the two directions of their connection."""

    connection: Connection
    request: Request | None
    request_at: int
    response: Response | None
    response_at: int
    server_pid: int
    client_pid: int | None
    plants: list[Plant] = field(default_factory=list)


def endpoint(connection: Connection, server: bool) -> dict[str, Any]:
    """An endpoint as the annotations write it."""
    address = connection.server if server else connection.client
    if address is None:
        return {"path": connection.path} if server else {"path": ""}
    return {"ip": address.ip, "port": address.port}


def ordinals(rows: list[Row]) -> list[int]:
    """Ordinals of events, in order."""
    return sorted(row.ordinal for row in rows)


def message(flow: Flow, at: int, one: Message) -> dict[str, Any]:
    """Body and place of a message."""
    length = sum(stop - start for start, stop in one.body)
    known = b"".join(flow.known(at + start, at + stop) for start, stop in one.body)
    return {
        "body_length": length,
        "body_complete": len(known) == length,
        "body_sha256": hashlib.sha256(known).hexdigest() if known else None,
        "events": ordinals(flow.rows_at(at)),
        "stream_offset": at,
    }


class Truth:
    """Collects exchanges and what else was planted, and gives it as one JSON object."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.exchanges: list[Exchange] = []
        self.also: list[dict[str, str]] = []
        self.refused: list[dict[str, Any]] = []

    def exchange(self, exchange: Exchange) -> None:
        """Count an exchange in."""
        self.exchanges.append(exchange)

    def forget(self) -> None:
        """Drop what was seen so far, for files in which only the size counts."""
        self.exchanges.clear()
        for connection in self.machine.connections:
            if connection.closed:
                connection.to_server = connection.to_client = Flow()

    def as_json(self, events: int) -> dict[str, Any]:
        """The whole truth; events is their number in the file."""
        machine = self.machine
        return {
            "events": events,
            "connections": [self._connection(one) for one in machine.connections],
            "exchanges": [self._exchange(one) for one in self.exchanges],
            "credentials": [row for one in self.exchanges for row in self._credentials(one)],
            "errors": [self._error(one) for one in self.exchanges if one.response and self._wrong(one.response.status)],
            "also_in": self.also,
            "refused": self.refused,
            "sysdig": {
                "topprocs_net": sorted([name, pid, count] for (name, pid), count in machine.by_process.items()),
                "topconns_httpd": sorted(
                    [protocol, name, count]
                    for (comm, protocol, name), count in machine.by_connection.items()
                    if comm == "httpd"
                ),
            },
        }

    @staticmethod
    def _wrong(status: int) -> bool:
        return status == 404 or status >= 500

    @staticmethod
    def _connection(one: Connection) -> dict[str, Any]:
        return {
            "number": one.number,
            "protocol": one.protocol,
            "client": endpoint(one, False),
            "server": endpoint(one, True),
            "preexisting": one.preexisting,
            "closed": one.closed,
            "bytes_to_server": one.bytes_to_server,
            "bytes_to_client": one.bytes_to_client,
            "client_pids": one.client_pids,
            "server_pids": one.server_pids,
        }

    def _exchange(self, one: Exchange) -> dict[str, Any]:
        flows = one.connection
        asked = answered = None
        if one.request is not None:
            asked = {"method": one.request.method, "target": one.request.target, "host": one.request.host}
            asked |= message(flows.to_server, one.request_at, one.request.message)
        if one.response is not None:
            answered = {"status": one.response.status}
            answered |= message(flows.to_client, one.response_at, one.response.message)
        return {
            "connection": flows.number,
            "client": endpoint(flows, False),
            "server": endpoint(flows, True),
            "client_pid": one.client_pid,
            "server_pid": one.server_pid,
            "request": asked,
            "response": answered,
        }

    def _error(self, one: Exchange) -> dict[str, Any]:
        assert one.response is not None
        rows = one.connection.to_client.rows_at(one.response_at)
        return {
            "connection": one.connection.number,
            "status": one.response.status,
            "method": one.request.method if one.request else None,
            "target": one.request.target if one.request else None,
            "client": endpoint(one.connection, False),
            "server": endpoint(one.connection, True),
            "client_pid": one.client_pid,
            "server_pid": one.server_pid,
            "events": ordinals(rows),
        }

    @staticmethod
    def _credentials(one: Exchange) -> list[dict[str, Any]]:
        found = []
        for plant in one.plants:
            assert one.request is not None
            at = one.request_at + one.request.message.wire.index(plant.raw)
            found.append(
                {
                    "location": plant.location,
                    "field": plant.field,
                    "username": plant.username,
                    "secret": plant.secret,
                    "secret_complete": plant.complete,
                    "outcome": plant.outcome,
                    "method": one.request.method,
                    "target": one.request.target,
                    "connection": one.connection.number,
                    "client": endpoint(one.connection, False),
                    "server": endpoint(one.connection, True),
                    "client_pid": one.client_pid,
                    "server_pid": one.server_pid,
                    "stream_offset": at,
                    "length": len(plant.raw),
                    "events": ordinals(one.connection.to_server.rows_at(at)),
                }
            )
        return found
