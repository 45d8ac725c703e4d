from syswire.convert.scap.arguments cimport Arguments
from syswire.convert.scap.event cimport Event, TypeInfo
from syswire.convert.scap.tables cimport Thread

cdef class Sockets(Arguments):
    cdef void io(self, Event *e, TypeInfo *info, Thread *t) noexcept nogil
    cdef void sendfile(self, Event *e, Thread *t) noexcept nogil
    cdef void make_socket(self, Event *e, Thread *t) noexcept nogil
    cdef void socketpair(self, Event *e, Thread *t) noexcept nogil
    cdef void bind(self, Event *e, Thread *t) noexcept nogil
    cdef void connect(self, Event *e, Thread *t) noexcept nogil
    cdef void accept(self, Event *e, Thread *t) noexcept nogil
