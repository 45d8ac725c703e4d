# cython: language_level=3, auto_pickle=False, boundscheck=True
"""HTTP/1.0 and 1.1: one conversation as a Parser, and what follows in it that is no longer HTTP.

What a client sends behind a CONNECT or an Upgrade waits, within bounds, until the answer tells what it is: more of
HTTP, or another protocol, which is then handed to a parser of its own (`inner`).
"""

from cpython.bytes cimport PyBytes_GET_SIZE
from libc.stdint cimport uint64_t

from syswire.convert.protocols.http1.messages cimport Half
from syswire.convert.protocols.http1.pairing cimport GIVE_UP, LEAVE, NOTHING, Pairing
from syswire.convert.protocols.http1.slots cimport looks_like_request

cdef enum:
    HELD_ROOM = 1 << 16   # bytes of the client that wait for the answer to a CONNECT or Upgrade
    HELD_CALLS = 1 << 10


cdef class Http1(Pairing):
    """The parser of one conversation; what it promises is in api.py."""

    cdef object inner        # the parser of what follows
    cdef bint[2] inner_begun
    cdef bint astray         # the server's bytes were not understood when it was opened

    # As a Parser

    def data(self, bint to_server, bytes data not None, uint64_t offset, object place, bint boundary):
        """Bytes of one direction; `boundary`: a system call's bytes begin with them."""
        cdef Half half = self.client if to_server else self.server
        cdef Py_ssize_t taken
        if not to_server and self.client.simple:
            self.client.answered()
        while not self._elsewhere(to_server, data, offset, place, boundary):
            taken = half.data(data, offset, place, boundary)
            if self.turn != NOTHING:
                self._turn()
            elif not half.pause:
                break
            if taken == PyBytes_GET_SIZE(data):
                break
            data, offset, boundary = data[taken:], offset + <uint64_t> taken, False

    def gap(self, bint to_server, uint64_t length, uint64_t offset, object place):
        """`length` bytes that moved and are not known."""
        if length == 0 or self._elsewhere(to_server, None, offset, place, length):
            return
        (self.client if to_server else self.server).gap(length, offset, place)
        if self.turn != NOTHING:
            self._turn()
            if self.inner is not None:
                self._elsewhere(to_server, None, offset, place, length)

    def close(self, bint ended=True):
        """Hand out everything begun. `ended`: the connection was seen to end, not merely the capture."""
        if self.held is not None:
            self.server.close(ended)
            self._turn()
            if self.held is not None:
                self.turn, self.patience = GIVE_UP, 0
                self._turn()
        self.client.close(ended)
        self.server.close(ended)
        self._turn()
        if self.lone is not None:
            self._pair_lone(ended)
        self._hand_out_all()
        if self.inner is not None:
            self.inner.close(ended)

    # Other protocols

    cdef bint _elsewhere(self, bint to_server, bytes data, uint64_t offset, object place, uint64_t rest) except -1:
        """Hand bytes (boundary: `rest`), or a loss of `rest` bytes, to another parser or hold them; False: neither."""
        if self.inner is not None:
            if self.astray and not to_server:
                if data is not None and not rest:
                    return True  # it begins anew at a boundary
                self.astray = False
            if data is None:
                self.inner.gap(to_server, rest, offset, place)
            else:
                self.inner.data(to_server, data, offset, place, rest != 0 or not self.inner_begun[to_server])
            self.inner_begun[to_server] = True
            return True
        if self.held is None or not to_server:
            return False
        last = self.held[len(self.held) - 1] if self.held else (None, 0, None, 0, 0)
        if data is not None and not rest and last[0] is not None and last[2] is place:
            last[0].extend(data)
        else:
            at = self.replayed_at if self.replaying else self.server.at
            self.held.append((None if data is None else bytearray(data), offset, place, rest, at))
        if data is not None:
            self.held_bytes += <uint64_t> PyBytes_GET_SIZE(data)
        if self.held_bytes > HELD_ROOM or len(self.held) > HELD_CALLS:
            self.turn, self.patience = GIVE_UP, 0
            self._turn()
        return True

    cdef int _turn(self) except -1:
        """Do what an answer has decided, between two bytes."""
        cdef list held
        cdef int turn = self.turn
        if turn == NOTHING:
            return 0
        held, self.held = self.held or [], None
        self.turn = NOTHING
        self.client.pause = self.server.pause = False
        if turn == GIVE_UP and held and held[0][0] is not None and not looks_like_request(held):
            self._leave(True, None)  # whoever sends this took the tunnel for granted
            turn, self.turn, self.astray = LEAVE, NOTHING, True
        if turn == LEAVE:
            self._hand_out_all()
            self.inner = self.sink.switch(self.next_protocol)
        for data, offset, place, rest, server_at in held:
            self.replaying, self.replayed_at = True, server_at
            if data is None:
                self.gap(True, rest, offset, place)
            else:
                self.data(True, bytes(data), offset, place, rest)
        self.replaying = False
        return 0
