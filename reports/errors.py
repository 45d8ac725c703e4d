"""What can go wrong between annotations and finished documents."""

from __future__ import annotations

from pathlib import Path

from ..convert.errors import InputError, MachineError, SyswireError


class AnnotationsDamaged(InputError):
    """A line of an annotations file is not the record that its place calls for."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path.name}, line {line}: {reason}" if line else f"{path.name}: {reason}")
        self.path = path
        self.line = line


class DocumentNotMade(SyswireError):
    """One document could not be made; `written` are the paths of those that were."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.written: list[Path] = []


class RendererMissing(DocumentNotMade, MachineError):
    """A library that a document needs is absent from this machine; the message says what to install."""

    exit_code = MachineError.exit_code


class RenderFailed(DocumentNotMade):
    """A document could not be laid out within its limits of time and memory."""
