"""The JSON of container events."""

from __future__ import annotations

import json

import pytest

from syswire.convert.trace.container_json import Container, described

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
