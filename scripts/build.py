#!/usr/bin/env python3
"""Build the compiled modules in place, those whose sources changed since they were built.

A built module is known by a hash over its source, every .pxd and C header of ours it reaches, the flags and the
versions of Python and Cython; the file in place is trusted only if its own hash is the one noted beside that. So
neither a stale module nor one of the build with checks (SYSWIRE_BOUNDS=1) can pass for the one that is wanted.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
STAMPS = ROOT / "build" / "stamps"
SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))
JOBS = 2
HEADER = re.compile(r'^\s*(?:cdef\s+extern\s+from|#\s*include)\s+"([^"\n]+\.h)"', re.MULTILINE)
CIMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+cimport\s+\(?([^#\n]*)|cimport\s+([\w., ]+))", re.MULTILINE)


def load_setup() -> ModuleType:
    """setup.py as a module: it holds the layout."""
    spec = importlib.util.spec_from_file_location("syswire_setup", ROOT / "setup.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def declarations(path: Path) -> set[Path]:
    """Every .pxd that `path` reaches: its own, and those of our modules that it cimports; and the C headers of ours
    that any of them includes, which stand beside it: a path in the name leads there from the translated file.
    """
    found: set[Path] = set()
    waiting = [path, path.with_suffix(".pxd")]
    while waiting:
        source = waiting.pop()
        if source in found or not source.is_file():
            continue
        found.add(source)
        text = source.read_text("utf-8")
        waiting += [source.with_name(Path(header).name) for header in HEADER.findall(text)]
        for origin, names, plain in CIMPORT.findall(text):
            if origin.startswith("."):
                raise SystemExit(f"{source.relative_to(ROOT)}: cimports are absolute, not {origin!r}")
            modules = [origin, *(f"{origin}.{name}" for name in re.findall(r"\w+", names))]
            for module in [*modules, *re.findall(r"[\w.]+", plain)]:
                ours, _, rest = module.partition(".")
                waiting += [ROOT.joinpath(*rest.split(".")).with_suffix(".pxd")] if ours == "syswire" and rest else []
    return found - {path}


def wanted_hash(path: Path, setup: ModuleType) -> str:
    """The hash that a module built now, from this source, would carry."""
    import Cython

    mode = setup.build_mode()
    settings = (setup.c_flags(mode), setup.directives(mode), sys.version, Cython.__version__)
    digest = hashlib.sha256(repr(settings).encode())
    for source in [path, *sorted(declarations(path))]:
        digest.update(f"\0{source.relative_to(ROOT)}\0".encode() + source.read_bytes())
    return digest.hexdigest()


def in_place(path: Path) -> Path:
    """Where Python looks for the compiled form of a .pyx."""
    return path.with_name(path.stem + SUFFIX)


def holds(stamp: Path, wanted: str, binary: Path) -> bool:
    """True if the stamp says that this binary was built from what is wanted."""
    try:
        return stamp.read_text() == f"{wanted} {file_hash(binary)}\n"
    except FileNotFoundError:
        return False


def file_hash(path: Path) -> str:
    """SHA-256 of a file, or "none" where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return "none"


def build(name: str, setup: ModuleType) -> Path:
    """Translate and compile one module below build/; the path of what came out."""
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    extensions = setup.extensions([name])
    command = build_ext(Distribution({"name": "syswire", "ext_modules": extensions}))
    command.build_lib = str(ROOT / "build" / "native" / setup.build_mode())
    command.build_temp = str(ROOT / "build" / "objects" / setup.build_mode() / name)
    command.force = True
    command.ensure_finalized()
    command.run()
    return Path(command.get_ext_fullpath(name))


def put_in_place(built: Path, target: Path) -> None:
    """Copy by rename: the old file may be mapped by a running process."""
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(built, fresh)
    fresh.replace(target)


def build_if_stale(name: str, force: bool) -> str:
    """Build one module if need be, and say what was done. One process at a time works on a module."""
    setup = load_setup()
    path = ROOT / setup.sources()[name]
    target = in_place(path)
    STAMPS.mkdir(parents=True, exist_ok=True)
    with (STAMPS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = wanted_hash(path, setup)
        placed, kept = STAMPS / name, STAMPS / f"{name}.{setup.build_mode()}"
        built = ROOT / "build" / "native" / setup.build_mode() / target.relative_to(ROOT)
        if not force and holds(placed, wanted, target):
            return "fresh"
        placed.unlink(missing_ok=True)
        done = "from an earlier build"
        try:
            if force or not holds(kept, wanted, built):
                kept.unlink(missing_ok=True)
                compiled = build(name, setup)
                built.parent.mkdir(parents=True, exist_ok=True)
                compiled.replace(built)
                kept.write_text(f"{wanted} {file_hash(built)}\n")
                done = "built"
            put_in_place(built, target)
        except BaseException:
            target.unlink(missing_ok=True)  # better no module than an old one
            raise
        placed.write_text(f"{wanted} {file_hash(target)}\n")
    return done


def build_one(name: str, force: bool) -> int:
    """The process that builds one module; what the compilers said is printed, without our own traceback."""
    from Cython.Compiler.Errors import CompileError as TranslationError
    from setuptools.errors import BaseError

    try:
        print(build_if_stale(name, force))
    except (TranslationError, BaseError) as error:
        print(error)
        return 1
    return 0


def stale(name: str, setup: ModuleType) -> bool:
    """A quick look, so that no process is started for what is fresh."""
    path = ROOT / setup.sources()[name]
    return not holds(STAMPS / name, wanted_hash(path, setup), in_place(path))


def remove_orphans(setup: ModuleType) -> None:
    """Built modules whose source is gone would still be imported."""
    kept = {in_place(ROOT / path) for path in setup.sources().values()}
    for top in setup.TOP:
        for built in (ROOT / top).rglob(f"*{SUFFIX}"):
            if built not in kept and not built.name.startswith("."):
                built.unlink(missing_ok=True)
                print(f"{built.relative_to(ROOT)}: removed, its source is gone")


def full_name(text: str, known: dict[str, Path]) -> str:
    """A module named as syswire.convert.x, convert.x, convert/x or convert/x.pyx."""
    name = text.removeprefix("./").removesuffix(".pyx").replace("/", ".")
    name = name if name.startswith("syswire.") else f"syswire.{name}"
    if name not in known:
        raise SystemExit(f"no compiled module {text!r}; there are: {', '.join(known) or 'none'}")
    return name


def run_one(name: str, force: bool) -> tuple[str, bool, str]:
    """Build one module in a process of its own: (name, success, what was printed)."""
    command = [sys.executable, __file__, "--one", name, *(["--force"] if force else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return name, done.returncode == 0, done.stdout


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Build the compiled modules in place, where their sources changed.")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="syswire.convert.x or convert/x.pyx; default: all")
    parser.add_argument("--force", action="store_true", help="build even what is fresh")
    parser.add_argument("--one", metavar="MODULE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        return build_one(arguments.one, arguments.force)
    setup = load_setup()
    setup.link_tree()
    known = setup.sources()
    names = [full_name(text, known) for text in arguments.modules] or list(known)
    if not arguments.modules:
        remove_orphans(setup)
    work = [name for name in names if arguments.force or stale(name, setup)]
    failed = False
    with ThreadPoolExecutor(JOBS) as pool:
        for name, good, output in pool.map(lambda name: run_one(name, arguments.force), work):
            print(f"{name}: {output.splitlines()[-1] if good else 'FAILED'}", flush=True)
            if not good:
                print(output, flush=True)
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
