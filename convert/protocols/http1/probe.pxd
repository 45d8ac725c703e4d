# Recognising HTTP/1.x start lines, for compiled callers.

cpdef bint is_start_line(bint to_server, bytes line) except -1
cpdef bint is_loose_start_line(bint to_server, bytes line) except -1
cpdef int how_odd(bint to_server, bytes line) except -1
cpdef bint probe(bint to_server, bytes head) except -1
