# cython: language_level=3, boundscheck=True
"""Bodies of HTTP/1 messages: how long one is (RFC 9112, 6), its bytes as they pass, and their hash.

A body knows nothing of pairing. Its bytes are not held, but for those that may be a form (http1_kept.pyx).
"""

from hashlib import sha256 as _sha256

from cpython.buffer cimport PyBUF_READ
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.stdint cimport uint64_t

from syswire.convert.protocols.http1.chunks cimport Dechunker
from syswire.convert.protocols.http1.kept cimport Kept
from syswire.convert.protocols.http1.scan cimport Head
from syswire.convert.protocols.http.body_secrets import OTHER, kind_of
from syswire.convert.protocols.http.content import open_body

cdef enum:
    LONGEST_LENGTH = 18  # digits: more would not fit the signed 64 bits of any file size


cdef Body body_of(int kind, uint64_t length, Kept kept, object content):
    """A body of which nothing has passed; `length` is that of a LENGTH body; `kept`, `content`: where its bytes go."""
    cdef Body made = Body.__new__(Body)
    made.kind = kind
    made.remaining = length
    if kind == CHUNKED:
        made.dechunker = Dechunker()
    made.kept = kept
    made.content = content
    made.intact = True
    return made


cdef class Body:
    """One body while it passes. `length` counts its bytes, lost ones too; `intact` until one is lost.

    `lost`: where it ends can no longer be told.
    """

    cdef list oddities(self):
        """What was odd in the chunked framing, by the names of weirds."""
        cdef list found = []
        if self.dechunker is not None:
            if self.dechunker.bare_lf:
                found.append("bare-lf-in-chunks")
            if self.dechunker.blank:
                found.append("blank-before-chunk-size")
        return found

    cdef object sha256(self):
        """Over the bytes that are known; None where there are none."""
        return None if self.hash is None else self.hash.hexdigest()

    cdef int _take(self, object data, Py_ssize_t size) except -1:
        self.length += <uint64_t> size
        if self.hash is None:
            self.hash = _sha256(data)
        else:
            self.hash.update(data)
        if self.content is not None:
            self.content.feed(data)
        return 0

    cdef Py_ssize_t feed(self, bytes data, Py_ssize_t pos, uint64_t offset, object place) except -1:
        """Take from data[pos:], where data[0] stands at `offset` of the stream; returns where it stopped."""
        cdef Py_ssize_t end = PyBytes_GET_SIZE(data)
        cdef object part
        if self.dechunker is not None:
            self._feed_chunked(data, &pos, offset, place)
            return pos
        if self.kind == LENGTH:
            if <uint64_t> (end - pos) >= self.remaining:
                end = pos + <Py_ssize_t> self.remaining
                self.done = True
            self.remaining -= <uint64_t> (end - pos)
        if pos == 0 and end == PyBytes_GET_SIZE(data):
            part = data
        else:  # looked at only while `data` lives
            part = PyMemoryView_FromMemory(PyBytes_AS_STRING(data) + pos, end - pos, PyBUF_READ)
        self._take(part, end - pos)
        if self.kept is not None:
            self.kept.add(part, offset + <uint64_t> pos, place)
        return end

    cdef int _feed_chunked(self, bytes data, Py_ssize_t* pos, uint64_t offset, object place) except -1:
        cdef Dechunker dechunker = self.dechunker
        cdef Kept kept = self.kept
        cdef Py_ssize_t taken = 0, begin, length
        cdef object part = dechunker.take(data, pos, kept is not None)
        if len(part):
            self._take(part, len(part))
            if kept is not None:
                for begin, length in dechunker.ranges:
                    kept.add(part[taken : taken + length], offset + <uint64_t> begin, place)
                    taken += length
        if dechunker.is_done():
            self.done = True
        elif dechunker.is_bad():
            self._lose()
        return 0

    cdef uint64_t gap(self, uint64_t length) except? 0:
        """Lost bytes: how many of them lie in this body. With `lost` nothing is known of what follows."""
        self.intact = False
        if self.kept is not None:
            self.kept.cut()
        if self.content is not None:
            self.content.gap(length if self.kind != LENGTH or length < self.remaining else self.remaining)
        if self.dechunker is not None:
            if self.dechunker.skip(length):
                self.length += length
            else:
                self._lose()
            return length
        if self.kind == LENGTH:
            if length > self.remaining:
                length = self.remaining
            self.remaining -= length
            self.done = self.remaining == 0
        self.length += length
        return length

    cdef void _lose(self) noexcept:
        self.lost = True
        self.intact = False


