"""The JSON of container events."""

from __future__ import annotations

import json

import pytest

from syswire.convert.trace.container_json import Container, described
from syswire.convert.trace.containers import Descriptions

WHOLE = {
    "container": {
        "id": "59fd49aa4072",
        "name": "web",
        "image": "nginx:1.27",
        "imageid": "6f7e2741b66b",
        "imagerepo": "nginx",
        "imagetag": "1.27",
        "imagedigest": "sha256:00",
        "type": 11,
        "privileged": True,
        "Mounts": [{"Source": "/a", "Destination": "/b", "Mode": "ro", "RW": False, "Propagation": "rprivate"}],
        "Healthcheck": {"healthcheck_exe": "/bin/sh", "healthcheck_args": ["-c", "true"]},
        "labels": {"a": "b"},
    }
}


def test_all_of_it_is_read() -> None:
    assert described(json.dumps(WHOLE).encode() + b"\n\0") == Container(
        "59fd49aa4072", "web", "nginx:1.27", "6f7e2741b66b", "nginx", "1.27", "sha256:00", "podman", True,
        (("/a", "/b", "ro", "false", "rprivate"),), "/bin/sh -c true",
    )  # fmt: skip


def test_little_is_enough() -> None:
    assert described(b'{"container":{"id":"ab","type":0}}') == Container("ab", type="docker")
    assert described(b'{"container":{"id":"ab","type":99,"Mounts":null,"Healthcheck":5}}') == Container("ab")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'{"container":{}}',
        b'{"container":{"id":5}}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"container":[' * 9999,
    ],
)
def test_what_describes_no_container(data: bytes) -> None:
    assert described(data) is None


def test_descriptions_are_read_when_somebody_looks() -> None:
    found = Descriptions()
    for number in range(200):
        found.add(json.dumps({"container": {"id": str(number % 50), "name": f"n{number}"}}).encode())
    found.add(b"rubbish")
    assert len(found) == len(found.values()) == len(list(found)) == 50
    assert found.get("7") == found["7"] == dict(found.items())["7"] == Container("7", "n157", type="docker")
    assert "50" not in found
    found.add(b'{"container":{"id":"7"}}')
    assert found.get("7") == Container("7", type="docker")
    assert found.get("51") is None
