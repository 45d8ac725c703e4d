"""The commands: parse, call, print, exit code. Nothing else.

Exit codes: 0 done; 1 done and --fail-on was met, or verify found a difference; 2 wrong usage; 3 no input could be read;
4 done, but some input was damaged or unreadable; 5 the machine lacks something; 70 our own fault; 130 interrupted.
"""

from __future__ import annotations

import sys

if not __package__:  # run as a file from a checkout: stand under the package's one name
    from importlib.util import module_from_spec, spec_from_file_location
    from pathlib import Path

    _root = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _root]
    _spec = spec_from_file_location("syswire", _root / "__init__.py", submodule_search_locations=[str(_root)])
    assert _spec is not None and _spec.loader is not None
    sys.modules["syswire"] = module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["syswire"])
    __package__ = "syswire"

import errno
import os

from . import __version__
from .convert.convert_options import add_arguments, chosen

TYPE_CHECKING = False  # typing's own costs an import; see "What read imports" in docs/architecture.md
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from .reports.findings import Findings
    from .reports.options import Judging

CRASH = "syswire-crash.txt"


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    import argparse
    from pathlib import Path

    from .reports.options import add_arguments as report_arguments

    top = argparse.ArgumentParser(
        prog="syswire",
        description="Offline forensic converter and reporter for Linux servers: system-call captures (.scap) to a "
        "pcapng for Wireshark with the process beside each packet, annotations, and audit reports.",
    )
    top.add_argument("--version", action="version", version=f"syswire {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    convert = commands.add_parser("convert", help="write pcapng and annotations", description=_CONVERT)
    _common(convert)
    add_arguments(convert)
    report = commands.add_parser("report", help="write those and an audit report", description=_REPORT)
    _common(report)
    report_arguments(report)

    commands.add_parser("capture", add_help=False, help="record what this machine's programs do (as root)")
    commands.add_parser("read", add_help=False, help="print events, run filters and chisels, as sysdig does")

    verify = commands.add_parser("verify", help="compare a directory with its manifest", description=_VERIFY)
    verify.add_argument("directory", metavar="DIR", type=Path)
    return top


_CONVERT = "Read captures and write DIR/STEM.pcapng, DIR/STEM.annotations.jsonl and DIR/manifest.json."
_REPORT = "Convert, then judge: plaintext credentials, 404s, server errors; as HTML, PDF, JSON Lines and CSV."
_VERIFY = "Check that every file in DIR, and every input that is still there, is what the manifest says."


def _common(command: argparse.ArgumentParser) -> None:
    from pathlib import Path

    command.add_argument(
        "inputs", metavar="INPUT", nargs="+", help=".scap, pcap, pcapng, plain, gzip or zstd; - is standard input"
    )
    command.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="made 0700, files in it 0600")
    command.add_argument("--no-pcapng", action="store_true", help="write no pcapng")
    command.add_argument("--pcap", action="store_true", help="write a classic pcap too, without comments")
    command.add_argument("--reveal", action="store_true", help="show secrets in the clear everywhere")
    command.add_argument("--radius-secrets", metavar="FILE", type=Path, help="shared secrets of RADIUS, one a line")
    command.add_argument("--case-key", metavar="FILE", type=Path, help="key of fingerprints (default: DIR/case.key)")
    command.add_argument(
        "--jobs", metavar="N", type=_positive, default=os.cpu_count() or 1, help="processes (default: one a core)"
    )
    command.add_argument("--force", action="store_true", help="write into a directory that holds another case")
    command.add_argument("-q", "--quiet", action="store_true", help="no progress, no notes; only damage and errors")
    command.add_argument("-v", "--verbose", action="store_true", help="say how much was read, found and lost")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        import argparse

        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code; nothing but argparse's own exits raises."""
    if sys.stdout is None or sys.stderr is None:  # closed by whoever started us: nobody wants to hear of it
        nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for as long as the process lives
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    words = list(sys.argv[1:] if arguments is None else arguments)
    # argparse cannot split sysdig's switches: a chisel knows how many arguments it takes.
    given = None if words[:1] in (["read"], ["capture"]) else parser().parse_args(words)
    from .convert.errors import EXIT_INTERRUPTED, EXIT_MACHINE, EXIT_OUR_FAULT, SyswireError

    os.umask(0o077)  # spool files hold payload and secrets: they are the user's alone, as the outputs are
    try:
        if words[:1] == ["capture"]:
            from .capture.command import capture

            return capture(words[1:])
        if given is None:
            import gc

            gc.set_threshold(10_000, 10, 10)  # reading makes many objects, few of them in circles
            from .reports.read import read

            return read(words[1:])
        return _run(given)
    except SyswireError as error:
        return _tell(str(error), error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing more is flushed into the closed pipe
        return 0
    except KeyboardInterrupt:
        return _tell("interrupted", EXIT_INTERRUPTED)
    except OSError as error:
        return _tell(_lack(error, getattr(given, "output", None)), EXIT_MACHINE)
    except MemoryError:
        return _tell("not enough memory: end other programs, or use fewer --jobs", EXIT_MACHINE)
    except Exception as error:
        place = _crash(error, getattr(given, "output", None))
        return _tell(f"internal error ({type(error).__name__}); please report it{place}", EXIT_OUR_FAULT)


_REMEDIES = {
    errno.ENOSPC: "free space there, or name a directory elsewhere with -o",
    errno.EDQUOT: "free space there, or name a directory elsewhere with -o",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f), or name a directory elsewhere with -o",
    errno.EROFS: "name a directory elsewhere with -o",
    errno.EACCES: "ask for permission, or name a directory elsewhere with -o",
    errno.EPERM: "ask for permission, or name a directory elsewhere with -o",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENOMEM: "end other programs, or use fewer --jobs",
}


