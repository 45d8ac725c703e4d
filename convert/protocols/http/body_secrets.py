"""Secrets in the body of a request, by what kind of body it is: a form, JSON, GraphQL, XML, or lines of plain text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .form_fields import USER_FIELDS, own_name, secret_kind, text_of
from .json_fields import looks_like_json, read_graphql, read_json
from .xml_fields import looks_like_xml, read_xml

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model.span import Span
    from .form import Form

FORM, JSON, XML, GRAPHQL, PLAIN, UNSAID, OTHER = range(7)
_FORM_BEGINS = re.compile(rb"[A-Za-z0-9_.\-\[\]%+$~*:]{1,256}=")
_NOT_IN_FORMS = bytes(range(0x21)) + b'<>"{}\x7f'
_LINE = re.compile(rb"([A-Za-z0-9_.\-\[\]$:]{1,128})=([^\r\n]*)(?:\r?\n|\Z)")


def kind_of(content_type: str | None) -> int:
    """What a body of this type is; UNSAID where nothing is said, OTHER where it holds no fields."""
    if content_type is None:
        return UNSAID
    kind = content_type.lower()
    if "x-www-form-urlencoded" in kind:
        return FORM
    kind = kind.partition(";")[0].strip(" \t")
    if kind.endswith("/graphql"):
        return GRAPHQL
    if "json" in kind:
        return JSON
    if kind.endswith(("/xml", "+xml")):
        return XML
    if kind == "text/plain":
        return PLAIN
    return UNSAID if not kind else OTHER


def looks_like_form(runs: list[bytes], begins_cut: bool) -> bool:
    """Whether a body of no declared type is k=v(&k=v)* and nothing else."""
    if not begins_cut and not _FORM_BEGINS.match(runs[0]):
        return False
    return all(len(run.rstrip(b"\r\n").translate(None, _NOT_IN_FORMS)) == len(run.rstrip(b"\r\n")) for run in runs)


def read_body(
    form: Form,
    content_type: str | None,
    runs: list[bytes],
    begins_cut: bool,
    ends_cut: bool,
    locate: Callable[[int, int, int], Span],
) -> None:
    """Give the form what a body says; `runs`: stretches without a loss, `locate`: (run, begin, end) to a span."""
    kind = kind_of(content_type)
    if kind == OTHER or not runs:
        return
    if kind in {UNSAID, PLAIN}:
        said = kind
        if looks_like_form(runs, begins_cut):
            kind = FORM
        elif not begins_cut and looks_like_json(runs[0][:16]):
            kind = JSON
        elif not begins_cut and looks_like_xml(runs[0][:300]):
            kind = XML
        elif said == UNSAID or begins_cut or len(runs) > 1 or not _all_lines(runs[0]):
            return
    for index, run in enumerate(runs):
        last = index == len(runs) - 1

        def place(begin: int, end: int, index: int = index) -> Span:
            return locate(index, begin, end)

        cut = not last or ends_cut
        if kind == FORM:
            form.read(run, index > 0 or begins_cut, cut, place)
        elif kind == JSON:
            read_json(form, run, cut, place)
        elif kind == XML:
            read_xml(form, run, cut, place)
        elif kind == GRAPHQL:
            read_graphql(form, run, place)
        else:
            _read_lines(form, run, cut, place)


def _all_lines(data: bytes) -> bool:
    """Whether it is the text/plain of a form (HTML, 4.10.21.8): name=value on each line."""
    at = 0
    text = data.rstrip(b"\r\n")
    while at < len(text):
        line = _LINE.match(text, at)
        if line is None:
            return False
        at = line.end()
    return bool(text)


def _read_lines(form: Form, data: bytes, ends_cut: bool, locate: Callable[[int, int], Span]) -> None:
    for line in _LINE.finditer(data):
        field, value = own_name(line[1]), line[2]
        if field in USER_FIELDS:
            form.name(text_of(value))
        elif value and (kind := secret_kind(field)) is not None:
            complete = line.end() < len(data) or not ends_cut
            form.add(text_of(line[1]), value, value, complete, locate(*line.span(2)), kind)
