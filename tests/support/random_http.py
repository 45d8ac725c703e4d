"""HTTP conversations by seed, cut and split and seen in every way, and the statuses that belong to each."""

from __future__ import annotations

from random import Random

from support.rebuilt import CLIENT, SERVER, Capture, Dialogue

EVERYTHING = 1 << 30
RECOGNISED = 20  # the first write of a message has so many bytes: a start line that can be told


def split(random: Random, data: bytes) -> list[bytes]:
    """`data` as it is written by one or many calls."""
    parts: list[bytes] = []
    while data:
        size = random.choice([1, 10, 50, 100, 1_000, 100_000]) if random.random() < 0.5 else len(data)
        size = max(size, RECOGNISED) if not parts else size
        parts.append(data[:size])
        data = data[size:]
    return parts


class Converser:
    """One conversation: which ends are seen, how much of each call, whether enters are recorded."""

    def __init__(self, random: Random, talk: Dialogue) -> None:
        self.random = random
        self.talk = talk
        self.snap = [random.choice([20, 80, 200, EVERYTHING]) for _ in range(2)]
        self.seen = random.choice([(True, True), (True, False), (False, True)])
        self.enters = random.random() < 0.5
        self.statuses: list[str] = []

    def move(self, end: int, data: bytes, at: float) -> None:
        """Send `data` from an end in some calls; at times the reader is quicker than the writer's return."""
        parts = split(self.random, data)
        for number, part in enumerate(parts):
            begin, step = at + number / len(parts), 1 / len(parts)
            race = self.random.random() < 0.2
            returned = begin + (0.3 if race else 0.1) * step
            if race and self.seen[1 - end]:
                self.talk.read(1 - end, begin + 0.2 * step, part, stored=self.snap[1 - end])
            if self.seen[end]:
                entered = begin if self.enters else None
                self.talk.send(end, returned, part, stored=self.snap[end], entered=entered)
            if not race and self.seen[1 - end]:
                self.talk.read(1 - end, begin + 0.2 * step, part, stored=self.snap[1 - end])

    def exchange(self, at: float) -> None:
        random = self.random
        letters = b"abcdefg" if random.random() < 0.7 else b"\nbcdefg"
        body = bytes(random.choices(letters, k=random.choice([0, 5, 100, 1_000, 30_000])))
        status = random.choice([b"200", b"404", b"500"])
        self.statuses.append(status.decode())
        padding = [b"X-Padding: " + b"p" * random.choice([1, 300]) + b"\r\n" for _ in range(2)]
        self.move(CLIENT, b"GET /page HTTP/1.1\r\nHost: example.com\r\n" + padding[0] + b"\r\n", at)
        head = b"HTTP/1.1 %s X\r\n%sContent-Length: %d\r\n\r\n" % (status, padding[1], len(body))
        self.move(SERVER, head + body, at + 5)

    def converse(self, at: float) -> None:
        random, talk = self.random, self.talk
        if not talk.preexisting:
            if self.seen[CLIENT]:
                talk.connect(at, pending=random.random() < 0.3)
            if self.seen[SERVER]:
                talk.accept(at + 0.01)
        elif self.seen == (False, True):
            for _ in range(random.randrange(3)):  # the end of a body that began before
                talk.send(SERVER, at + 0.05, bytes(random.choices(b"abc \n<>", k=200)), stored=self.snap[SERVER])
        for _ in range(random.randrange(1, 5)):
            at += 20
            self.exchange(at)
        for end in (CLIENT, SERVER):
            if self.seen[end] and random.random() < 0.5:
                talk.close(end, at + 10 + end / 10)


def random_http(seed: int, conversations: int) -> tuple[Capture, dict[int, list[str]]]:
    """The capture, and the statuses of each conversation in order."""
    random = Random(seed)
    capture = Capture()
    statuses = {}
    for number in range(conversations):
        preexisting = random.random() < 0.3
        family = random.choice([4, 4, 6, 1])
        if family == 1:
            talk = capture.unix(path=number, preexisting=preexisting)
        else:
            addresses = ("fd00::5", "fd00::80") if family == 6 else ("127.0.0.1", "127.0.0.1")
            talk = capture.tcp(*addresses, preexisting=preexisting)
        converser = Converser(random, talk)
        converser.converse(number * 1_000)
        statuses[talk.id] = converser.statuses
    return capture, statuses
