# cython: language_level=3, boundscheck=True
"""An event as a line: the values of a format's fields, with the text between them. See the stub."""

from ...convert.filters.fields.table import MISSING, render
from ...convert.trace.arguments import form_of
from ...convert.trace.buffers import buffer_text


cpdef str value_text(field, value, event):
    if isinstance(value, bytes):
        if field.type == "bytebuf":
            return buffer_text(value, form_of(event))
        if field.type == "dyn":
            return value.partition(b"\0")[0].decode("utf-8", "surrogateescape")
    return render(field, value)


cpdef str fitted(str text, Py_ssize_t width):
    if text.isascii():
        return text[:width].ljust(width)
    return text.encode("utf-8", "surrogateescape")[:width].ljust(width).decode("utf-8", "surrogateescape")


cdef class Piece:
    """A field of the format with all that is asked of it for each line."""
    cdef str before
    cdef object extract, argument, field
    cdef Py_ssize_t width
    cdef bint decimal  # a whole number is written as it is

    def __init__(self, piece):
        self.before, self.field, self.argument, self.width = piece.text, piece.field, piece.argument, piece.width
        self.extract, self.decimal = piece.field.extract, piece.field.shown not in ("padded", "hex")


cdef class Composer:
    cdef list pieces
    cdef str tail
    cdef bint keep

    def __init__(self, format):
        self.pieces, self.tail, self.keep = [Piece(one) for one in format.pieces], format.tail, format.keep

    def __call__(self, event):
        cdef list out = []
        cdef Piece piece
        cdef str text
        for piece in self.pieces:
            value = piece.extract(event, piece.argument)
            if type(value) is str:
                text = <str>value
            elif type(value) is int and piece.decimal:
                text = str(value)
            elif value is None or isinstance(value, tuple):
                if not self.keep:
                    return None
                text = MISSING
            else:
                text = value_text(piece.field, value, event)
            out.append(piece.before)
            out.append(fitted(text, piece.width) if piece.width else text)
        out.append(self.tail)
        return "".join(out)
