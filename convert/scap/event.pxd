# The event as the decoders see it: validated once, then read without further checks.

from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

cdef enum:
    TYPES = 454           # event codes of schema 4.5.1; a test compares with the event table
    MAX_PARAMS = 64       # no type of the table has more than 36; a longer list is counted and its rest not looked at
    ARGS = 20

cdef enum:
    OP_NONE, OP_RECEIVE, OP_SEND, OP_SENDFILE, OP_SOCKET, OP_SOCKETPAIR, OP_BIND, OP_CONNECT, OP_ACCEPT, OP_SHUTDOWN
    OP_CLOSE, OP_CLOSE_RANGE, OP_DUP, OP_FCNTL, OP_PIPE, OP_OPEN, OP_ANONYMOUS, OP_CHDIR, OP_FCHDIR, OP_CLONE
    OP_EXECVE, OP_PROCEXIT, OP_IDENTITY, OP_DROP, OP_CONTAINER, OP_USER, OP_CONNECT_ENTER

cdef enum:
    ARG_RES, ARG_DATA, ARG_FD, ARG_TUPLE, ARG_SIZE, ARG_ADDR, ARG_NAME, ARG_FLAGS, ARG_DIRFD, ARG_FD2, ARG_HOW
    ARG_DOMAIN, ARG_TYPE, ARG_PROTO, ARG_SOURCE, ARG_PEER, ARG_PID, ARG_PARENT, ARG_TID, ARG_VTID

ctypedef struct TypeInfo:
    uint8_t operation
    uint8_t enter
    uint8_t nparams
    uint8_t wide          # parameter lengths are 32 bits
    uint8_t known         # sysdig 0.29.3 numbers it
    uint8_t uses_fd
    uint8_t keep          # an enter whose parameters the exit may need
    uint8_t detail
    uint8_t idle          # neither it nor its exit means anything to the state: its parameters are not looked at
    int8_t place[20]      # parameter index by argument, -1 none

ctypedef struct Event:
    uint64_t ts           # ns
    int64_t tid
    uint64_t ordinal      # from 1
    uint64_t block        # offset of the block in the decompressed input
    uint64_t data_at      # offset of the first parameter's bytes in the decompressed input
    const uint8_t *data   # first parameter's bytes
    uint32_t evt_num      # sysdig's number, 0 = none
    uint32_t flags
    uint32_t nparams      # that can be looked at (<= MAX_PARAMS)
    uint16_t type
    uint16_t cpu
    uint32_t off[65]      # offsets of the parameters from `data`, one more than nparams

cdef inline uint16_t u16(const uint8_t *p) noexcept nogil:
    cdef uint16_t v
    memcpy(&v, p, 2)
    return v

cdef inline uint32_t u32(const uint8_t *p) noexcept nogil:
    cdef uint32_t v
    memcpy(&v, p, 4)
    return v

cdef inline uint64_t u64(const uint8_t *p) noexcept nogil:
    cdef uint64_t v
    memcpy(&v, p, 8)
    return v

cdef inline int64_t integer(const uint8_t *p, uint32_t size) noexcept nogil:
    """A little-endian integer of 1, 2, 4 (unsigned) or 8 (signed) bytes; 0 for any other length."""
    if size == 8:
        return <int64_t>u64(p)
    if size == 4:
        return u32(p)
    if size == 2:
        return u16(p)
    if size == 1:
        return p[0]
    return 0
