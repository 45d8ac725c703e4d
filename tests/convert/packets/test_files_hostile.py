"""Every damaged pcap and pcapng of the shared captures: what must be read of each, and a copy that tshark reads."""

from __future__ import annotations

import gzip
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.copied import copied
from support.packet_files import PACKET, Feed, plain_blocks, plain_frames
from syswire.convert.packets.opening import open_frames
from syswire.convert.source import Source

# "Everything before record 4" and "before block 22" of hostile.json: both are counted from 0, and two blocks of the
# sound pcapng come before its packets.
PCAP, PCAPNG = "http-301-get", "small-http"
UNTIL = {f"{PCAP}.{kind}.pcap": 4 for kind in ("caplen-max", "caplen-neg", "caplen-plus1000")} | {
    f"{PCAPNG}.{kind}.pcapng": 20 for kind in ("len0", "len4", "len8", "len11", "len13", "lenbig", "lenmax")
}
WITHOUT = {f"{PCAPNG}.{kind}.pcapng": 21 for kind in ("body-ff", "epb-capbig", "epb-capmax", "epb-ifid")}
WITHOUT[f"{PCAPNG}.type-zero.pcapng"] = 20
ALL = [
    f"{PCAP}.{kind}" for kind in (
        "junk-after.pcap", "concat.pcap", "wire-less.pcap", "snaplen0.pcap", "snaplen60.pcap", "version9.pcap",
        "linktype-fcs.pcap", "pcap.crc.gz", "pcap.members.gz", "pcap.junk.gz", "pcap.twice.gz",
    )
] + [
    f"{PCAPNG}.{kind}" for kind in (
        "junk-after.pcapng", "tail.pcapng", "seclen.pcapng", "unknown-block.pcapng", "first-block-twice.pcapng",
        "epb-badopt.pcapng", "opt-zero-len.pcapng", "spb-max.pcapng", "pcapng.crc.gz", "pcapng.members.gz",
        "pcapng.junk.gz", "pcapng.twice.gz",
    )
]  # fmt: skip
LOOKED_AT = {"epb-badopt", "epb-cap0", "opt-zero-len", "tail", "flip1", "flip2", "twice", "tsresol-ff", "body-ff", "ts"}
WARNED = {"junk-after.pcap", "junk-after.pcapng", "concat.pcap"}


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "data" / "hostile"


@pytest.fixture(scope="module")
def bases(shared: Path) -> dict[str, bytes]:
    members = {PCAP: f"{PCAP}.pcap.members.gz", PCAPNG: f"{PCAPNG}.pcapng.members.gz"}
    return {base: gzip.decompress((shared / "data" / "hostile" / name).read_bytes()) for base, name in members.items()}


def frames(path: Path) -> tuple[list[tuple[int, bytes]], str]:
    source = Source(path)
    try:
        reader = open_frames(source)
        found = [(frame.time, frame.data) for frame in reader.frames()]
        return found, reader.damage[0] if reader.damage else ""
    finally:
        source.close()


def expected(bases: dict[str, bytes], name: str) -> list[tuple[int, bytes]]:
    return [(frame.time, frame.data) for frame in plain_frames(bases[name.split(".")[0]])]


@pytest.mark.parametrize("name", ALL)
def test_all_of_the_base_is_read(folder: Path, bases: dict[str, bytes], name: str) -> None:
    found, damage = frames(folder / name)
    assert found == expected(bases, name)
    assert bool(damage) == (name.split(".", 1)[1] in WARNED)


@pytest.mark.parametrize("name", UNTIL)
def test_everything_before_the_damage_is_read(folder: Path, bases: dict[str, bytes], name: str) -> None:
    found, damage = frames(folder / name)
    assert found == expected(bases, name)[: UNTIL[name]]
    assert damage


@pytest.mark.parametrize("name", WITHOUT)
def test_all_but_the_damaged_packet_is_read(folder: Path, bases: dict[str, bytes], name: str) -> None:
    whole = expected(bases, name)
    del whole[WITHOUT[name]]
    assert frames(folder / name) == (whole, "")


