"""The shared captures: frames in are frames out, byte for byte, by struct, dpkt, capinfos, editcap and tshark."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import dpkt
import pytest

from support.copied import copied
from support.packet_files import Feed, block, interface, packet, plain_blocks, plain_frames, section
from syswire.convert.packets.opening import open_frames

DAMAGED = {"suricata__bug-1450-04__tls_DER-incomplete-header.pcap": 6}
OTHER_BLOCKS = "derived__arkime__wireshark-retrans.other-blocks.pcapng"
JOURNAL = b"__REALTIME_TIMESTAMP=1700000000000000\nMESSAGE=" + b"m" * 60
COMMENTED = {1: ["the first, commented", "twice"], 4: ["the fourth"]}


@pytest.fixture(scope="module")
def captures(shared: Path) -> list[Path]:
    found = []
    for path in sorted((shared / "data" / "http").iterdir()):
        if path.suffix in (".pcap", ".pcapng", ".cap"):
            try:
                open_frames(Feed(path.read_bytes()[:64]))
            except ValueError:
                continue
            found.append(path)
    assert len(found) > 700
    return found


def numbers(tshark: str, path: Path) -> list[tuple[int, str]]:
    """Frame number and capture length of every record that tshark numbers."""
    command = [tshark, "-r", str(path), "-T", "fields", "-e", "frame.number", "-e", "frame.cap_len"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [(int(line.split("\t")[0]), line.split("\t")[1]) for line in done.stdout.splitlines()]


def test_frames_in_are_frames_out(captures: list[Path], tmp_path: Path, tool: Callable[[str], str]) -> None:
    counts = []
    for path in captures:
        data = path.read_bytes()
        before = plain_frames(data)[: DAMAGED.get(path.name)]
        reader = open_frames(Feed(data))
        read = [(frame.time, frame.data, frame.original, frame.linktype) for frame in reader.frames()]
        assert read == [frame.bare for frame in before], path.name
        assert (reader.damage is None) == (path.name not in DAMAGED), path.name
        out, count = copied(data, COMMENTED, longest=reader.longest)
        after = plain_frames(out)
        assert count == len(before), path.name
        assert [frame.bare for frame in after] == read, path.name
        for number, (old, new) in enumerate(zip(before, after, strict=True), 1):
            assert new.comments == old.comments + COMMENTED.get(number, []), path.name
            assert [one for one in new.options if one[0] != 1] == [one for one in old.options if one[0] != 1], path.name
        counts.append(count)
        (tmp_path / path.name).write_bytes(out)
    command = [tool("capinfos"), "-T", "-r", "-M", "-c", *(str(tmp_path / path.name) for path in captures)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [int(line.split("\t")[-1]) for line in done.stdout.splitlines()] == counts
    assert sum(counts) > 40_000


def test_dpkt_reads_the_same_of_source_and_copy(captures: list[Path]) -> None:
    compared = 0
    for path in captures:
        data = path.read_bytes()
        if data[:4] != b"\xd4\xc3\xb2\xa1" or path.name in DAMAGED:
            continue
        source = list(dpkt.pcap.Reader(io.BytesIO(data)))
        copy = list(dpkt.pcapng.Reader(io.BytesIO(copied(data)[0])))
        assert [frame for _, frame in copy] == [frame for _, frame in source], path.name
        # dpkt makes a float of the one and a decimal of the other.
        assert all(abs(float(old) - float(new)) < 1e-5 for (old, _), (new, _) in zip(source, copy, strict=True)), (
            path.name
        )
        compared += 1
    assert compared > 500


def test_what_pcapng_files_hold_beside_packets_stays(captures: list[Path]) -> None:
    checked = 0
    for path in captures:
        data = path.read_bytes()
        if not data.startswith(b"\x0a\x0d\x0d\x0a") or path.name == OTHER_BLOCKS:
            continue
        before, after = list(plain_blocks(data)), list(plain_blocks(copied(data)[0]))
        kept = [one for one in before if one.kind in (1, 2, 3, 4, 5, 6, 10, 0x0A0D0D0A)]
        assert [one.kind for one in after] == [one.kind for one in kept], path.name
        assert [one.raw for one in after[1:] if one.kind != 0x0A0D0D0A] == [
            one.raw for one in kept[1:] if one.kind != 0x0A0D0D0A
        ], path.name
        checked += 1
    assert checked > 20


def test_source_frames_are_those_of_tshark(captures: list[Path], tool: Callable[[str], str]) -> None:
    (path,) = (path for path in captures if path.name == OTHER_BLOCKS)
    reader = open_frames(Feed(path.read_bytes()))
    frames = list(reader.frames())
    records = numbers(tool("tshark"), path)
    assert len(records) == reader.source_frame == 216
    held = dict(records)
    assert [held[frame.source_frame] for frame in frames] == [str(len(frame.data)) for frame in frames]
    assert {frame.source_frame for frame in frames} == set(range(2, 217, 2))
    assert reader.losses()["unknown_block"][0] == 108


@pytest.mark.parametrize(
    "kind", [0xBAD, 0x40000BAD, 9, 0x204, 0x216, 0x221, 0x208, 0x217, 0x222, 0x201, 0x101, 0, 7, 0x80000077]
)
def test_tshark_numbers_the_same_blocks(kind: int, tool: Callable[[str], str], tmp_path: Path) -> None:
    data = section() + interface() + packet(b"one") + block(kind, JOURNAL) + packet(b"three")
    path = tmp_path / "made.pcapng"
    path.write_bytes(data)
    records = numbers(tool("tshark"), path)
    reader = open_frames(Feed(data))
    assert [frame.source_frame for frame in reader.frames()][-1] == records[-1][0]
    assert reader.source_frame == len(records)


def test_comments_survive_other_tools(shared: Path, tool: Callable[[str], str], tmp_path: Path) -> None:
    folder = shared / "data" / "http"
    names = ["arkime__http-301-get.pcap", "derived__bruteshark__Test_Files__HTTP_-_Small_File.simple-packets.pcapng"]
    for name in names:
        out, count = copied((folder / name).read_bytes(), COMMENTED, flows=[(1, 6)])
        path, target = tmp_path / "copy.pcapng", tmp_path / "again.pcapng"
        path.write_bytes(out)
        subprocess.run([tool("editcap"), str(path), str(target)], check=True, capture_output=True)
        assert [frame.comments for frame in plain_frames(target.read_bytes())][:5] == [
            ["syswire stream 1 (tcp)", "the first, commented", "twice"], [], [], ["the fourth"], [],
        ]  # fmt: skip
        subprocess.run([tool("tshark"), "-r", str(path), "-w", str(target)], check=True, capture_output=True)
        shown = subprocess.run(
            [tool("tshark"), "-r", str(target), "-Y", 'frame.comment contains "fourth"', "-T", "fields", "-e",
             "frame.number"], check=True, capture_output=True, text=True,
        )  # fmt: skip
        assert shown.stdout == "4\n"
        assert len(plain_frames(target.read_bytes())) == count
        comments = subprocess.run([tool("capinfos"), str(path)], check=True, capture_output=True, text=True).stdout
        assert "first of the file" in comments
        assert "second" in comments
