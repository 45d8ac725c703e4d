"""Laying a document out as HTML: one file for the screen, and the pages from which the PDF is made."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from .display import captured
from .language import spoken, text
from .model import SCREEN, Captured, Document, Phrase

TEMPLATES = Path(__file__).parent / "templates"
LIMIT = 240
FONTS = {"ja": '"DejaVu Sans", "Noto Sans CJK JP", IPAPGothic, IPAGothic, TakaoPGothic, VL-PGothic, sans-serif'}
"""For paper: a font of the distribution behind the usual one, for letters that it lacks."""
LETTERS = {"ja": "\u3042\u30a2\u6f22"}
"""Letters without which a language cannot be printed."""
INDEX = "report-findings-index.html"
"""Where the pages of `pages.overview_pages` are listed."""


def show(phrase: Phrase, limit: int = LIMIT) -> Markup:
    """A phrase as HTML: our text escaped, captured text by `display.captured` with its length capped."""
    parts = (phrase,) if isinstance(phrase, str) else phrase
    return Markup("").join(captured(part, limit) if isinstance(part, Captured) else escape(part) for part in parts)


def slug(text: str) -> str:
    """A heading as an anchor."""
    return "-".join("".join(letter if letter.isalnum() else " " for letter in text.lower()).split())


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["show"] = show
    environment.filters["slug"] = slug
    environment.globals["_"] = text
    return environment


@cache
def _style(*names: str) -> str:
    return "\n" + "".join((TEMPLATES / name).read_text("utf-8") for name in names)


def _screen() -> tuple[Markup, str]:
    """Style sheet of a page for browsers, and the policy that forbids everything but this sheet, by its digest."""
    style = _style("common.css", "screen.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return Markup(style), f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def render(document: Document) -> bytes:
    """The page for browsers. Where it holds as many findings as it may, it leads to the pages with the others."""
    style, policy = _screen()
    more = INDEX if document.overview_note and len(document.overview) == SCREEN.rows else ""
    return _render("screen.html.j2", document=document, style=style, policy=policy, more=more)


def _numbered() -> str:
    """The style of a page's number, and of letters that the usual fonts of this style sheet lack."""
    parts = []
    for literal, name, _, _ in Formatter().parse(text("Page {page} of {pages}", page="{page}", pages="{pages}")):
        parts += [f'"{literal}"'] if literal else []
        parts += [f"counter({name})"] if name else []
    style = f"@page {{ @bottom-center {{ content: {' '.join(parts)}; }} }}\n"
    if spoken() in FONTS:
        style += f"html {{ font-family: {FONTS[spoken()]}; }}\n"
    return style


def further(title: str, **values: Any) -> bytes:
    """A page that stands beside the report, of `pages.overview_pages`."""
    style, policy = _screen()
    return _render("findings.html.j2", title=title, style=style, policy=policy, **values)


def pages(document: Document) -> bytes:
    """The source of the PDF."""
    style = Markup(_style("common.css", "paged.css") + _numbered())
    return _render("paged.html.j2", document=document, style=style)


def _render(template: str, **values: Any) -> bytes:
    return _environment().get_template(template).render(language=spoken(), **values).encode("utf-8", "backslashreplace")
