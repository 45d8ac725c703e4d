"""Every byte of every call: what a client and a server wrote down of themselves against what was recorded of them.

scripts/e2e/talk.py makes a thousand requests with random bodies through all kinds of calls and sockets, and notes the
result of each call and a hash of its first bytes. The recording is read by the plain reader of tests/support.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support import live, plain_scap
from syswire.convert.scap import event_table

pytestmark = pytest.mark.e2e
CALLS = frozenset(
    ("read", "readv", "recvfrom", "recvmsg", "recvmmsg", "write", "writev", "sendto", "sendmsg", "sendmmsg", "sendfile")
)


class Moved(NamedTuple):
    """A call in the recording."""

    name: str
    result: int
    data: bytes | None


def parameter(event: plain_scap.Event, name: str) -> int | bytes | None:
    names = [one[0] for one in event_table.EVENTS[event.code][4]]
    return event.value(names.index(name)) if name in names else None


def moved(event: plain_scap.Event) -> Moved | None:
    """What a call moved, if it did (not, if it failed)."""
    if event.direction != "<" or event.name not in CALLS:
        return None
    result = parameter(event, "res")
    assert isinstance(result, int)
    if result < 0:
        return None
    if event.name == "sendfile":
        return Moved(event.name, result, None)
    data = parameter(event, "data") or b""
    assert isinstance(data, bytes)
    return Moved(event.name, result, data)


class Talk(NamedTuple):
    """A recorded talk: events by thread, and the logs."""

    snaplen: int
    events: list[plain_scap.Event]
    logs: dict[str, list[dict[str, Any]]]
    counts: dict[str, Any]


@pytest.fixture(scope="module", params=[("-z", "-s", "4096"), ("-s", "65000"), ("-s", "64", "-z")], ids=" ".join)
def talk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Talk:
    snaplen = int(request.param[request.param.index("-s") + 1])
    folder: Path = tmp_path_factory.mktemp("talk")
    command = [live.SYSTEM_PYTHON, str(live.E2E / "talk.py"), "--log", str(folder), "--keep", str(snaplen)]
    if snaplen > 4096:
        command += ["--requests", "200"]
    with live.recording(folder / "talk.scap", *request.param) as recorder:
        subprocess.run(command, check=True, timeout=live.PATIENCE)
    logs = {}
    for end in ("client", "server"):
        logs[end] = [json.loads(line) for line in (folder / f"{end}.jsonl").read_text("utf-8").splitlines()]
    return Talk(snaplen, plain_scap.events(plain_scap.load(recorder.file)), logs, recorder.counts())


@pytest.mark.parametrize("end", ["client", "server"])
def test_every_call_is_there_byte_by_byte(talk: Talk, end: str) -> None:
    head, *log = talk.logs[end]
    found = [one for event in talk.events if event.tid == head["tid"] and (one := moved(event))]
    assert [(one.name, one.result) for one in found] == [(line["call"], line["result"]) for line in log]
    assert max(line["vectors"] for line in log) > 50
    assert len({line["call"] for line in log}) == 9 and len({line["family"] for line in log}) == 3
    for one, line in zip(found, log, strict=True):
        if line["head"] is None:
            assert one.data is None
            continue
        assert one.data is not None
        assert len(one.data) == min(one.result, talk.snaplen), line
        assert hashlib.sha256(one.data).hexdigest() == line["head"], line


def test_what_was_cut_is_counted_to_the_byte(talk: Talk) -> None:
    cut = Counter[str]()
    for event in talk.events:
        if one := moved(event):
            missing = one.result - len(one.data or b"") if one.name != "sendfile" else 0
            if missing:
                cut["events"] += 1
                cut["bytes"] += missing
    assert cut == talk.counts["truncated"]


def test_enters_come_before_their_exits(talk: Talk) -> None:
    """Each I/O exit of the two has its enter right before it in its thread, not later than it."""
    tids = {log[0]["tid"] for log in talk.logs.values()}
    by_thread: dict[int, list[plain_scap.Event]] = defaultdict(list)
    for event in talk.events:
        if event.tid in tids and event.name in CALLS:
            by_thread[event.tid].append(event)
    for events in by_thread.values():
        assert [event.direction for event in events] == [">", "<"] * (len(events) // 2)
        for enter, exit in zip(events[::2], events[1::2], strict=True):
            assert enter.name == exit.name and enter.ts <= exit.ts


def test_the_times_do_not_run_back(talk: Talk) -> None:
    late = sum(one.ts > two.ts for one, two in zip(talk.events, talk.events[1:], strict=False))
    assert late <= talk.counts["late"]


def test_the_counts_add_up(talk: Talk) -> None:
    """Nothing is dropped at this rate; what was seen is what became of it; what is said to be written is there."""
    live.assert_balanced(talk.counts)
    assert talk.counts["calls"]["dropped"] == {} or set(talk.counts["calls"]["dropped"].values()) == {0}
    assert talk.counts["events"]["written"] == len(talk.events)
