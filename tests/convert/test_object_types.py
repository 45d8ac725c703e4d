"""Types by content, of files that other programs made or formats define."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import sqlite3
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from backports import zstd

from syswire.convert.object_types import HEAD, extension, type_of


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", "b")
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "jpeg"),
        (b"GIF89a\1\0", "gif"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "webp"),
        (b"%PDF-1.7\n%\xe2\xe3", "pdf"),
        (zipped(), "zip"),
        (gzip.compress(b"x", mtime=0), "gzip"),
        (bz2.compress(b"x"), "bzip2"),
        (lzma.compress(b"x"), "xz"),
        (zstd.compress(b"x"), "zstd"),
        (tarred(), "tar"),
        (b"MZ\x90\0\3\0\0\0", "pe"),
        (b"#!/bin/sh\nid\n", "script"),
        (b"<?php echo 1;", "php"),
        (b"\xef\xbb\xbf  <!DOCTYPE HTML>\n<html>", "html"),
        (b"<!-- x -->\n<html lang=en>", "html"),
        (b'<?xml version="1.0"?>\n<feed/>', "xml"),
        (b"<soap:Envelope xmlns:soap='x'>", "xml"),
        (b'<svg xmlns="x">', "svg"),
        (json.dumps({"a": [1, 2]}).encode(), "json"),
        (b"[]", "json"),
        (b"[1, 2]", "json"),
        (b"[section]\nkey=1\n", "text"),
        (b"{ not json", "text"),
        (b"user=ann&password=b%20c", "form"),
        (b"a = b\n", "text"),
        ("grüße".encode(), "text"),
        ("grüße".encode("latin-1"), "text"),
        (("x" * (HEAD - 1) + "ü").encode(), "text"),
        (b"\0\1\2\3", "data"),
        (b"", "data"),
        (b"  \n", "text"),
        (bytes(range(128, 256)), "data"),
    ],
)
def test_types(data: bytes, kind: str) -> None:
    assert type_of(data[:HEAD]) == kind


def test_files_of_this_machine(tmp_path: Path) -> None:
    with open(sys.executable, "rb") as file:
        assert type_of(file.read(HEAD)) == "elf"
    base = tmp_path / "x.db"
    with sqlite3.connect(base) as connection:
        connection.execute("create table t (a)")
    connection.close()
    assert type_of(base.read_bytes()[:HEAD]) == "sqlite"


def test_extensions_are_plain() -> None:
    assert [extension(kind) for kind in ("jpeg", "script", "php", "data", "png", "gzip")] == [
        "jpg",
        "txt",
        "txt",
        "bin",
        "png",
        "gz",
    ]