@pytest.mark.parametrize("name", [f"{PCAP}.trunc{part}pc.pcap" for part in (25, 50, 90)]
                         + [f"{PCAPNG}.trunc{part}pc.pcapng" for part in (25, 50, 90)]
                         + [f"{PCAP}.minus1.pcap", f"{PCAPNG}.minus1.pcapng", f"{PCAP}.pcap.trunc.gz",
                            f"{PCAPNG}.pcapng.trunc.gz"])  # fmt: skip
def test_everything_before_the_cut_is_read(folder: Path, bases: dict[str, bytes], name: str) -> None:
    source = Source(folder / name)
    data = b"".join(iter(lambda: bytes(_taken(source)), b""))
    whole = bases[name.split(".")[0]]
    assert whole.startswith(data)
    found, damage = frames(folder / name)
    if PCAP in name:
        ends, at = [], 24
        for frame in plain_frames(whole):
            at += 16 + len(frame.data)
            ends.append(at)
    else:
        ends = [one.offset + len(one.raw) for one in plain_blocks(whole) if one.kind == PACKET]
    count = sum(end <= len(data) for end in ends)
    assert 0 < count < len(ends)
    assert found == expected(bases, name)[:count]
    assert damage.startswith("cut: ")


def _taken(source: Source) -> bytes:
    buffer = bytearray(4096)
    return bytes(buffer[: source.readinto(memoryview(buffer))])


def test_what_else_is_expected(folder: Path, bases: dict[str, bytes]) -> None:
    assert frames(folder / f"{PCAPNG}.twice.pcapng") == (expected(bases, PCAPNG) * 2, "")
    found, damage = frames(folder / f"{PCAP}.empty-records.pcap")
    assert [one for one in found if one[1]] == expected(bases, PCAP)
    assert (len(found), damage) == (len(expected(bases, PCAP)) + 50, "")
    for kind in ("tsresol-ff", "tsresol-7f", "tsresol-0"):
        found, damage = frames(folder / f"{PCAPNG}.{kind}.pcapng")
        assert ([data for _, data in found], damage) == ([data for _, data in expected(bases, PCAPNG)], "")
    assert frames(folder / f"{PCAPNG}.no-first-interface.pcapng") == ([], "")
    assert frames(folder / f"{PCAPNG}.order.pcapng") == ([], "damaged: a section without a byte order")
    found, _ = frames(folder / f"{PCAP}.caplen-less.pcap")
    assert found[:4] == expected(bases, PCAP)[:4]


def test_a_huge_record_takes_bounded_memory(folder: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, damage = frames(folder / "syn.one-huge-record.pcap.gz")
    assert (found, damage) == ([], "damaged: a packet of 268435456 bytes cannot be")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 << 10


def test_copies_are_read_by_tshark(folder: Path, tool: Callable[[str], str], tmp_path: Path) -> None:
    tshark, capinfos = tool("tshark"), tool("capinfos")
    made = []
    for path in sorted([*folder.glob(f"{PCAP}.*.pcap"), *folder.glob(f"{PCAPNG}.*.pcapng"), *folder.glob("real.*")]):
        data = path.read_bytes()
        try:
            reader = open_frames(Feed(data))
        except ValueError:
            continue
        read = list(reader.frames())
        out, count = copied(data, {1: ["first"], len(read): ["last"]}, longest=reader.longest)
        assert count == len(read), path.name
        assert [frame.data for frame in plain_frames(out)] == [frame.data for frame in read], path.name
        target = tmp_path / path.name
        target.write_bytes(out)
        made.append((target, count))
        if path.name.split(".")[1] in LOOKED_AT and count:
            command = [tshark, "-r", str(target), "-T", "fields", "-e", "frame.number", "-e", "frame.comment"]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=True)
            rows = [line.split("\t") for line in done.stdout.splitlines()]
            assert len(rows) == count, path.name
            assert (rows[0][1].startswith("first"), rows[-1][1]) == (True, "last"), path.name
    assert len(made) > 90
    command = [capinfos, "-T", "-r", "-M", "-c", *(str(target) for target, _ in made)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [int(line.split("\t")[-1]) for line in done.stdout.splitlines()] == [count for _, count in made]
