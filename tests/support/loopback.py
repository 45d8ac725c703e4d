"""A loopback connection that is really carried out: what each end wrote and read, with races, and what is true."""

from __future__ import annotations

from dataclasses import dataclass, field

from support.rebuilt import CLIENT, SERVER, Dialogue

Action = tuple[int, int, int]
"""(what: 0 begin a write, 1 let a write return, 2 and 3 read; which end; how many bytes)."""


def content(to_server: int, begin: int, end: int) -> bytes:
    """The bytes of a direction: no offset looks like its neighbours."""
    return bytes((offset * (7 + to_server) + (offset >> 8) * 31) & 0xFF for offset in range(begin, end))


@dataclass
class Call:
    """A recorded call: its place in the stream, and the times between which it took effect."""

    end: int
    write: bool
    begin: int
    length: int
    entered: float
    returned: float
    stored: int
    thread: int
    before: int = 0  # of a write: bytes of the other direction that its thread's end had read when it began


@dataclass
class Loopback:
    """Plays actions and tells a dialogue those that it may see."""

    talk: Dialogue
    snap: tuple[int, int] = (1 << 30, 1 << 30)
    seen: tuple[bool, bool] = (True, True)
    enters: bool = True
    skip: int = 0  # actions before the recording begins; no write may be under way then
    recording: bool = False
    clock: float = 0
    sent: list[int] = field(default_factory=lambda: [0, 0])  # by to_server: bytes put into the kernel
    taken: list[int] = field(default_factory=lambda: [0, 0])
    base: list[int] = field(default_factory=lambda: [0, 0])  # where the first unread byte was when the recording began
    pending: dict[int, Call] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def play(self, actions: list[Action]) -> None:
        if self.skip == 0:
            self.start()
        for number, (what, end, amount) in enumerate(actions):
            if not self.recording and number >= self.skip:
                for writer in list(self.pending):
                    self.finish(writer)
                self.start()
            self.clock += 1
            if what == 0:
                self.begin(end, amount)
            elif what == 1:
                self.finish(end)
            else:
                self.read(end, amount)
        if not self.recording:
            for writer in list(self.pending):
                self.finish(writer)
            self.start()

    def start(self) -> None:
        self.recording = True
        self.base = list(self.taken)

    def begin(self, end: int, amount: int) -> None:
        if end in self.pending:
            return
        way = 1 - end
        stored = min(amount, self.snap[end])
        self.pending[end] = Call(
            end, True, self.sent[way], amount, self.clock, 0, stored, 10 + end, self.taken[1 - way]
        )  # fmt: skip
        self.sent[way] += amount

    def finish(self, end: int) -> None:
        call = self.pending.pop(end, None)
        if call is None:
            return
        call.returned = self.clock
        self.note(call)

    def read(self, end: int, amount: int) -> None:
        """By another thread while the end's first one is writing."""
        way = end
        amount = min(amount, self.sent[way] - self.taken[way])
        if amount == 0:
            return
        thread = 20 + end if end in self.pending else 10 + end
        call = Call(end, False, self.taken[way], amount, self.clock, self.clock, min(amount, self.snap[end]), thread)
        self.taken[way] += amount
        self.note(call)

    def drain(self) -> None:
        for end in (CLIENT, SERVER):
            self.clock += 1
            self.finish(end)
        for end in (CLIENT, SERVER):
            self.clock += 1
            self.read(end, 1 << 30)

    def note(self, call: Call) -> None:
        if not self.recording or not self.seen[call.end]:
            return
        self.calls.append(call)
        way = 1 - call.end if call.write else call.end
        data = content(way, call.begin, call.begin + call.length)
        entered = call.entered if call.write and self.enters else None
        tell = self.talk.send if call.write else self.talk.read
        tell(call.end, call.returned, data, stored=call.stored, entered=entered, thread=call.thread)

    def truth(self, to_server: int) -> tuple[int, list[bool]]:
        """Length of the recorded stream, and for each offset whether anybody recorded the byte."""
        base = self.base[to_server]
        writer = [call for call in self.calls if call.write and call.end == 1 - to_server]
        reader = [call for call in self.calls if not call.write and call.end == to_server]
        if not reader and writer:
            base = writer[0].begin
        length = max([call.begin + call.length - base for call in writer + reader], default=0)
        known = [False] * length
        for call in writer + reader:
            for offset in range(call.begin - base, call.begin - base + call.stored):
                known[offset] = True
        return length, known
