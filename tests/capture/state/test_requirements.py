"""What a machine lacks, of machines that are folders."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from syswire.capture.requirements import Surroundings, Verdict, capabilities, check, lacking, offers

RELEASE = "6.1.0-22-amd64"
ROOT = "000001ffffffffff"
PAIR = "000000c000000000"  # bits 38 and 39


def status(effective: str) -> str:
    return f"Name:\tpython\nCapPrm:\t0000000000000000\nCapEff:\t{effective}\nCapBnd:\t{ROOT}\n"


def write(path: Path, content: str | bytes = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def machine(tmp_path: Path) -> Surroundings:
    """A Debian 12 with all that is needed, looked at from a virtual environment."""
    write(tmp_path / "proc/self/status", status(ROOT))
    write(tmp_path / "sys/kernel/btf/vmlinux", b"\x9f\xeb\x01\0 types \0BPF_MAP_TYPE_RINGBUF\0")
    write(tmp_path / "sys/kernel/tracing/events/header_page")
    write(tmp_path / "sys/kernel/security/lockdown", "[none] integrity confidentiality\n")
    write(tmp_path / "usr/src/common/include/linux/kconfig.h")
    (tmp_path / "usr/src/arch").mkdir()
    modules = tmp_path / "lib/modules" / RELEASE
    modules.mkdir(parents=True)
    (modules / "build").symlink_to("../../../usr/src/arch")
    (modules / "source").symlink_to("../../../usr/src/common")
    for name in ("__init__.py", "libbcc.py"):
        write(tmp_path / "usr/lib/python3/dist-packages/bcc" / name)
    return Surroundings(tmp_path, RELEASE, "x86_64", {}, lambda name: None)


def only(machine: Surroundings) -> str:
    """The one line that is missing."""
    lines = lacking(machine)
    assert len(lines) == 1, lines
    assert "\n" not in lines[0]
    return lines[0]


def remedies(line: str) -> dict[str, str]:
    """By distribution."""
    found: dict[str, str] = {}
    for part in line[line.index(". Debian") + 2 :].split("; "):
        names, remedy = part.split(": ", 1)
        found |= dict.fromkeys(names.split(", "), remedy)
    return found


def test_nothing_lacks(machine: Surroundings) -> None:
    assert lacking(machine) == []
    assert {offer.verdict for offer in offers(machine)} == {Verdict.THERE}
    text, able = check(machine)
    assert able and text.endswith("this machine can record\n")
    assert all(line.startswith("yes  ") for line in text.splitlines()[:-1])


def test_the_pair_of_capabilities_is_enough(machine: Surroundings) -> None:
    write(machine.root / "proc/self/status", status(PAIR))
    assert lacking(machine) == []
    hints = [offer.line for offer in offers(machine) if offer.verdict is Verdict.HINT]
    assert len(hints) == 1 and "CAP_SYS_PTRACE" in hints[0]


@pytest.mark.parametrize(
    ("effective", "named"),
    [
        ("0000000000000000", "CAP_BPF and CAP_PERFMON"),
        ("0000008000000000", "CAP_PERFMON"),
        ("0000004000000000", "CAP_BPF"),
    ],
)
def test_no_rights(machine: Surroundings, effective: str, named: str) -> None:
    write(machine.root / "proc/self/status", status(effective))
    line = only(machine)
    assert line.startswith(f"not allowed to record: neither root's rights nor {named}.")
    assert "sudo" in remedies(line)["Debian"]


def test_no_headers(machine: Surroundings) -> None:
    (machine.root / "lib/modules" / RELEASE / "build").unlink()
    found = remedies(only(machine))
    assert "linux-headers-$(uname -r)" in found["Debian"] and "linux-headers-$(uname -r)" in found["Ubuntu"]
    assert found["RHEL"] == "dnf install kernel-devel-$(uname -r)"


def test_a_link_to_headers_that_are_gone(machine: Surroundings) -> None:
    (machine.root / "usr/src/common/include/linux/kconfig.h").unlink()
    assert "no kernel headers" in only(machine)


def test_the_kernels_own_headers(machine: Surroundings) -> None:
    (machine.root / "lib/modules" / RELEASE / "build").unlink()
    write(machine.root / "sys/kernel/kheaders.tar.xz")
    assert lacking(machine) == []


def test_chosen_headers(machine: Surroundings) -> None:
    chosen = replace(machine, environment={"BCC_KERNEL_SOURCE": "/usr/src/common"})
    assert lacking(chosen) == []
    wrong = replace(machine, environment={"BCC_KERNEL_SOURCE": "/nonexistent"})
    assert remedies(only(wrong))["Debian"] == "unset BCC_KERNEL_SOURCE"


def test_no_bcc(machine: Surroundings) -> None:
    (machine.root / "usr/lib/python3/dist-packages/bcc/libbcc.py").unlink()
    assert remedies(only(machine)) == {
        "Debian": "apt-get install python3-bpfcc",
        "Ubuntu": "apt-get install python3-bpfcc",
        "RHEL": "dnf install python3-bcc",
    }


def test_bcc_of_rhel(machine: Surroundings) -> None:
    (machine.root / "usr/lib/python3").rename(machine.root / "usr/lib/python3.9")
    (machine.root / "usr/lib/python3.9/dist-packages").rename(machine.root / "usr/lib/python3.9/site-packages")
    assert lacking(machine) == []


def test_another_package_of_the_name(machine: Surroundings) -> None:
    write(machine.root / "venv/bcc/__init__.py")
    other = replace(machine, module=lambda name: str(machine.root / "venv" / name / "__init__.py"))
    assert "pip uninstall bcc" in only(other)


@pytest.mark.parametrize(
    ("release", "able"), [("5.7.19", False), ("4.19.0-27-amd64", False), ("5.8.0", True), ("6.18.1", True)]
)
def test_kernels(machine: Surroundings, release: str, able: bool) -> None:
    write(machine.root / "sys/kernel/btf/vmlinux", b"types without rings")
    modules = machine.root / "lib/modules"
    (modules / RELEASE).rename(modules / release)
    lines = lacking(replace(machine, release=release))
    assert [line.split(":")[0] for line in lines] == ([] if able else [f"the kernel {release} is too old"])


def test_an_old_kernel_that_was_given_the_ring_buffer(machine: Surroundings) -> None:
    release = "4.18.0-553.el8_10.x86_64"
    (machine.root / "lib/modules" / RELEASE).rename(machine.root / "lib/modules" / release)
    assert lacking(replace(machine, release=release)) == []


def test_no_types(machine: Surroundings) -> None:
    (machine.root / "sys/kernel/btf/vmlinux").unlink()
    assert "CONFIG_DEBUG_INFO_BTF" in only(machine)


def test_tracefs(machine: Surroundings) -> None:
    (machine.root / "sys/kernel/tracing/events/header_page").unlink()
    (machine.root / "sys/kernel/tracing/events").rmdir()
    assert lacking(machine) == []
    assert "hint tracefs is not mounted" in check(machine)[0]
    assert "mount -t tracefs tracefs /sys/kernel/tracing" in check(machine)[0]
    write(machine.root / "proc/self/mounts", "tracefs /sys/kernel/tracing tracefs rw,nosuid 0 0\n")
    assert "hint" not in check(machine)[0]  # only root sees what is in it
    (machine.root / "proc/self/mounts").unlink()
    (machine.root / "sys/kernel/tracing").rmdir()
    assert "no tracefs" in only(machine)


def test_a_container(machine: Surroundings) -> None:
    link = machine.root / "proc/self/ns/pid"
    link.parent.mkdir()
    link.symlink_to("pid:[4026531836]")
    assert lacking(machine) == []
    link.unlink()
    link.symlink_to("pid:[4026532208]")
    assert "--pid=host" in only(machine)


def test_lockdown(machine: Surroundings) -> None:
    write(machine.root / "sys/kernel/security/lockdown", "none integrity [confidentiality]\n")
    assert "lockdown=integrity" in only(machine)


def test_other_processors(machine: Surroundings) -> None:
    assert "x86-64 only, not on aarch64" in only(replace(machine, architecture="aarch64"))


def test_an_empty_machine(tmp_path: Path) -> None:
    lines = lacking(Surroundings(tmp_path, "5.4.0-1-generic", "x86_64", {}, lambda name: None))
    assert len(lines) == 6  # kernel, rights, types, tracefs, headers, bcc
    assert all("\n" not in line and remedies(line).keys() == {"Debian", "Ubuntu", "RHEL"} for line in lines)
    assert check(Surroundings(tmp_path, "5.4.0", "x86_64", {}, lambda name: None))[1] is False


def test_capabilities_against_the_kernels_text() -> None:
    held = subprocess.run([sys.executable, "-c", "print(open('/proc/self/status').read())"], capture_output=True).stdout
    expected = int(next(line for line in held.decode().splitlines() if line.startswith("CapEff")).split()[1], 16)
    assert capabilities(held) == expected
    assert capabilities(None) == capabilities(b"CapEff:\tnonsense\n") == 0
