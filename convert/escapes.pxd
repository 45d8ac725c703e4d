# Undoing escapes, for compiled callers.

# What stands within `reach` bytes of an escape, with the escapes undone, in a buffer that is the caller's to free: how
# many bytes, 0 where there is no escape, -1 without memory.
cdef Py_ssize_t around(
    int kind, const unsigned char* text, Py_ssize_t size, Py_ssize_t reach, unsigned char** target
) noexcept nogil
