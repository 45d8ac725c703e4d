# Recognising HTTP/1.x start lines, for compiled callers.

cpdef bint is_start_line(bint to_server, bytes line) except -1
