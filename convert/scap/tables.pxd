# Threads and descriptors as they stand at one moment of the capture.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    MAX_TEXT_BYTES = 1 << 27

cdef enum:           # scap's descriptor kinds (fd list numbering)
    KIND_UNKNOWN = 0
    KIND_FILE = 1
    KIND_DIRECTORY = 2
    KIND_IPV4 = 3
    KIND_IPV6 = 4
    KIND_IPV4_BOUND = 5
    KIND_IPV6_BOUND = 6
    KIND_FIFO = 7
    KIND_UNIX = 8
    KIND_NETLINK = 15
    KIND_FILE_V2 = 16

cdef enum:
    ROLE_NONE = 0
    ROLE_CLIENT = 1
    ROLE_SERVER = 2

cdef enum:
    L4_UNKNOWN = 0
    L4_NA = 1
    L4_TCP = 2
    L4_UDP = 3
    L4_ICMP = 4
    L4_RAW = 5

ctypedef struct Texts:    # names of descriptions and working directories, all together
    uint64_t bytes
    uint64_t refused

ctypedef struct Desc:     # an open file description; several descriptors may share it (dup, fork)
    uint64_t source       # unix sockets: kernel addresses
    uint64_t dest
    uint64_t inode
    uint64_t serial       # tells it from all others of its tables
    uint64_t conv_key     # recorder's: generation check of `conv`
    Texts *texts          # where its name is accounted for
    char *name            # path, not NUL terminated; NULL = none
    uint32_t name_len
    uint32_t refs
    uint32_t index        # its own place in the pool, from 1
    uint32_t version      # id of the snapshot handed to Python, 0 = none since the last change
    uint32_t conv         # recorder's slot + 1 of its conversation, 0 = none yet
    uint32_t owner        # thread version that made it or listed it, 0 = not known
    uint8_t sip[16]       # client side once a role is known
    uint8_t dip[16]
    uint16_t sport
    uint16_t dport
    uint8_t kind
    uint8_t role
    uint8_t l4
    uint8_t socket_type   # SOCK_* & 0xff, 0 = not known
    uint8_t end           # recorder's: 0 client end, 1 server end
    uint8_t has_tuple     # an address pair is known
    uint8_t listed        # from the fd list: open before the capture
    uint8_t named         # sysdig would show a name

ctypedef struct FdSlot:
    int32_t fd
    uint32_t desc         # pool index, 0 free, DELETED once used
    uint8_t cloexec

ctypedef struct Process:  # what threads share: descriptors and the working directory
    FdSlot *slots
    char *cwd
    uint32_t cwd_len
    uint32_t mask
    uint32_t used
    uint32_t filled
    uint32_t marked       # with close-on-exec
    uint32_t refs

ctypedef struct Thread:
    int64_t tid
    int64_t pid
    Process *process
    uint8_t *kept         # parameters of the last enter: u16 count, u32 offsets[count + 1], bytes
    uint64_t enter_ts
    int64_t enter_fd
    int64_t last_fd
    uint32_t kept_size
    uint32_t kept_room
    uint32_t version      # thread version id, 0 = placeholder
    uint32_t container
    uint16_t enter_type
    uint8_t entered       # an enter waits for its exit
    uint8_t fresh         # made by the parent's clone event, the child's own not seen yet
    uint8_t live

cdef class Tables:
    cdef Thread **threads          # blocks of 1024
    cdef Thread *recent
    cdef uint32_t thread_blocks
    cdef uint32_t thread_next
    cdef uint32_t thread_free      # head of the free list + 1
    cdef uint32_t thread_count
    cdef uint32_t *thread_index    # open addressing: slot + 1
    cdef uint32_t thread_mask
    cdef uint64_t seed
    cdef Desc **descs
    cdef uint32_t desc_blocks
    cdef uint32_t desc_next
    cdef uint32_t desc_free
    cdef readonly uint32_t desc_count
    cdef uint64_t slot_bytes
    cdef uint64_t effort
    cdef uint64_t serials
    cdef Texts texts
    cdef readonly uint64_t refused  # entries that found no room
    cdef readonly bint exhausted    # malloc failed

    cdef Thread *find(self, int64_t tid) noexcept nogil
    cdef Thread *thread(self, int64_t tid) noexcept nogil
    cdef Thread *make(self, int64_t tid, int64_t pid) noexcept nogil
    cdef void drop_thread(self, Thread *thread) noexcept nogil
    cdef Thread *thread_at(self, uint32_t index) noexcept nogil
    cdef void _release_process(self, Process *process) noexcept nogil
    cdef bint _grow_index(self) noexcept nogil
    cdef Process *new_process(self) noexcept nogil
    cdef bint grow_slots(self, Process *process) noexcept nogil
    cdef FdSlot *slot(self, Process *process, int64_t fd) noexcept nogil
    cdef Desc *desc(self, Process *process, int64_t fd) noexcept nogil
    cdef Desc *desc_at(self, uint32_t index) noexcept nogil
    cdef Desc *new_desc(self, uint8_t kind) noexcept nogil
    cdef bint put(self, Process *process, int64_t fd, Desc *desc, bint cloexec) noexcept nogil
    cdef Desc *leave(self, Process *process, FdSlot *slot) noexcept nogil
    cdef Desc *take(self, Process *process, int64_t fd) noexcept nogil
    cdef void free_desc(self, Desc *desc) noexcept nogil
    cdef bint copy_table(self, Process *source, Process *target) noexcept nogil
    cdef bint set_cwd(self, Process *process, const uint8_t *path, uint32_t size) noexcept nogil
    cdef bint afford(self, uint32_t slots) noexcept nogil

cdef inline bint in_use(FdSlot *slot) noexcept nogil:
    """The slot leads to a description: neither free (0) nor deleted (all ones)."""
    return slot.desc != 0 and slot.desc + <uint32_t>1 != 0

cdef inline bint room_for(Texts *texts, uint32_t old, uint32_t new) noexcept nogil:
    """Account for a text of `new` bytes in the place of one of `old`. False: there is no room, nothing changed."""
    if texts.bytes - old + new > MAX_TEXT_BYTES:
        texts.refused += 1
        return False
    texts.bytes += <uint64_t>new - old
    return True
