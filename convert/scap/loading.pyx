# cython: language_level=3
"""From the lists at the head of a scap file (threads, descriptors, interfaces) into the state tables."""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memcpy

from syswire.convert.scap.names cimport set_name
from syswire.convert.scap.pairs cimport unmap
from syswire.convert.scap.state cimport State
from syswire.convert.scap.tables cimport *

cdef enum:
    CLONE_FILES = 1


def load_thread(State state, int64_t tid, int64_t pid, uint32_t flags, bytes cwd, uint32_t version, uint32_t container):
    """A thread of the process list. Threads with CLONE_FILES share the descriptors of their main thread."""
    cdef Thread *t = state.find(tid)
    cdef Thread *main
    if t == NULL:
        t = state.make(tid, pid)
        if t == NULL:
            return
        if tid != pid and flags & CLONE_FILES:
            main = state.thread(pid)
            if main == NULL:
                state.drop_thread(t)
                return
            t.process = main.process
            t.process.refs += 1
        else:
            t.process = state.new_process()
            if t.process == NULL:
                state.drop_thread(t)
                return
    t.pid, t.version, t.container = pid, version, container
    if tid == pid or not flags & CLONE_FILES:
        state.set_cwd(t.process, cwd, len(cwd))


def load_interface(State state, int family, bytes address, bytes netmask):
    """An interface's address; 64 are kept."""
    cdef uint8_t *row
    if state.address_count < 64 and len(address) <= 16 and len(netmask) <= 16:
        row = state.addresses[state.address_count]
        row[0] = family
        memcpy(row + 1, <const uint8_t *>address, len(address))
        memcpy(row + 17, <const uint8_t *>netmask, len(netmask))
        state.address_count += 1


def load_descriptor(State state, entry, int64_t tid, int64_t fd, bint server, uint32_t shared):
    """A descriptor of a thread's fd list. `shared` is the index of the description that another process listed under
    the same inode and addresses, 0 for none; `server`: the local port is one that somebody listens on.
    Returns the description's index, 0 where the tables are full.
    """
    cdef Thread *t = state.thread(tid)
    cdef Desc *d
    cdef int kind = entry.kind
    cdef bytes sip, dip
    if t == NULL or fd < 0 or fd > 0x7fffffff or state.desc(t.process, fd) != NULL:
        return 0
    if shared:
        d = state.desc_at(shared)
        state.put(t.process, fd, d, False)
        return shared
    d = state.new_desc(kind if 0 <= kind <= 255 else 0)
    if d == NULL:
        return 0
    d.inode, d.listed, d.owner, d.l4 = entry.inode, 1, t.version, entry.l4 if 0 <= entry.l4 <= 5 else 0
    sip, dip = entry.sip, entry.dip
    if kind == KIND_UNIX:
        d.role = ROLE_SERVER if entry.name else ROLE_CLIENT  # who connects has no name of its own
        if d.role == ROLE_SERVER:
            d.source, d.dest = entry.dest, entry.source
        else:
            d.source, d.dest = entry.source, entry.dest
        d.named = 1
    elif kind == KIND_IPV4 or kind == KIND_IPV6:
        d.role = ROLE_SERVER if server else ROLE_CLIENT
        d.has_tuple = d.named = 1
        if server:
            sip, dip = dip, sip
            d.sport, d.dport = entry.dport, entry.sport
        else:
            d.sport, d.dport = entry.sport, entry.dport
        memcpy(d.sip, <const uint8_t *>sip, len(sip))
        memcpy(d.dip, <const uint8_t *>dip, len(dip))
        unmap(d)
    elif kind == KIND_IPV4_BOUND or kind == KIND_IPV6_BOUND:
        memcpy(d.dip, <const uint8_t *>dip, len(dip))
        d.dport, d.role, d.named = entry.dport, ROLE_SERVER, 1
    if entry.name:
        set_name(d, <const uint8_t *>(<bytes>entry.name), len(entry.name))
    if not state.put(t.process, fd, d, False):
        state.free_desc(d)
        return 0
    if d.kind == KIND_IPV4 or d.kind == KIND_IPV6 or d.kind == KIND_UNIX:
        state.sink.listed(d)
    return d.index
