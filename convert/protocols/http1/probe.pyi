METHODS: frozenset[bytes]
"""Methods of the IANA registry and others in wide use."""

def is_start_line(to_server: bool, line: bytes) -> bool:
    """Whether a whole line (without its LF) is an HTTP/1.x request line or status line (RFC 9112, 3 and 4).

    As strict as a judgement on bytes without context must be.
    """

def is_loose_start_line(to_server: bool, line: bytes) -> bool:
    """Whether a whole line that is no start line by the letter can be nothing else, without any context.

    A request has a known method and a version behind any blanks, a token and HTTP/1.x, or is HTTP/0.9's: a method of
    that time and an absolute path or URL, no more. A response has HTTP/1.x in any case and three digits.
    """

LINE: int
TARGET: int

def how_odd(to_server: bool, line: bytes) -> int:
    """What of an accepted start line is against RFC 9112, 3 and 4: a sum of LINE and TARGET.

    LINE: other blanks than single spaces, another version than HTTP/1.x, no version, a method that is no token, a
    status line without the space behind its code. TARGET: a blank, a control byte or one beyond ASCII in the target.
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