cdef object content_length(Head head, list odd):
    """The value of Content-Length, None where there is none that can be read; the first counts where several differ."""
    found = None
    for header in head.content_lengths or ():
        for text in header.split(","):
            digits = text.strip(" \t")
            significant = digits.lstrip("0") or digits[-1:]
            if not (digits.isascii() and digits.isdigit() and len(significant) <= LONGEST_LENGTH):
                odd.append("bad-content-length")
            elif found is None:
                found = int(significant)
            elif found != int(significant):
                odd.append("conflicting-content-length")
            else:
                odd.append("repeated-content-length")
    return found


cdef int framing(Head head, bint request, uint64_t* length, list odd) except -1:
    """The kind of the body that a message's own headers announce, and its `length`; `odd` takes names of weirds."""
    cdef str first
    found = None
    length[0] = 0
    if head.content_lengths is not None:
        first = head.content_lengths[0]
        if len(head.content_lengths) == 1 and len(first) <= LONGEST_LENGTH and first.isascii() and first.isdigit():
            found = int(first)
        else:
            found = content_length(head, odd)
    if head.transfer_encodings:
        named = [coding.strip(" \t").lower() for coding in ",".join(head.transfer_encodings).split(",")]
        codings = [coding.strip("; \t").replace(";", " ").replace("\t", " ").partition(" ")[0] for coding in named
                   if coding.strip("; \t")]
        codings = [coding for coding in codings if coding != "identity"]
        if codings:
            if found is not None:
                odd.append("both-lengths")
            if codings[len(codings) - 1] == "chunked":
                if named[len(named) - 1] != "chunked":
                    odd.append("odd-transfer-encoding")
                return CHUNKED
            odd.append("unknown-transfer-encoding")
            if not request:
                return UNTIL_CLOSE
    if found is not None:
        length[0] = found
        return LENGTH if length[0] else NO_BODY
    return NO_BODY if request else UNTIL_CLOSE


cdef bint may_be_form(Head head) except -1:
    """Whether a request's body may hold fields, by its type (body_secrets.py), or of no type at all."""
    if head.content_type is None:
        return True
    return kind_of(head.content_type) != OTHER or "multipart/form-data" in head.content_type.lower()


cdef object content_of(object sink, bint to_server, Head head, bint objects, bint judged):
    """What looks into a body with this head, None for a plain one; `objects`: bodies are to be handed on.

    `judged`: the beginning of what is decoded will be looked at.
    """
    cdef list transfer = head.transfer_encodings
    if transfer is not None and len(transfer) == 1 and transfer[0] == "chunked":
        transfer = None
    if head.content_encodings is None and transfer is None and not objects and not (
        to_server and head.content_type is not None and "multipart" in head.content_type.lower()
    ):
        return None
    return open_body(sink, to_server, head.content_encodings, transfer, head.content_type, judged)


cdef int complete(object message, Body body, object span, bint known, Head trailers) except -1:
    """Say of a message what is known when it has passed."""
    message.span = span
    if known:
        message.body_length = body.length if body is not None else 0
        message.body_complete = body is None or body.intact
    if body is not None:
        message.body_sha256 = body.sha256()
        if body.content is not None:
            message.more = body.content.finish(message.body_complete, message.body_sha256) or None
    if trailers is not None:
        message.trailers = trailers.headers
        message.ascii &= trailers.ascii
    return 0
