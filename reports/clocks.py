"""How far the clocks of two captures were apart, by what both saw of the same bytes.

What a host sent cannot arrive before it was sent. So of bytes from A's host to B's, B's time less A's is the difference
of the clocks and the way: at least the difference. The other way it is at most the difference. Where it is not known on
whose side a capture was taken (a packet capture), only the differences themselves can be told.
"""

from __future__ import annotations

from typing import NamedTuple

from .language import plural, text


class Apart(NamedTuple):
    """Nanoseconds by which the later input's clock was ahead of the earlier one's.

    `low` and `high`: bounds, None where nothing bounds it; `least` and `most`: differences between the times of the
    same bytes, the way between both places included. `messages`: how many both saw.
    """

    messages: int
    least: int
    most: int
    low: int | None = None
    high: int | None = None

    @property
    def contradictory(self) -> bool:
        """Whether no constant difference fits: a clock was set, or the recorder dated a call late."""
        return self.low is not None and self.high is not None and self.low > self.high


class Clocks:
    """Fed with the times of messages that two inputs saw; `apart` holds what follows, by the two sources."""

    def __init__(self) -> None:
        self.apart: dict[tuple[int, int], Apart] = {}

    def add(self, one: int, other: int, times: tuple[int, int], sender: int | None) -> None:
        """A message: its time in an earlier input and in a later one, nanoseconds since 1970; 0 where not known.

        Args:
            one: the earlier input.
            other: the later input.
            times: in `one` and in `other`.
            sender: the input that recorded the sender's host, where the other one recorded the receiver's.
        """
        if not all(times):
            return
        ahead = times[1] - times[0]
        known = self.apart.get((one, other)) or Apart(0, ahead, ahead)
        low, high = known.low, known.high
        if sender == one:
            high = ahead if high is None else min(high, ahead)
        elif sender == other:
            low = ahead if low is None else max(low, ahead)
        self.apart[one, other] = Apart(known.messages + 1, min(known.least, ahead), max(known.most, ahead), low, high)

    def against(self, source: int) -> list[tuple[int, Apart]]:
        """What is known of an input's clock: against which earlier input, and what."""
        return [(one, apart) for (one, other), apart in sorted(self.apart.items()) if other == source]


def in_words(apart: Apart, other: str) -> str:
    """What is known of a clock against that of another input, by its name."""
    messages = plural(apart.messages, "message that both saw", "messages that both saw")
    if apart.contradictory:
        return text(
            "no constant difference to {other} fits {messages}: at least {low} ahead by what came one way, at most "
            "{high} by what came the other; a clock was set, or calls were dated late",
            other=other,
            messages=messages,
            low=_signed(apart.low or 0),
            high=_signed(apart.high or 0),
        )
    if apart.low is not None and apart.high is not None:
        return text(
            "{low} to {high} ahead of {other}, by {messages}",
            low=_signed(apart.low),
            high=_signed(apart.high),
            other=other,
            messages=messages,
        )
    if apart.high is not None:
        return text(
            "at most {high} ahead of {other}, by {messages}", high=_signed(apart.high), other=other, messages=messages
        )
    if apart.low is not None:
        return text(
            "at least {low} ahead of {other}, by {messages}", low=_signed(apart.low), other=other, messages=messages
        )
    return text(
        "its times of {messages} are {least} to {most} later than those of {other}, the way between both places "
        "included",
        messages=messages,
        least=_signed(apart.least),
        most=_signed(apart.most),
        other=other,
    )


def _signed(nanoseconds: int) -> str:
    """`+1.250 ms`, `-3,600.000 s`."""
    return f"{nanoseconds / 1e6:+,.3f} ms" if abs(nanoseconds) < 10**10 else f"{nanoseconds / 1e9:+,.3f} s"
