# The search for secrets behind layers of escapes, for compiled callers.

from syswire.convert.secret_index cimport SecretIndex

# Whether any pattern occurs behind up to `depth` layers of escapes; -1 without memory.
cdef int occurs(SecretIndex index, const unsigned char* text, Py_ssize_t size, int depth) noexcept nogil
