"""What the command line says of a report: its switches, and the files of rules and accepted risks that they name.

Nothing heavy is imported before it is needed: `--help` answers at once.
"""

from __future__ import annotations

from .languages import ENGLISH, LANGUAGES

TYPE_CHECKING = False  # as in cli.py
if TYPE_CHECKING:
    import argparse
    from pathlib import Path
    from typing import Any

    from .findings import Findings
    from .findings.accepted import Accepted
    from .findings.baseline import Baseline
    from .findings.rule import Rule

DEFAULTS = ("html", "pdf", "jsonl", "csv")
FORMATS = (*DEFAULTS, "schema", "sarif", "ocsf", "timeline", "wireshark")
OF_REPORT = ("rules", "ignore", "baseline", "language")
"""Of the manifest's options those that a report sets anew."""
VARIANTS = ("ua-1", "a-3a")
LEVELS = ("info", "low", "medium", "high", "critical")


def add_arguments(report: argparse.ArgumentParser) -> None:
    """The switches that only `report` has."""
    from pathlib import Path

    report.add_argument(
        "--format",
        metavar="LIST",
        default=",".join(DEFAULTS),
        help=f"comma-separated list of {', '.join(FORMATS)}, or all (default: {','.join(DEFAULTS)})",
    )
    report.add_argument(
        "--case",
        metavar="TEXT",
        nargs="+",
        default=[],
        help="what the cover says: a title, or NAME=VALUE such as client=..., examiner=..., tlp=...",
    )
    report.add_argument("--rules", metavar="FILE", type=Path, help="rules of your own beside the built-in ones (TOML)")
    report.add_argument("--ignore", metavar="FILE", type=Path, help="accepted risks, each with an expiry date (TOML)")
    report.add_argument(
        "--baseline", metavar="DIR", type=Path, help="compare with the report in DIR: new, gone, unchanged"
    )
    report.add_argument(
        "--pdf-variant",
        choices=VARIANTS,
        default="ua-1",
        help="a-3a: for archives, with findings.jsonl and manifest inside",
    )
    report.add_argument(
        "--language",
        choices=LANGUAGES,
        default=ENGLISH,
        help="language of report.html and report.pdf; files for programs stay English",
    )
    report.add_argument("--fail-on", metavar="LEVEL", choices=LEVELS, help="exit with 1 when a finding is this severe")


def formats(given: argparse.Namespace) -> tuple[str, ...]:
    """The documents that are asked for. Raises UsageError."""
    from ..convert.errors import UsageError

    wanted = tuple(name.strip() for name in given.format.split(",") if name.strip())
    if "all" in wanted:
        return FORMATS
    if unknown := [name for name in wanted if name not in FORMATS]:
        raise UsageError(f"--format: {unknown[0]} is not one of {', '.join(FORMATS)}")
    if not wanted:
        raise UsageError(f"--format: name at least one of {', '.join(FORMATS)}")
    return wanted


class Judging:
    """By what findings are judged. Made before anything is read, so that a file that is not right stops the run."""

    def __init__(self, given: argparse.Namespace) -> None:
        """Raises UsageError where a file cannot be read or says what is not valid."""
        from .findings import accepted, rule_files
        from .findings.table import RULES

        self.rules: tuple[Rule, ...] = ()
        self.accepted: Accepted | None = None
        self.files: dict[str, Any] = {}
        self.baseline: Baseline | None = None
        self._case_key: Path | None = given.case_key
        if given.rules is not None:
            self.rules = rule_files.users(given.rules, frozenset(rule.id for rule in RULES))
            self.files["rules"] = _described(given.rules)
        if given.ignore is not None:
            self.accepted = accepted.read(given.ignore, frozenset(rule.id for rule in (*RULES, *self.rules)))
            self.files["ignore"] = _described(given.ignore)
        if given.language != ENGLISH:
            self.files["language"] = given.language
        if given.baseline is not None:
            from .findings import baseline

            self.baseline = baseline.read(given.baseline)
            self.files["baseline"] = self.baseline.described()

    def judge(self, directory: Path, manifest: dict[str, Any]) -> Findings:
        """Findings of what lies in a directory; the manifest's options then name the files."""
        from .findings.judge import judge

        before = manifest.get("options") or {}
        manifest["options"] = {name: before[name] for name in before if name not in OF_REPORT} | self.files
        manifest.pop("compared", None)
        findings = judge(directory, manifest, rules=self.rules, accepted=self.accepted, case_key=self._case_key)
        if self.baseline is not None:
            findings.compare(self.baseline)
            manifest["compared"] = findings.compared()
        return findings

    def notes(self) -> list[str]:
        """What the user has to be told of the accepted risks: those that have expired."""
        return [] if self.accepted is None else list(self.accepted.told())


def _described(path: Path) -> dict[str, str]:
    import hashlib

    from ..convert.model.text import spelled

    return {"name": spelled(path.name), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
