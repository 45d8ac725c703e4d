"""The table of fields against `sysdig -l` of 0.29.3, and how names with arguments are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from syswire.convert.filters.fields.table import FIELDS, FieldProblem, field, prefix_field, render


def test_every_field_of_sysdig_is_there(shared: Path) -> None:
    listing = (shared / "facts" / "tables" / "sysdig_fields_0_29_3.txt").read_text("utf-8")
    listed = set(re.findall(r"^([a-z0-9]+\.[a-z0-9_.]+)", listing, re.MULTILINE))
    assert len(listed) == 257
    assert listed <= FIELDS.keys()


def test_descriptions_are_our_own_sentences() -> None:
    for row in FIELDS.values():
        assert row.description
        assert "\n" not in row.description


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("proc.name", "proc.name", None),
        ("evt.arg.fd", "evt.arg", "fd"),
        ("evt.arg[0]", "evt.arg", "0"),
        ("evt.rawarg.res", "evt.rawarg", "res"),
        ("evt.type.is.open", "evt.type.is", "open"),
        ("proc.aname[2]", "proc.aname", "2"),
        ("proc.aname", "proc.aname", None),
        ("proc.env[HOME]", "proc.env", "HOME"),
        ("thread.cgroup.cpu", "thread.cgroup", "cpu"),
        ("container.mount.source[/a.b/*]", "container.mount.source", "/a.b/*"),
        ("k8s.pod.label.app", "k8s.pod.label", "app"),
        ("span.tag[-1]", "span.tag", "-1"),
        ("evt.around[1404996934793590564]", "evt.around", "1404996934793590564"),
    ],
)
def test_names_with_arguments(text: str, name: str, argument: str | None) -> None:
    found, given = field(text)
    assert (found.name, given) == (name, argument)
    shown = "0" if name in ("proc.apid", "proc.aname") and argument is None else argument
    assert prefix_field(f"{text}", 0)[1:] == (shown, len(text))
    assert prefix_field(f"*%{text} x", 2)[2] == 2 + len(text)


@pytest.mark.parametrize(
    "text", ["proc.namex", "proc", "", "evt.arg", "evt.arg.", "evt.arg[", "proc.apid[x]", "fd.name.x", "fd."]
)
def test_names_that_mean_no_field(text: str) -> None:
    with pytest.raises(FieldProblem):
        field(text)


def test_formats_take_the_longest_name() -> None:
    row, argument, end = prefix_field("proc.namex", 0)
    assert (row.name, argument, end) == ("proc.name", None, 9)
    row, argument, end = prefix_field("evt.arg.fdfoo", 0)
    assert (row.name, argument, end) == ("evt.arg", "fdfoo"[:2], 10)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("proc.name", None, "<NA>"),
        ("proc.name", "", ""),
        ("proc.pid", -1, "-1"),
        ("fd.is_server", True, "true"),
        ("fd.sip", bytes([10, 0, 0, 5]), "10.0.0.5"),
        ("fd.sip", bytes(15) + b"\1", "::1"),
        ("fd.dev", 0xFD00, "FD00"),
        ("proc.fdusage", 0.55, "0.6"),
        ("evt.rawtime.ns", 5, "000000005"),
    ],
)
def test_values_as_text(name: str, value: str | int | bytes | bool | float | None, wanted: str) -> None:
    assert render(FIELDS[name], value) == wanted
