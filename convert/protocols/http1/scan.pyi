BARE_LF: int
FOLDED: int
SPACE_BEFORE_COLON: int
NO_COLON: int
EMPTY_NAME: int
CONTROL: int
TOO_MANY: int
BARE_CR: int
BLANK_FIRST: int
ODD_NAME: int

def skip_blank_lines(data: bytes | bytearray, pos: int) -> int:
    """The first position from `pos` on that is neither CR nor LF."""

def find_head_end(data: bytes | bytearray, resume: int, limit: int) -> int:
    """Where the body begins: behind the first empty line whose preceding LF is in data[resume:limit]; -1: not there.

    A search is resumed two bytes before the end of what was searched.
    """

class Head:
    """A message's start line and headers; text is latin-1, one character a byte."""

    @property
    def method_or_version(self) -> str: ...
    @property
    def target_or_status(self) -> str: ...
    @property
    def version_or_reason(self) -> str: ...
    @property
    def headers(self) -> list[tuple[str, str]]:
        """The first thousand, each with the blanks around trimmed and folded lines joined."""

    @property
    def total(self) -> int:
        """How many header lines there were."""

    @property
    def flags(self) -> int:
        """What was odd: a sum of this module's constants."""

    @property
    def ascii(self) -> bool: ...
    @property
    def content_lengths(self) -> list[str] | None: ...
    @property
    def content_encodings(self) -> list[str] | None: ...
    @property
    def transfer_encodings(self) -> list[str] | None: ...
    @property
    def host(self) -> str | None: ...
    @property
    def content_type(self) -> str | None: ...
    @property
    def location(self) -> str | None: ...
    @property
    def upgrade(self) -> bool:
        """There is an Upgrade header."""

    @property
    def cookies(self) -> list[str] | None:
        """Values of Set-Cookie."""

    @property
    def authorizations(self) -> list[tuple[str, int, int]] | None:
        """Values of Authorization and Proxy-Authorization, each with the begin and end of its bytes in the head."""

    @property
    def telling(self) -> list[tuple[str, str, int, int]] | None:
        """Of a request: name and value of headers that may hold a token by the end of their name, of a Referer with a
        query or a user in it, and of Cookie headers behind the first; each with the begin and end of its bytes.
        """

    @property
    def cookie(self) -> str | None:
        """The value of a request's first Cookie header."""

    @property
    def cookie_begin(self) -> int: ...
    @property
    def cookie_end(self) -> int: ...
    @property
    def challenged(self) -> bool:
        """There is a WWW-Authenticate or a Proxy-Authenticate."""

def parse_head(head: bytes, request: bool, start_line: bool = True) -> Head:
    """Divide a head, whole or cut; without `start_line` the bytes are header lines only, such as trailers."""
