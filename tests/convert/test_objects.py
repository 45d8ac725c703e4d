"""Objects and decoded contents through the whole of `convert`: files, names, limits, what masked output may tell."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zlib
from hashlib import sha256
from pathlib import Path
from typing import Any

import brotli
import pytest
from backports import zstd

from support.conversations import capture
from support.leaks import leaks, views
from support.packet_talk import Said, answer, connection, form, page
from syswire.convert.errors import UsageError
from syswire.convert.options import Options
from syswire.convert.pipeline import Case
from syswire.convert.workspace import verify

Record = dict[str, Any]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
PAGE = b"<!DOCTYPE html><html><head><title>t</title></head><body>" + b"<p>word</p>" * 500 + b"</body></html>"
SECRET = "tangerine-canal-77"
SHORT = "x9"
CHUNKED = f"one byte a chunk: {SECRET}".encode()


def multipart(*parts: bytes, boundary: bytes = b"XyZ") -> bytes:
    body = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"
    head = b"POST /up HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=" + boundary
    return head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def part(name: str, data: bytes, filename: str | None = None) -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
    return head.encode() + b"\r\n\r\n" + data


def compressed_form(body: bytes) -> bytes:
    coded = gzip.compress(body, mtime=0)
    return (
        b"POST /login HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(coded)
    ) + coded


def recording(path: Path, *talks: list[Said]) -> Path:
    frames = []
    for number, talk in enumerate(talks):
        frames += connection((f"10.0.0.{number + 1}", 40000 + number), ("10.0.1.1", 80), talk)
    return capture(path, frames)


def run(source: Path, out: Path, objects: Path | None = None, **options: Any) -> tuple[Record, list[Record]]:
    case = Case([str(source)], out, Options(objects=objects, **options))
    manifest = case.run()
    case.space.write_manifest(manifest)
    (annotations,) = out.glob("*.annotations.jsonl")
    return manifest, [json.loads(line) for line in annotations.read_text("utf-8").splitlines()]


def exchanges(records: list[Record]) -> list[Record]:
    return [record for record in records if record["type"] == "http"]


def listed(folder: Path) -> list[Record]:
    return [json.loads(line) for line in (folder / "objects.jsonl").read_text("ascii").splitlines()]


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    """Three conversations: pages in four codings, an upload in parts, a plain picture."""
    codings = {
        "gzip": gzip.compress(PAGE),
        "deflate": zlib.compress(PAGE),
        "br": brotli.compress(PAGE),
        "zstd": zstd.compress(PAGE),
    }
    pages: list[Said] = []
    for name, coded in codings.items():
        pages += [(True, page(f"/{name}")), (False, answer("200 OK", coded, f"Content-Encoding: {name}"))]
    upload = multipart(part("note", b"hello"), part("file", PNG, "../../etc/passwd"), part("empty", b"", "e.txt"))
    return recording(
        tmp_path / "down.pcap",
        pages,
        [(True, upload), (False, answer("201 Created"))],
        [(True, page("/a.png")), (False, answer("200 OK", PNG, "Content-Type: text/html"))],
    )


@pytest.mark.parametrize("jobs", [1, 2])
def test_bodies_parts_and_their_names(downloads: Path, tmp_path: Path, jobs: int) -> None:
    folder = tmp_path / "objects"
    manifest, records = run(downloads, tmp_path / "out", folder, jobs=jobs)
    said = exchanges(records)
    for number, coding in enumerate(("gzip", "deflate", "br", "zstd"), 1):
        told = said[number - 1]["response"]
        assert (told["content_encoding"], told["content_length"]) == ([coding], len(PAGE))
        assert (told["content_sha256"], told["content_complete"]) == (sha256(PAGE).hexdigest(), True)
        assert told["object"] == {
            "file": f"0-s1-x{number}-response.html",
            "sha256": sha256(PAGE).hexdigest(),
            "size": len(PAGE),
            "type": "html",
            "complete": True,
        }
        assert (folder / told["object"]["file"]).read_bytes() == PAGE
    upload = said[4]["request"]
    assert [(one["name"], one["filename"], one["length"]) for one in upload["parts"]] == [
        ("note", None, 5),
        ("file", "../../etc/passwd", len(PNG)),
        ("empty", "e.txt", 0),
    ]
    assert upload["parts"][0]["part_sha256"] == sha256(b"hello").hexdigest()
    assert upload["parts"][1]["object"]["file"] == "0-s2-x1-request-p1.png"
    assert upload["parts"][1]["object"]["sha256"] == sha256(PNG).hexdigest()
    assert "object" not in upload["parts"][2]
    assert said[5]["response"]["object"]["type"] == "png"
    names = {entry["file"] for entry in listed(folder)}
    assert names == {path.name for path in folder.iterdir()} - {"objects.jsonl"}
    assert len(names) == 7  # four pages, the upload and its part, the picture
    for entry in listed(folder):
        data = (folder / entry["file"]).read_bytes()
        assert (entry["size"], entry["sha256"]) == (len(data), sha256(data).hexdigest())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    told = manifest["objects"]
    assert (told["files"], told["left_out"], told["directory"]) == (7, 0, str(folder))
    size = (folder / "objects.jsonl").stat().st_size
    assert told["list"] == {"name": "objects.jsonl", "size": size, "sha256": None, "hash_withheld": True}


def test_without_objects_nothing_is_written_but_contents_are_told(downloads: Path, tmp_path: Path) -> None:
    manifest, records = run(downloads, tmp_path / "out")
    assert "objects" not in manifest
    assert [entry["response"].get("content_length") for entry in exchanges(records)[:4]] == [len(PAGE)] * 4
    assert all("object" not in (entry["response"] or {}) for entry in exchanges(records))


def secrets_talk() -> list[list[Said]]:
    """A secret in a gzip form; the same in a gzip page, in a plain page in chunks, and in a file of another client."""
    config = f"db_host=x\ndb_pass={SECRET}\n".encode()
    chunked = b"".join(b"1\r\n" + bytes([byte]) + b"\r\n" for byte in CHUNKED) + b"0\r\n\r\n"
    return [
        [
            (True, compressed_form(f"user=ann&password={SECRET}".encode())),
            (False, answer("302 Found", b"", "Location: /home")),
        ],
        [
            (True, page("/conf.gz")),
            (False, answer("200 OK", gzip.compress(config, mtime=0), "Content-Encoding: gzip")),
            (True, page("/chunks")),
            (False, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked),
            (True, multipart(part("f", config, "c.ini"))),
            (False, answer("200 OK", b"innocent")),
        ],
        [
            (True, multipart(part("user", b"bob"), part("pin", SHORT.encode()))),
            (False, answer("200 OK", PAGE)),
        ],
    ]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("wanted", [True, False], ids=["objects", "none"])
def test_no_secret_and_no_hash_of_one(tmp_path: Path, jobs: int, wanted: bool) -> None:
    source = recording(tmp_path / "s.pcap", *secrets_talk())
    folder = tmp_path / "objects"
    _, records = run(source, tmp_path / "out", folder if wanted else None, jobs=jobs)
    config = f"db_host=x\ndb_pass={SECRET}\n".encode()
    plain = f"user=ann&password={SECRET}".encode()
    whole_upload = multipart(part("f", config, "c.ini")).partition(b"\r\n\r\n")[2]
    pin_upload = multipart(part("user", b"bob"), part("pin", SHORT.encode())).partition(b"\r\n\r\n")[2]
    oracles = [config, plain, whole_upload, pin_upload, SHORT.encode()]
    oracles += [gzip.compress(config, mtime=0), gzip.compress(plain, mtime=0)]
    if wanted:  # else nobody looks at plain bodies without their framing
        oracles.append(CHUNKED)
    for name in ("s.annotations.jsonl", "manifest.json"):
        path = tmp_path / "out" / name
        text = path.read_text("utf-8")
        for bytes_of in oracles:
            assert sha256(bytes_of).hexdigest() not in text, bytes_of
        for view, data in views(path):
            assert not leaks(view, data, {("ann", SECRET)})
    by_target = {entry["request"]["target"]: entry for entry in exchanges(records)}
    assert by_target["/login"]["request"]["content_sha256"] is None
    assert by_target["/login"]["request"]["hash_withheld"] is True
    assert by_target["/conf.gz"]["response"]["hash_withheld"] is True
    assert by_target["/conf.gz"]["response"]["content_length"] == len(config)
    sightings = [record for record in records if record["type"] == "sighting"]
    assert [(s["location"], s["field"], s["username"], s["secret"], s["outcome"]) for s in sightings] == [
        ("form-body", "password", "ann", "********", "accepted"),
        ("form-body", "pin", "bob", "********", "unknown"),
    ]
    streams = [record for record in records if record["type"] == "stream"]
    assert [stream["sha256_to_server"] for stream in streams] == [None, None, None]
    assert streams[1]["sha256_to_client"] is None
    assert streams[0]["sha256_to_client"] is not None
    assert sha256(b"innocent").hexdigest() in (tmp_path / "out" / "s.annotations.jsonl").read_text()
    if wanted:
        assert by_target["/chunks"]["response"]["object"]["sha256"] is None
        assert by_target["/chunks"]["response"]["body_sha256"] is None
        evidence = (folder / by_target["/conf.gz"]["response"]["object"]["file"]).read_bytes()
        assert evidence == config


def test_revealed_hashes_are_those_of_the_contents(tmp_path: Path) -> None:
    source = recording(tmp_path / "s.pcap", *secrets_talk())
    _, records = run(source, tmp_path / "out", reveal=True)
    by_target = {entry["request"]["target"]: entry for entry in exchanges(records)}
    config = f"db_host=x\ndb_pass={SECRET}\n".encode()
    assert by_target["/conf.gz"]["response"]["content_sha256"] == sha256(config).hexdigest()
    manifest, _ = run(source, tmp_path / "out2", tmp_path / "o", reveal=True)
    listing = (tmp_path / "o" / "objects.jsonl").read_bytes()
    assert manifest["objects"]["list"]["sha256"] == sha256(listing).hexdigest()
    [login] = [r for r in records if r["type"] == "sighting" and r["field"] == "password"]
    assert login["secret"] == SECRET


def test_the_span_of_a_part_is_that_of_its_value(tmp_path: Path) -> None:
    request = multipart(part("user", b"bob"), part("password", b"in the clear"))
    source = recording(tmp_path / "s.pcap", [(True, request), (False, answer("200 OK"))])
    _, records = run(source, tmp_path / "out")
    [sighting] = [record for record in records if record["type"] == "sighting"]
    where = sighting["where"]
    assert (where["stream_offset"], where["length"]) == (request.index(b"in the clear"), 12)


def many(tmp_path: Path, count: int = 6, size: int = 1000) -> Path:
    talks: list[list[Said]] = []
    for number in range(count):
        body = bytes([65 + number]) * size
        talks.append([(True, page(f"/{number}")), (False, answer("200 OK", body))])
    return recording(tmp_path / "many.pcap", *talks)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("limits", "files", "left", "sizes"),
    [
        ((1 << 20, 4, 1 << 20), 4, 2, [1000] * 4),
        ((1 << 20, 100, 2500), 2, 4, [1000] * 2),
        ((300, 100, 1 << 20), 6, 0, [300] * 6),
    ],
)
def test_limits(
    tmp_path: Path, jobs: int, limits: tuple[int, int, int], files: int, left: int, sizes: list[int]
) -> None:
    notes: list[str] = []
    folder = tmp_path / "o"
    case = Case(
        [str(many(tmp_path))],
        tmp_path / "out",
        Options(objects=folder, object_limits=limits, jobs=jobs),
        note=notes.append,
    )
    manifest = case.run()
    assert (manifest["objects"]["files"], manifest["objects"]["left_out"]) == (files, left)
    assert bool(left) == any("left out" in note for note in notes)
    assert [entry["size"] for entry in listed(folder)] == sizes
    assert [entry.get("cut", False) for entry in listed(folder)] == [size == 300 for size in sizes]
    text = (tmp_path / "out" / "many.annotations.jsonl").read_text()
    told = [json.loads(line)["response"]["object"] for line in text.splitlines() if '"type":"http"' in line]
    assert [one["file"] is not None for one in told] == [True] * files + [False] * left
    assert told[files:] == [{"file": None, "size": 1000, "left_out": True}] * left


def test_parts_of_a_capture_share_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from syswire.convert import parts

    source = many(tmp_path)
    monkeypatch.setattr(parts, "PIECES", 1)  # each conversation a part of its own
    manifest, records = run(source, tmp_path / "out", tmp_path / "o", object_limits=(1 << 20, 100, 3500))
    assert (manifest["objects"]["files"], manifest["objects"]["left_out"]) == (3, 3)
    told = [entry["response"]["object"]["file"] for entry in exchanges(records)]
    assert told == ["0-s1-x1-response.txt", "0-s2-x1-response.txt", "0-s3-x1-response.txt", None, None, None]


def test_what_cannot_be_decoded_is_kept_as_it_was_sent(tmp_path: Path) -> None:
    wrong = b"this is not gzip at all"
    cut = gzip.compress(PNG * 50)
    source = recording(
        tmp_path / "w.pcap",
        [(True, page("/w")), (False, answer("200 OK", wrong, "Content-Encoding: gzip"))],
        [(True, page("/u")), (False, answer("200 OK", wrong, "Content-Encoding: sdch"))],
        [
            (True, page("/c")),
            (False, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99999\r\n\r\n" + cut[:-100]),
        ],
    )
    manifest, records = run(source, tmp_path / "out", tmp_path / "o")
    first, second, third = (entry["response"] for entry in exchanges(records))
    for told in (first, second):
        assert (tmp_path / "o" / told["object"]["file"]).read_bytes() == wrong
        assert (told["content_complete"], told["content_sha256"]) == (False, None)
    assert (first["content_length"], second["content_length"]) == (0, None)
    assert third["content_complete"] is False
    decoded = (tmp_path / "o" / third["object"]["file"]).read_bytes()
    assert decoded and (PNG * 50).startswith(decoded)
    assert (third["object"]["complete"], third["object"]["type"]) == (False, "png")
    assert manifest["inputs"][0]["weird"]["bad-content-coding"] == 1
    assert manifest["inputs"][0]["weird"]["unknown-content-coding"] == 1


def test_the_directory_is_ours_alone(tmp_path: Path) -> None:
    source, out, folder = many(tmp_path), tmp_path / "out", tmp_path / "o"
    run(source, out, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    run(source, out, folder)  # again: what is ours is replaced
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    (folder / "0-s1-x1-response.txt").write_bytes(b"noted by hand")
    with pytest.raises(UsageError, match="holds other files"):
        run(source, out, folder)
    assert (folder / "0-s1-x1-response.txt").read_bytes() == b"noted by hand"
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match=r"mine\.txt"):
        run(source, out, other)
    with pytest.raises(UsageError, match="directory of their own"):
        run(source, out, out)
    with pytest.raises(UsageError, match="holds the input"):
        run(source, out, tmp_path)


def test_as_a_user_runs_it(downloads: Path, tmp_path: Path) -> None:
    def syswire(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "syswire", "convert", str(downloads), "-o", str(tmp_path / "out"), *options]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = syswire(
        "--objects", str(tmp_path / "o"), "--object-files", "3", "--object-size", "1K", "--object-total", "1M"
    )
    assert done.returncode == 0, done.stderr
    assert "4 objects left out" in done.stderr
    assert [entry["size"] for entry in listed(tmp_path / "o")] == [1024] * 3
    assert syswire("--objects", str(tmp_path / "o"), "--object-size", "0").returncode == 2
    assert syswire("--objects", str(tmp_path / "out")).returncode == 2


def test_verify_tells_what_was_changed(tmp_path: Path) -> None:
    source, out, folder = many(tmp_path), tmp_path / "out", tmp_path / "o"
    run(source, out, folder)
    assert verify(out) == []
    (folder / "0-s2-x1-response.txt").write_bytes(b"x" * 1000)
    (folder / "0-s3-x1-response.txt").unlink()
    assert verify(out) == [
        f"{folder}/0-s2-x1-response.txt: differs from its entry in objects.jsonl",
        f"{folder}/0-s3-x1-response.txt: missing",
    ]
    (folder / "objects.jsonl").write_bytes(b"")
    assert verify(out) == [f"{folder}/objects.jsonl: differs from the manifest"]
    (folder / "objects.jsonl").unlink()
    assert verify(out) == [f"{folder}/objects.jsonl: missing"]


def test_a_plain_form_is_no_content(tmp_path: Path) -> None:
    source = recording(tmp_path / "f.pcap", [(True, form("/l", b"user=a&password=b")), (False, answer("200 OK", b"k"))])
    _, records = run(source, tmp_path / "out")
    assert not {"content_encoding", "parts", "object"} & {*exchanges(records)[0]["request"]}
