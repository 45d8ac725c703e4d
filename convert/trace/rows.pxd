from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t

from syswire.convert.scap.event cimport Event as RawEvent

cdef class Fd:
    cdef public object num, kind, name, ino, raw_name, old_name, role, l4, sip, dip, sport, dport, source, dest
    cdef public object dev, mount, openflags, pid, created
    cdef public bint name_changed, connected, failed, pipe, upper_layer, lower_layer, from_list, closing, cloexec
    cdef int outcome      # star: which of its outcomes this row has, -1 not judged yet
    cdef object key       # star: its part of a sum's key, None not asked yet

cdef class Thread:
    cdef public object trace, tid, pid, ptid, vtid, vpid, comm, exe, exepath, args, env, own_cwd, root
    cdef public object uid, gid, loginuid, sid, pgid, vpgid, tty, flags, fdlimit
    cdef public object vmsize, vmrss, vmswap, pfmajor, pfminor, cap_inheritable, cap_permitted, cap_effective
    cdef public object exe_writable, exe_upper_layer, exe_lower_layer, exe_from_memfd
    cdef public object exe_ino, exe_ino_ctime, exe_ino_mtime, pidns_start, cgroups, container, clone_ts, exec_ts
    cdef public object category, children, program_hash
    cdef public bint from_list, invalid, last_valid, cloning, exiting
    cdef public dict own_fds
    cdef public object main_tid, last_fd, last_access
    cdef public int last_type
    cdef object latency   # ns as a Python number, or None; where `timed`, from the two times below
    cdef bint timed
    cdef uint64_t entered_ts
    cdef uint64_t left_ts
    cdef object enter     # the last enter as an Event, or None; where `keeping`, still to be made of the kept bytes
    cdef bint keeping
    cdef char *kept       # offsets of the parameters (uint32_t, one more than there are), then their bytes
    cdef uint32_t kept_room
    cdef uint32_t kept_params
    cdef uint64_t kept_ts
    cdef uint64_t kept_previous
    cdef uint64_t kept_ordinal
    cdef uint64_t kept_offset
    cdef uint32_t kept_num
    cdef uint32_t kept_flags
    cdef uint16_t kept_code
    cdef uint16_t kept_cpu
    cdef int outcome
    cdef uint64_t epoch   # star: `outcome` and `key` hold while the star's epoch is this
    cdef object key

    cdef bint keep(self, RawEvent *e, uint64_t previous) noexcept nogil
    cdef object made(self)