def _lack(error: OSError, output: Path | None) -> str:
    """What the operating system refused, where, and what helps."""
    place = error.filename or output
    what = f"{place}: {error.strerror or error}" if place else str(error.strerror or error)
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{what}: {remedy}" if remedy else what


def _tell(message: str, code: int) -> int:
    from .reports.console import tell

    tell(message)
    return code


def _crash(error: BaseException, directory: Path | None) -> str:
    """Write where it happened, without values: messages and variables may hold payload."""
    import traceback

    lines = [f"syswire {__version__}, Python {sys.version.split()[0]}\n"]
    while True:
        lines += traceback.format_tb(error.__traceback__)
        lines.append(f"{type(error).__name__}\n")
        cause = error.__cause__ or error.__context__
        if cause is None:
            break
        lines.append("\ncaused by:\n")
        error = cause
    if directory is None:
        return ""
    path = directory / CRASH
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError:
        return ""
    return f", see {path}"


def _run(given: argparse.Namespace) -> int:
    from pathlib import Path

    from .convert.ending import exit_on_sigterm

    exit_on_sigterm()
    if given.command == "verify":
        return _verify(given.directory)
    if given.command == "report" and len(given.inputs) == 1 and Path(given.inputs[0]).is_dir():
        return _report_directory(given, Path(given.inputs[0]))
    return _convert(given)


def _verify(directory: Path) -> int:
    from .convert.errors import EXIT_DONE, EXIT_FOUND
    from .convert.model.text import printable, spelled
    from .convert.workspace import verify

    differences = verify(directory)
    for line in differences:
        sys.stdout.write(printable(line) + "\n")
    if not differences:
        sys.stdout.write(f"{printable(spelled(str(directory)))}: as the manifest says\n")
    sys.stdout.flush()
    return EXIT_FOUND if differences else EXIT_DONE


def _options(given: argparse.Namespace) -> Any:
    from .convert.options import Options, lines_of

    case: dict[str, str] = {}
    for text in getattr(given, "case", ()):
        name, equals, value = text.partition("=")
        if equals and name.isidentifier():
            case[name.lower()] = value
        else:
            case["title"] = f"{case['title']} {text}" if "title" in case else text
    return Options(
        reveal=given.reveal,
        pcapng=not given.no_pcapng,
        pcap=given.pcap,
        force=given.force,
        case_key=given.case_key,
        case=case,
        jobs=given.jobs,
        shared_secrets=lines_of(given.radius_secrets),
        **chosen(given),
    )


def _asked(given: argparse.Namespace) -> tuple[tuple[str, ...], Judging]:
    """The documents that are wanted, and by what is judged: looked at before anything is read."""
    from .reports.options import Judging, formats

    wanted, judging = formats(given), Judging(given)
    for note in () if given.quiet else judging.notes():
        _tell(note, 0)
    return wanted, judging


