"""Parameters of clone, fork and execve that struct identity of a record tells."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

from syswire.capture.block cimport Block, put, put_32, put_64, put_text, value
from syswire.capture.operands cimport *
from syswire.capture.record cimport View, identity


cdef inline uint32_t length_of_first(const uint8_t *text, uint32_t size) noexcept nogil:
    cdef uint32_t length = 0
    while length < size and text[length]:
        length += 1
    return length


cdef inline bint names_container(const uint8_t *text, uint32_t size) noexcept nogil:
    """Whether a directory of a cgroup is named after a container: 64 hexadecimal digits stand in it."""
    cdef uint32_t i, run = 0
    for i in range(size):
        run = run + 1 if 48 <= text[i] <= 57 or 97 <= text[i] <= 102 else 0
        if run == 64:
            return True
    return False


cdef inline void put_without_process(Block *b, View *v, uint8_t kind) noexcept nogil:
    """The same without struct identity: no name, but of a call that failed the path it gave; no user; else 0."""
    if kind == EXE or kind == FILENAME:
        put_text(b, v.text, v.text_size if v.r.ret < 0 else 0)
    elif kind == COMM:
        put_text(b, v.text, 0)
    elif kind == ARGUMENTS or kind == CGROUPS:
        put(b, NULL, 0)
    elif kind == VM_SIZE or kind == VM_RSS or kind == VM_SWAP or kind == TTY:
        put_32(b, 0)
    elif kind == UID or kind == GID or kind == LOGINUID:
        put_32(b, <uint32_t>-1)
    else:
        put_64(b, 0)


cdef inline void put_cgroups(Block *b, View *v) noexcept nogil:
    """The last part of the process's directory in cgroup2, where it names a container; else absent.

    The parts before it are not recorded. What is absent is taken over from the parent by those who read, which is
    right where a container has groups of its own within.
    """
    cdef uint32_t length = length_of_first(v.cgroup, v.cgroup_size)
    cdef uint8_t *at = NULL
    if not names_container(v.cgroup, length):
        put(b, NULL, 0)
        return
    at = value(b, length + 10)
    if at != NULL:
        memcpy(at, <const char *>b"unified=/", 9)
        memcpy(at + 9, v.cgroup, length)
        at[9 + length] = 0


cdef inline void put_of_process(Block *b, View *v, uint8_t kind) noexcept nogil:
    """Write a parameter that struct identity tells."""
    cdef const identity *p = v.who
    cdef uint32_t length
    if p == NULL:
        put_without_process(b, v, kind)
    elif kind == EXE:
        put_text(b, v.arguments, v.arguments_size)
    elif kind == ARGUMENTS:
        length = length_of_first(v.arguments, v.arguments_size)
        length += length < v.arguments_size
        put(b, v.arguments + length, v.arguments_size - length)
    elif kind == FILENAME:
        put_text(b, v.filename, v.filename_size)
    elif kind == COMM:
        put_text(b, <const uint8_t *>p.comm, sizeof(p.comm))
    elif kind == CGROUPS:
        put_cgroups(b, v)
    elif kind == PARENT:
        put_64(b, p.ppid)
    elif kind == FDLIMIT:
        put_64(b, p.fdlimit)
    elif kind == MAJOR_FAULTS:
        put_64(b, p.major_faults)
    elif kind == MINOR_FAULTS:
        put_64(b, p.minor_faults)
    elif kind == VM_SIZE:
        put_32(b, p.vm_size)
    elif kind == VM_RSS:
        put_32(b, p.vm_rss)
    elif kind == VM_SWAP:
        put_32(b, p.vm_swap)
    elif kind == UID:
        put_32(b, p.euid)
    elif kind == GID:
        put_32(b, p.egid)
    elif kind == VTID:
        put_64(b, p.vtid)
    elif kind == VPID:
        put_64(b, p.vpid)
    elif kind == TTY:
        put_32(b, p.tty)
    elif kind == VPGID:
        put_64(b, p.vpgid)
    elif kind == PGID:
        put_64(b, p.pgid)
    elif kind == LOGINUID:
        put_32(b, p.loginuid)
    elif kind == CAP_INHERITABLE:
        put_64(b, p.cap_inheritable)
    elif kind == CAP_PERMITTED:
        put_64(b, p.cap_permitted)
    elif kind == CAP_EFFECTIVE:
        put_64(b, p.cap_effective)
    elif kind == EXE_INODE:
        put_64(b, p.exe_inode)
    else:
        put(b, NULL, 0)
