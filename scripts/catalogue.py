#!/usr/bin/env python3
"""Keep the report's catalogue of translations: gather its texts, merge them into each language's .po, compile to .mo.

With --check nothing is written: it fails where a text has no translation, a translation no text, or the .mo is not
what the .po says. reports/language.py describes how texts are marked in the code.
"""

from __future__ import annotations

import argparse
import ast
import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

from syswire.convert.model.losses import CAUSES
from syswire.reports.findings.severity import LEVELS
from syswire.reports.findings.table import RULES
from syswire.reports.language import CATALOGUES, DOMAIN
from syswire.reports.languages import ENGLISH, LANGUAGES

ROOT = Path(__file__).resolve().parent.parent / "reports"
Message = str | tuple[str, str]
"""A text, or the texts of one and of many."""
WHOLE = ("later", "heads")
PLAIN = ("text", "phrase")


def messages() -> list[Message]:
    """Every text of the report, each once, in the order of the files."""
    found: dict[Message, None] = {}
    for path in sorted(ROOT.rglob("*.py")):
        found.update(dict.fromkeys(of_code(path.read_text("utf-8"))))
    templates = Environment(extensions=["jinja2.ext.i18n"])
    for path in sorted((ROOT / "templates").glob("*.j2")):
        for _, _, told in extract_from_ast(templates.parse(path.read_text("utf-8"))):
            words = (told,) if isinstance(told, str) else told or ()
            found.update(dict.fromkeys(word for word in words if isinstance(word, str)))
    found.update(dict.fromkeys(of_data()))
    found.pop("", None)
    return list(found)


def of_code(source: str) -> Iterator[Message]:
    """The texts of a module: what is handed to `text`, `phrase` and `plural`, and what `later` and `heads` hold."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id == "plural":
            words = [text for arg in node.args[1:] for text in _constants(arg)]
            if words:
                yield f"{{count}} {words[0]}", f"{{count}} {words[1] if len(words) > 1 else words[0] + 's'}"
        elif node.func.id in (*PLAIN, *WHOLE) and node.args:
            yield from _constants(node.args[0])


def _constants(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    elif isinstance(node, ast.Dict):
        for value in node.values:
            yield from _constants(value)
    elif isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _constants(value)
    elif isinstance(node, ast.Tuple | ast.List):
        for element in node.elts:
            yield from _constants(element)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id[:1].isupper():
        for element in node.args:  # a row of a table
            yield from _constants(element)


def of_data() -> Iterator[str]:
    """The texts of the rules, of severities and of causes of loss."""
    for rule in RULES:
        yield from (rule.title, rule.short[:1].upper() + rule.short[1:], rule.impact, rule.advice)
    yield from LEVELS
    for cause, words in CAUSES.items():
        yield from (cause.replace("_", " "), words, words.replace("in the pcapng, ", ""))


def merged(language: str) -> Catalog:
    """The catalogue of a language with just the texts that there are, translated as far as its .po does."""
    with path(language, "po").open("rb") if path(language, "po").is_file() else io.BytesIO() as file:
        before = read_po(file, language)
    now = Catalog(language, project="syswire", version="", charset="utf-8", fuzzy=False)
    now.header_comment = f"# syswire's reports in {language}."
    now.creation_date = now.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # no clock: the same texts, the same file
    for message in messages():
        known = before.get(message[0] if isinstance(message, tuple) else message)
        now.add(message, known.string if known is not None else ("" if isinstance(message, str) else ("",)))
    return now


def path(language: str, ending: str) -> Path:
    """Where a language's catalogue lies."""
    return CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.{ending}"


def spelled(catalogue: Catalog) -> tuple[bytes, bytes]:
    """The .po and the .mo."""
    text, compiled = io.BytesIO(), io.BytesIO()
    write_po(text, catalogue, width=110, omit_header=False)
    write_mo(compiled, catalogue)
    return text.getvalue(), compiled.getvalue()


def missing(catalogue: Catalog) -> list[str]:
    """The texts without a translation."""
    return [str(each.id) for each in catalogue if each.id and not _translated(each.string)]


def _translated(told: object) -> bool:
    return all(told) if isinstance(told, list | tuple) else bool(told)


def main() -> int:
    """Write, or with --check compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where something is missing or old")
    given = parser.parse_args()
    faults = 0
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        catalogue = merged(language)
        for text in missing(catalogue):
            sys.stdout.write(f"{language}: not translated: {text}\n")
            faults += 1
        for ending, data in zip(("po", "mo"), spelled(catalogue), strict=True):
            file = path(language, ending)
            if given.check:
                if not file.is_file() or file.read_bytes() != data:
                    sys.stdout.write(f"{file}: not what scripts/catalogue.py makes\n")
                    faults += 1
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
    return 1 if given.check and faults else 0


if __name__ == "__main__":
    sys.exit(main())
