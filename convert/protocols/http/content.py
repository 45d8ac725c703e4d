"""What is in an HTTP body, while it passes: content codings undone, forms divided into parts, objects handed on.

Most bodies have nothing of this (open_body then gives None): theirs is the compiled way in http1_bodies.pyx alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .body_secrets import OTHER, kind_of
from .content_coding import named
from .form_fields import is_secret_field, is_user_field
from .multipart import MultipartSplitter, boundary_of
from .outcome import LOOKED_AT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...model.record import Value
    from ..api import ObjectWriter, Sink
    from .content_coding import ContentDecoder
    from .multipart import Part
    from .multipart import Value as PartValue

FORM_BYTES = 1 << 20
"""Of a decoded body that may be a form; what goes beyond counts as cut."""
_CODING = re.compile(r"[; \t]")
_NO_CODINGS = frozenset({"chunked", "identity"})


def open_body(
    sink: Sink,
    to_server: bool,
    content_encodings: Sequence[str] | None,
    transfer_encodings: Sequence[str] | None,
    content_type: str | None,
    judged: bool = False,
) -> BodyContent | None:
    """What takes a body with these header lines (None: there are none of the name); None where nothing need be done.

    `judged`: of a response whose beginning will be looked at (outcome.py).
    """
    codings = named(content_encodings) if content_encodings else []
    if transfer_encodings:
        words = [_CODING.split(name.strip("; \t"))[0] for name in named(transfer_encodings)]
        codings += [name for name in words if name and name not in _NO_CODINGS]
    kind = "" if content_type is None else content_type.lower()
    boundary = None
    if to_server and content_type is not None and "multipart/form-data" in kind:
        boundary = boundary_of(content_type)
    if not codings and boundary is None and not sink.wants_objects:
        return None
    form = bool(codings) and (judged or (to_server and boundary is None and kind_of(content_type) != OTHER))
    return BodyContent(sink, to_server, codings, boundary, form)


class BodyContent:
    """One body. `form` is what a decoded form says, or the beginning of a response's content; None where the body is no
    form, or needs no decoding.
    """

    def __init__(self, sink: Sink, to_server: bool, codings: list[str], boundary: bytes | None, form: bool) -> None:
        self.decoder: ContentDecoder | None = sink.open_content(to_server, codings) if codings else None
        self._encoded: ObjectWriter | None = sink.open_object() if codings else None
        self._object: ObjectWriter | None = sink.open_object()
        self._splitter: MultipartSplitter | None = None
        if boundary is not None:
            self._splitter = MultipartSplitter(boundary, _is_wanted, sink.open_object if sink.wants_objects else None)
        self.form: bytearray | None = bytearray() if form else None
        self._most = FORM_BYTES if to_server else LOOKED_AT
        self.form_cut = False
        self.problems: list[str] = []

    @property
    def divided(self) -> bool:
        """It is a form in parts."""
        return self._splitter is not None

    @property
    def values(self) -> list[PartValue]:
        """Values of parts by whose names they may be secrets, or their users."""
        return [] if self._splitter is None else self._splitter.values

    def feed(self, data: bytes | memoryview) -> None:
        """The body's next bytes, without chunked framing; they are looked at during the call only."""
        if self._encoded is not None:
            self._encoded.write(data)
        if self.decoder is None:
            self._take(data)
        else:
            for out in self.decoder.feed(data):
                self._take(out)

    def _take(self, data: bytes | memoryview) -> None:
        if self._object is not None:
            self._object.write(data)
        if self._splitter is not None:
            self._splitter.feed(data)
        if self.form is not None:
            room = self._most - len(self.form)
            self.form_cut = self.form_cut or len(data) > room
            self.form += data[:room]

    def gap(self, length: int) -> None:
        """Bytes of the body are lost."""
        self.form_cut = True
        if self._encoded is not None:
            self._encoded.gap(length)
        if self.decoder is not None:
            for out in self.decoder.gap():
                self._take(out)
            length = 0
        if self._object is not None:
            self._object.gap(length)
        if self._splitter is not None:
            self._splitter.gap(length)

    def finish(self, complete: bool, sha256: str | None) -> dict[str, Value]:
        """All has passed; `complete`: whole, `sha256`: of the body as it was sent. Returns the record's fields."""
        fields: dict[str, Value] = {}
        decoder = self.decoder
        if decoder is not None:
            for out in decoder.finish(complete):
                self._take(out)
            fields = decoder.fields()
            self.problems += decoder.problems
            self.form_cut = self.form_cut or not decoder.complete
        self._close_object(fields, complete)
        parts = self._parts(fields)
        if decoder is not None:
            decoder.close([sha256, decoder.sha256(), *(part.sha256 for part in parts)])
        return fields

    def _close_object(self, fields: dict[str, Value], complete: bool) -> None:
        """The decoded content is the object; the bytes as they were sent where that failed."""
        kept, other = self._object, self._encoded
        if self.decoder is not None and self.decoder.failed:
            kept, other = other, kept
        elif self.decoder is not None:
            complete = self.decoder.complete
        if other is not None:
            other.discard()
        if kept is not None and (told := kept.close(complete)):
            fields["object"] = told

    def _parts(self, fields: dict[str, Value]) -> list[Part]:
        splitter = self._splitter
        if splitter is None:
            return []
        splitter.finish()
        self.problems += splitter.problems
        fields["parts"] = [_part_fields(part) for part in splitter.parts]
        if splitter.total > len(splitter.parts):
            fields["parts_total"] = splitter.total
        return splitter.parts


def _is_wanted(name: str) -> bool:
    return is_secret_field(name) or is_user_field(name)


def _part_fields(part: Part) -> dict[str, Value]:
    """A part as the record has it; of one that holds a secret the hash is left out."""
    fields: dict[str, Value] = {
        "name": part.name,
        "filename": part.filename,
        "content_type": part.content_type,
        "length": part.length,
        "complete": part.complete,
        "part_sha256": part.sha256,
    }
    if part.name is not None and is_secret_field(part.name):
        fields["part_sha256"], fields["hash_withheld"] = None, True
    if part.writer is not None and (told := part.writer.close(part.complete)):
        fields["object"] = told
    return fields
