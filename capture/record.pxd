# The ring's record (record.h, which says what the fields mean), checked once and then read in place.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "../../../../capture/record.h" nogil:
    enum:
        RECORD_ENTER, RECORD_EXIT, RECORD_DEATH, RECORD_CHILD
        RECORD_ENTER_SENT, RECORD_DESCRIPTOR, RECORD_FAULT, RECORD_MORE, RECORD_REST, RECORD_SENDS, RECORD_IO
        RECORD_PEEK

    struct record:
        uint32_t size
        uint8_t kind
        uint8_t part
        uint16_t nr
        uint64_t ts
        uint64_t enter_ts
        uint32_t pid
        uint32_t tid
        int64_t ret
        uint64_t args[6]
        uint16_t cpu
        uint16_t flags
        uint32_t data_size
        uint64_t true_size
        uint32_t text_size

    struct descriptor:
        int32_t fd
        uint32_t mode
        uint64_t inode
        uint32_t device
        uint32_t open_flags
        uint8_t family
        uint8_t protocol
        uint8_t socket_type
        uint8_t state
        uint16_t local_port
        uint16_t remote_port
        uint8_t local[16]
        uint8_t remote[16]
        uint64_t unix_own
        uint64_t unix_peer
        uint32_t queue_length
        uint32_t queue_max

    struct pair:
        int32_t first
        int32_t second

    struct identity:
        uint32_t ppid
        uint32_t pgid
        uint32_t sid
        uint32_t vtid
        uint32_t vpid
        uint32_t vpgid
        uint32_t uid
        uint32_t euid
        uint32_t gid
        uint32_t egid
        uint32_t loginuid
        uint32_t tty
        uint64_t cap_inheritable
        uint64_t cap_permitted
        uint64_t cap_effective
        uint64_t fdlimit
        uint64_t major_faults
        uint64_t minor_faults
        uint32_t vm_size
        uint32_t vm_rss
        uint32_t vm_swap
        uint32_t env_size
        uint64_t exe_inode
        uint64_t cgroup
        char comm[16]
        uint16_t filename_size
        uint16_t arguments_size
        uint16_t cgroup_size
        uint16_t arguments_cut

ctypedef struct View:
    const record *r
    const descriptor *socket      # of the descriptor, a socket or not; NULL: not told
    const uint8_t *data
    uint32_t data_size
    const uint8_t *text
    uint32_t text_size
    const pair *both              # the two descriptors made, NULL: none
    const identity *who           # NULL: none
    const uint8_t *filename
    uint32_t filename_size
    const uint8_t *arguments
    uint32_t arguments_size
    const uint8_t *cgroup
    uint32_t cgroup_size


cdef inline uint64_t padded(uint64_t size) noexcept nogil:
    return (size + 7) & ~<uint64_t>7


cdef inline bint identifies(uint16_t nr) noexcept nogil:
    """Whether the call's text is a struct identity where it succeeded."""
    return nr in (56, 57, 58, 59, 322, 435, 105, 106, 113, 114, 117, 119)


cdef inline bint see(View *v, const uint8_t *at, uint64_t size) noexcept nogil:
    """Take a record of `size` bytes apart. False where it is not whole and consistent; nothing may be read then."""
    cdef const record *r = <const record *>at
    cdef uint64_t used = sizeof(record)
    cdef uint32_t left
    if size < used or r.size != size or size & 7 or r.kind < RECORD_ENTER or r.kind > RECORD_CHILD:
        return False
    v.r, v.socket, v.both, v.who = r, NULL, NULL, NULL
    if r.flags & RECORD_DESCRIPTOR:
        if size - used < sizeof(descriptor):
            return False
        v.socket = <const descriptor *>(at + used)
        used += sizeof(descriptor)
    if r.data_size > size - used or r.data_size > r.true_size:
        return False
    v.data, v.data_size = at + used, r.data_size
    used += padded(r.data_size)
    if used > size or r.text_size > size - used or used + padded(r.text_size) != size:
        return False
    v.text, v.text_size = at + used, r.text_size
    if r.enter_ts > r.ts:
        return False
    if r.kind == RECORD_ENTER or r.kind == RECORD_DEATH or v.text_size == 0 or r.ret < 0:
        return True
    if r.nr in (22, 293, 53):
        if v.text_size < sizeof(pair):
            return False
        v.both = <const pair *>v.text
    elif identifies(r.nr):
        if v.text_size < sizeof(identity):
            return False
        v.who = <const identity *>v.text
        left = v.text_size - <uint32_t>sizeof(identity)
        if left < <uint32_t>v.who.filename_size + v.who.arguments_size + v.who.cgroup_size:
            return False
        v.filename, v.filename_size = v.text + sizeof(identity), v.who.filename_size
        v.arguments, v.arguments_size = v.filename + v.filename_size, v.who.arguments_size
        v.cgroup, v.cgroup_size = v.arguments + v.arguments_size, v.who.cgroup_size
    return True
