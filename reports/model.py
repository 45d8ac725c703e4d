"""The nouns of a report: what a document consists of, before anyone thinks of pages.

Text of ours is `str`; text out of the capture is `Captured`, and renderers show it only through `display.captured`. A
`Phrase` mixes both. Nothing here is HTML.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup


class Captured(str):
    """Text that came out of a capture, or from elsewhere outside this program: never trusted."""

    __slots__ = ()


Phrase = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of each list one rendering holds; what is beyond stands in findings.jsonl."""

    rows: int
    cards: int
    instances: int
    errors: int
    talkers: int
    moments: int


SCREEN = Limits(rows=2_000, cards=400, instances=25, errors=1_000, talkers=50, moments=500)
PAPER = Limits(rows=100, cards=20, instances=4, errors=40, talkers=12, moments=40)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report. `anchor` is the same in every language, so that links into a report stay."""

    anchor: str
    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One of the key figures."""

    value: str
    label: str
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, the sentence that says the same, and the numbers as a table."""

    title: str
    svg: Markup
    text: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    legend: list[tuple[str, str]] = field(default_factory=list)
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A finding in the overview."""

    id: str
    severity: str
    title: Phrase
    process: Phrase
    connection: Phrase
    count: str
    first: str
    frame: str
    has_card: bool


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where one instance stands: in the evidence, in sysdig's numbering, in Wireshark.

    `origin` is the event of a capture of system calls, the frame of a packet capture.
    """

    item: str
    time: str
    origin: str
    evt_num: str
    offset: str
    frame: str
    display_filter: str
    tcp_stream: str
    outcome: str
    note: str


@dataclass(frozen=True, slots=True)
class Card:
    """A finding in full. `kind`: its pointers name `events`, `frames` or `both`; `origin` heads their column."""

    id: str
    severity: str
    title: Phrase
    story: Phrase
    brief: list[tuple[str, Phrase]]
    facts: list[tuple[str, Phrase]]
    pointers: list[Pointer]
    kind: str
    origin: str
    instances_total: int
    excerpt: list[Phrase]
    commands: list[Phrase]
    impact: Phrase
    advice: Phrase
    references: Phrase
    hops: Table | None = None


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """Requests that failed alike: same server, path, client and programs."""

    id: str
    severity: str
    status: str
    path: Phrase
    server: Phrase
    client: Phrase
    count: str
    first: str
    last: str
    item: str
    display_filter: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One input. `warnings`: what a reader must know before relying on it."""

    item: str
    name: Phrase
    facts: list[tuple[str, Phrase]]
    intact: bool | None
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text with a head; `note` says what was left out."""

    head: tuple[str, ...]
    rows: list[tuple[Phrase, ...]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A step of the remediation plan."""

    what: Phrase
    concerns: str
    check: str


@dataclass(frozen=True, slots=True)
class Document:
    """The report. `several`: a frame's number is told with its input, since there is more than one. `grave`: the
    limitations that stand out.
    """

    title: str
    language: str
    sections: tuple[Section, ...]
    subtitle: Phrase
    tlp: str
    revealed: bool
    case: list[tuple[str, Phrase]]
    handling: str
    verdict: tuple[str, str]
    summary: list[Phrase]
    figures: list[Figure]
    charts: list[Chart]
    first_steps: list[Phrase]
    evidence: list[Evidence]
    custody: list[tuple[str, Phrase]]
    method: list[str]
    rules: Table
    overview: list[Row]
    overview_note: str
    accepted: Table
    gone: Table
    several: bool
    cards: list[Card]
    cards_note: str
    errors_text: list[Phrase]
    missing: list[ErrorRow]
    missing_note: str
    failed: list[ErrorRow]
    failed_note: str
    scanners: Table
    moments: Table
    programs: Table
    programs_chart: Chart | None
    programs_note: str
    hosts: Table
    pairs: Table
    pairs_chart: Chart | None
    spread_text: list[Phrase]
    spread: Table
    reused: Table
    limitations: list[tuple[str, Phrase]]
    grave: frozenset[str]
    plan: list[Action]
    glossary: list[tuple[str, str]]
    commands: list[tuple[str, list[Phrase]]]
    filters: Table
    companions: Table
    footer: Phrase
    created: str | None
