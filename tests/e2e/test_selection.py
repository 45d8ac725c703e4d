"""What a recording holds when it began late or was asked for a part only."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from pathlib import Path

import pytest

from support import live

pytestmark = pytest.mark.e2e
FORM = "%proc.name %fd.sport"


def records(capture: Path, folder: Path, kind: str) -> list[dict[str, object]]:
    done = subprocess.run([*live.SYSWIRE, "convert", str(capture), "-o", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = next(folder.glob("*.annotations.jsonl")).read_text("utf-8").splitlines()
    return [one for one in map(json.loads, lines) if one["type"] == kind]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_connection_older_than_the_recording_has_its_ends_and_owners(
    host: str, lamp: live.Lamp, tmp_path: Path
) -> None:
    """The client is this test itself, the server one of Apache's processes, by its own log."""
    connection = http.client.HTTPConnection(host, lamp.port)
    connection.request("GET", "/about.html")
    assert len(connection.getresponse().read()) == 129
    port = connection.sock.getsockname()[1]
    with live.recording(tmp_path / "late.scap") as recorder:
        connection.request("GET", "/hi")
        assert connection.getresponse().status == 404
        connection.close()
    served = lamp.requests()[-1]
    assert (served.client, served.client_port, served.status) == (host, port, 404)
    ends = f"{host}:{port}->{host}:{lamp.port}"
    kind = "ipv4"
    if host == "::1":  # sysdig tells of such a socket from its owner's side
        ends, kind = f"{host}:{lamp.port}->{host}:{port}", "ipv6"
    form = "%proc.pid %fd.type %fd.name %evt.is_io_read %evt.buffer"
    told = live.read(recorder.file, "-p", form, f"proc.pid={served.pid} and evt.is_io=true and evt.dir=<")
    assert f"{served.pid} {kind} {ends} true GET /hi HTTP/1.1" in told
    streams = records(recorder.file, tmp_path / "case", "stream")
    (stream,) = (one for one in streams if one["client"] == {"ip": host, "port": port})
    assert stream["server"] == {"ip": host, "port": lamp.port}
    assert stream["opened"] is None and stream["closed"] is not None
    assert (stream["bytes_to_server"], stream["bytes_to_client"]) == (served.received, served.sent)
    processes = {one["id"]: one for one in records(recorder.file, tmp_path / "again", "process")}
    assert processes[stream["server_process"]]["pid"] == served.pid
    assert processes[stream["client_process"]]["pid"] == os.getpid()


@pytest.mark.parametrize(
    ("words", "names", "ports"),
    [
        ("proc.name=curl", {"curl"}, {"web"}),
        ("fd.port={web}", {"curl", "apache2"}, {"web"}),
        ("fd.sport={database}", {"apache2", "mariadbd"}, {"database"}),
        ("proc.name=apache2 and evt.buffer contains POST", {"apache2"}, {"web"}),
    ],
)
def test_only_what_was_asked_for(words: str, names: set[str], ports: set[str], lamp: live.Lamp, tmp_path: Path) -> None:
    """Of what moved bytes over the network, and by the processes it concerns; whoever else was at work is not there."""
    numbers = {"web": lamp.port, "database": lamp.database_port}
    with live.recording(tmp_path / "part.scap", words.format(**numbers)) as recorder:
        live.browse(lamp.url)
    filtered = "evt.is_io=true and evt.dir=< and evt.rawres>0 and fd.l4proto=tcp"
    told = {tuple(line.split()) for line in live.read(recorder.file, "-p", FORM, filtered).splitlines()}
    assert {name for name, _ in told} == names
    assert {port for _, port in told} == {str(numbers[port]) for port in ports}
    live.assert_balanced(recorder.counts())
    counts = recorder.counts()
    assert sum(counts["calls"]["filtered"].values()) + counts["events"]["filtered"] > 0


def test_so_many_events_and_no_more(tmp_path: Path) -> None:
    recorder = live.Recording(tmp_path / "few.scap.gz", "-z", "-n", "100")
    try:
        subprocess.run(
            [live.SYSTEM_PYTHON, str(live.E2E / "talk.py"), "--log", str(tmp_path), "--requests", "40"], check=True
        )
        assert recorder.process.wait(live.PATIENCE) == 0
    finally:
        recorder.kill()
    assert len(live.read(recorder.file).splitlines()) == 100
