METHODS: frozenset[bytes]
"""Methods of the IANA registry and others in wide use."""

def is_start_line(to_server: bool, line: bytes) -> bool:
    """Whether a whole line (without its LF) is an HTTP/1.x request line or status line (RFC 9112, 3 and 4).

    As strict as a judgement on bytes without context must be.
    """

def is_odd_start_line(to_server: bool, line: bytes) -> bool:
    """Whether a whole line passes for a start line where one must stand: lower case, odd methods, no version."""

def is_cut_start_line(to_server: bool, line: bytes) -> bool:
    """Whether a line whose end is not known can only be the beginning of a message.

    A request must show a known method, a blank and the beginning of a target; a response its whole status.
    """

def may_become_start_line(to_server: bool, line: bytes) -> bool:
    """Whether a line that is still growing looks like the beginning of a message, on little evidence."""

def probe(to_server: bool, head: bytes) -> bool:
    """Whether the first bytes of one system call are HTTP/1.x: at most the first line is looked at."""
