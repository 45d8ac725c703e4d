from .model import Event

NANOSECOND: int
LAST_SECOND: int
"""Of the year 9999: times behind it are shown as this one."""

def forget() -> None:
    """Forget what seconds were called: for who changes the time zone."""

def clock(ts: int, fine: bool = True) -> str:
    """Local time of day, with nanoseconds if `fine`."""

def date(ts: int, fine: bool = True) -> str:
    """Local date and time of day, with nanoseconds if `fine`."""

def iso8601(ts: int) -> str:
    """Date and time of UTC with nanoseconds and offset."""

def utc_date(ts: int) -> str:
    """Date and time of UTC with nanoseconds."""

def seconds(length: int) -> str:
    """A length of time in ns as seconds with nine decimals."""

def human(length: int) -> str:
    """A length of time in ns with a unit, cut and not rounded; from a minute on as m:s, from an hour on as hh:mm:ss."""

def time_mode(event: Event) -> str:
    """The letter of -t that was chosen for this trace: h, a, r, d, D or n."""

def chosen(event: Event, latency: int, delta: int) -> str:
    """The time in the form that -t chose; empty for n."""