def _convert(given: argparse.Namespace) -> int:
    from .convert.pipeline import Case
    from .reports.console import Console

    reporting = given.command == "report"
    formats, judging = _asked(given) if reporting else ((), None)
    begun = _now()
    found: list[Findings] = []

    def judge(directory: Path, manifest: dict[str, Any]) -> Callable[[int], Mapping[int, list[str]]]:
        assert judging is not None
        found.append(judging.judge(directory, manifest))
        return found[0].frame_comments

    with Console(quiet=given.quiet, verbose=given.verbose) as progress:
        case = Case(
            given.inputs,
            given.output,
            _options(given),
            progress.say,
            progress.show,
            note=progress.note,
            detail=progress.detail,
        )
        manifest = case.run(judge if reporting else None)
        code, missing = case.exit_code, None
        if reporting:
            progress.show("report", 0, 0)
            missing = _write_reports(given, manifest, found[0], formats)
        manifest["run"] = _run_record(begun)
        case.space.write_manifest(manifest)
    _print_paths(given.output, manifest)
    return _judged(given, code, missing, found)


def _report_directory(given: argparse.Namespace, source: Path) -> int:
    """Report on what convert wrote, decoding nothing again."""
    from .convert.errors import EXIT_DAMAGED, EXIT_DONE, UsageError
    from .convert.workspace import Workspace, of_report

    begun = _now()
    formats, judging = _asked(given)
    manifest = Workspace(source).manifest()
    if manifest is None:
        raise UsageError(f"{source}: no readable manifest.json; give a directory that convert wrote")
    if given.reveal and manifest.get("masked", True):
        raise UsageError(f"{source}: was written with secrets masked; --reveal needs the captures")
    manifest["case"] = _options(given).case or manifest.get("case", {})
    space = Workspace(given.output)
    if given.output.resolve() != source.resolve():
        space.prepare([], (), force=given.force)
        manifest["outputs"] = []
    else:
        manifest["outputs"] = [entry for entry in manifest["outputs"] if not of_report(entry["name"])]
    findings = judging.judge(source, manifest)
    missing = _write_reports(given, manifest, findings, formats)
    manifest["run"] = _run_record(begun)
    space.write_manifest(manifest)
    _print_paths(given.output, manifest)
    damaged = any(entry.get("status") != "complete" for entry in manifest["inputs"])
    return _judged(given, EXIT_DAMAGED if damaged else EXIT_DONE, missing, [findings])


def _write_reports(
    given: argparse.Namespace, manifest: dict[str, Any], findings: Findings, formats: tuple[str, ...]
) -> str | None:
    """Write the reports and list them in the manifest. Returns what the machine lacked, None where nothing."""
    from .convert.workspace import Workspace
    from .reports.errors import DocumentNotMade
    from .reports.write import write_reports

    missing, directory = None, given.output
    try:
        written = write_reports(
            directory,
            manifest,
            findings,
            formats,
            reveal=given.reveal,
            pdf_variant=given.pdf_variant,
            language=given.language,
        )
    except DocumentNotMade as error:
        written, missing = list(error.written), str(error)
    space = Workspace(directory)
    names = [path.relative_to(directory).as_posix() for path in written]
    manifest["outputs"] = [*manifest["outputs"], *(space.entry(name, None) for name in names)]
    return missing


def _judged(given: argparse.Namespace, code: int, missing: str | None, found: list[Findings]) -> int:
    """The exit code: the machine's lack first, then damage, then --fail-on."""
    from .convert.errors import EXIT_DONE, EXIT_FOUND, EXIT_MACHINE

    if missing is not None:
        return _tell(missing, EXIT_MACHINE)
    from .reports.options import LEVELS

    wanted, worst = getattr(given, "fail_on", None), found[0].worst() if found else None
    if code == EXIT_DONE and wanted and worst and LEVELS.index(worst) >= LEVELS.index(wanted):
        return EXIT_FOUND
    return code


def _print_paths(directory: Path, manifest: dict[str, Any]) -> None:
    from .convert.model.text import spelled

    for name in (*(entry["name"] for entry in manifest["outputs"]), "manifest.json"):
        sys.stdout.write(f"{spelled(str(directory / name))}\n")
    sys.stdout.flush()


def _now() -> str:
    import time

    from .convert.model.text import timestamp

    return timestamp(time.time_ns())


def _run_record(begun: str) -> dict[str, Any]:
    import getpass
    import platform

    from .convert.model.text import spelled

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return {
        "started": begun,
        "finished": _now(),
        "host": platform.node(),
        "user": user,
        "command": [spelled(argument) for argument in sys.argv],
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
