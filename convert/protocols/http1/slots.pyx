# cython: language_level=3, boundscheck=True
"""An exchange of HTTP/1 in the making, and what of it can be judged without its neighbours."""

from cpython.bytes cimport PyBytes_GET_SIZE

from syswire.convert.protocols.http1.bodies cimport Body, complete
from syswire.convert.protocols.http1.messages cimport Half
from syswire.convert.protocols.http1.probe cimport probe
from syswire.convert.protocols.http1.scan cimport Head
from syswire.convert.protocols.http.sightings import query_may_hold_secret

cdef enum:
    LOOKED_AT = 4096  # bytes of what may be a request line

_UPGRADES = {"websocket": "websocket", "h2c": "http2", "tls": "tls"}


cdef class Slot:
    """An exchange in the making; what its fields mean is in http1_slots.pxd."""

    def __cinit__(self):
        self.secrets = ()


cdef object completed(object message, Body body, object span, bint known, Head trailers, Half half):
    """Say of a message what is known when it has passed; what was found in its body's content, if anything."""
    cdef object content = None
    complete(message, body, span, known, trailers)
    if body is not None and body.content is not None:
        content = body.content
        for name in content.problems:
            half.owner.weird(name, span)
    if half.odd is not None:
        message.more = {**(message.more or {}), "oddities": half.odd}
    return content


cdef bint may_hold_secrets(Slot slot) except -1:
    """A cheap look before the request is searched."""
    cdef Head head = slot.head
    cdef str target = slot.request.target
    cdef Py_ssize_t query
    if slot.kept is not None or head.authorizations is not None or head.telling is not None or "@" in target:
        return True
    if slot.request.host is not None and "@" in slot.request.host:
        return True
    query = target.find("?")
    return query >= 0 and query_may_hold_secret(target, query) is not None


cdef bint accepted(Slot slot) noexcept:
    """Whether a tunnel was asked for and granted (RFC 9110, 9.3.6)."""
    return slot.method is not None and slot.method == "CONNECT" and 200 <= slot.status < 300


cdef bint ends_connection(object response) except -1:
    """Whether no other response can follow this one (RFC 9112, 9.3)."""
    cdef bint keeps = response.version == "HTTP/1.1", sized = False
    for name, value in response.headers:
        name, value = name.lower(), value.lower()
        if name == "connection":
            if "close" in value:
                return True
            keeps = keeps or "keep-alive" in value
        elif name == "content-length" or name == "transfer-encoding":
            sized = True
    return not (keeps and sized)


cdef tuple upgrade(Slot slot):
    """What an accepted upgrade leads to: (known, name of the protocol in table.py or None: by what follows)."""
    cdef list messages = [slot.response]
    if slot.request is not None:
        messages.append(slot.request)
    for message in messages:
        named = [value for name, value in message.headers if name.lower() == "upgrade"]
        for token in ",".join(named).split(","):
            found = _UPGRADES.get(token.partition("/")[0].strip(" \t").lower())
            if found is not None:
                return True, found
        if named:
            return False, None
    return True, None


cdef bint looks_like_request(list held) except -1:
    """Whether bytes that waited behind a request begin as another request does."""
    cdef bytes first = b""
    for data, _, _, _, _ in held:
        if data is None:
            break
        first += data
    return PyBytes_GET_SIZE(first) > 0 and probe(True, first[:LOOKED_AT])
