from ...convert.filters.fields.field import Field, Value
from ...convert.trace.model import Event
from .formats import Format

def value_text(field: Field, value: Value, event: Event) -> str:
    """A value as text; buffers in the form that was chosen."""

def fitted(text: str, width: int) -> str:
    """The text cut or padded to a number of bytes."""

class Composer:
    """Makes lines of a format; calling it gives an event's, or None where a value is missing that the format wants."""

    def __init__(self, format: Format) -> None: ...
    def __call__(self, event: Event) -> str | None: ...
