# Requests and responses of one HTTP/1 conversation, for compiled callers.

from libc.stdint cimport uint64_t

from syswire.convert.protocols.http1.finder cimport Finder
from syswire.convert.protocols.http1.messages cimport Half
from syswire.convert.protocols.http1.scan cimport Head
from syswire.convert.protocols.http1.slots cimport Slot

cdef enum:  # what an answer has decided of what the client sends behind its request
    NOTHING
    RESUME   # it is HTTP
    LEAVE    # it is another protocol
    GIVE_UP  # there is none

cdef class Pairing(Finder):
    cdef Half client
    cdef Half server
    cdef object slots
    cdef uint64_t ordinal
    cdef uint64_t given_up_at   # what the server had sent when earlier requests were last taken for answered
    cdef uint64_t owed       # responses to requests that were handed out without waiting longer
    cdef Slot asking        # whose request is passing
    cdef Slot bodiless      # the last one, where its request announced no body at all
    cdef Slot answering     # whose final response is passing
    cdef Slot lone           # a response that nobody had asked for, until it is known whether somebody will
    cdef bint whole          # the capture holds the conversation from its opening
    cdef bint lone_first     # nothing of the client had been seen before it
    # What the client sent behind a request whose answer decides: (data, offset, place, rest, what the server had sent).
    cdef list held
    cdef uint64_t held_bytes
    cdef bint replaying      # what was held is read, as it came when the server had sent so much:
    cdef uint64_t replayed_at
    cdef int patience
    cdef int turn            # what that answer has decided
    cdef object next_protocol

    cdef int _hold(self, Slot slot) except -1
    cdef int _leave(self, bint known, object name) except -1
    cdef int _bodiless(self, Head head) except -1
    cdef Slot _slot_to_answer(self)
    cdef int _release_lone(self) except -1
    cdef int _pair_lone(self, bint ended) except -1
    cdef int _give_up_waiting(self) except -1
    cdef int _evict(self) except -1
    cdef int _hand_out_all(self) except -1
    cdef int _hand_out(self) except -1
