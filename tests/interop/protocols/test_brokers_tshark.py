"""Recordings of brokers, read by tshark and by our parsers: the same users, passwords and destinations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.parsing import Found, talk
from support.sql_talk import recorded
from support.tshark import Tshark
from syswire.convert.protocols.amqp.parser import Amqp
from syswire.convert.protocols.mqtt.parser import Mqtt


def values(found: list[Found], name: str) -> list[object]:
    """The values of a field of requests and answers, in their order."""
    sides = [(r.request, r.response) for one in found for r in one.records]
    return [m.fields[name] for pair in sides for m in pair if m is not None and name in m.fields]


def test_mqtt(data: Path, tool: Callable[[str], str]) -> None:
    path = data / "protocols/mqtt.pcap"
    found = [talk(Mqtt, calls) for calls in recorded(path, 11883)]
    rows = Tshark(tool("tshark"), path, "-d", "tcp.port==11883,mqtt").fields("mqtt", "mqtt.username", "mqtt.passwd")
    assert sorted(str(one) for one in values(found, "user")) == sorted(v for row in rows for v in row[0])
    secrets = [s.secret.decode() for one in found for s in one.sightings]
    assert sorted(secrets) == sorted(v for row in rows for v in row[1])


def test_amqp(data: Path, tool: Callable[[str], str]) -> None:
    path = data / "protocols/amqp.pcap"
    found = [talk(Amqp, calls) for calls in recorded(path, 15672)]
    shark = Tshark(tool("tshark"), path, "-d", "tcp.port==15672,amqp")
    rows = shark.fields("amqp", "amqp.method.arguments.mechanism", "amqp.method.arguments.routing_key")
    told = [one for one in values(found, "mechanism")]
    assert [str(one) for one in told[:2]] == [v for row in rows for v in row[0]]
    assert set(values(found, "routing_key")) <= {v for row in rows for v in row[1]}
