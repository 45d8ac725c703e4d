"""What the captures could not show, in words, with numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..convert.model.losses import CAUSES
from . import contradictions
from .display import plural, size, visible
from .findings import Findings
from .inputs import Input, Inputs, item, items
from .language import text
from .model import Captured, Phrase

Said = tuple[str, Phrase]
PAIRS, NAMED = 8, 4
# Where one sentence serves both kinds of input, the one that speaks of the kind at hand alone.
OF_PACKETS = {
    "snaplen": "frames were longer than what the recorder kept of each (snaplen); their lengths are known, the bytes "
    "are not",
    "not_captured": "bytes are in no frame; the sequence numbers and acknowledgements around them show that they were "
    "sent",
}
OF_CALLS = {
    "snaplen": "system calls moved more bytes than the recorder kept of each (snaplen); their number is known, the "
    "bytes are not",
    "not_captured": "bytes moved that are in no event; what the other end did shows that they did",
}
IN_NO_STREAM = ("unknown_link_type", "not_followed", "malformed_packet")


def limitations(inputs: Inputs, findings: Findings) -> list[Said]:
    """All of them: what each input lacks, what the records show to be missing, what no capture of its kind can show."""
    return [
        *(said for each in inputs for said in _of_input(each)),
        *_of_survey(inputs, findings),
        *_of_bounds(findings),
        *_of_kind(inputs),
    ]


def _of_input(each: Input) -> list[Said]:
    told = dict(contradictions.warnings(each))
    said: list[Said] = [(_contradiction(each, cause), warning) for cause, warning in told.items()]
    entry = each.entry
    if entry.get("status") not in (None, "complete"):
        said.append(
            (
                f"Damage in {each.item}",
                (
                    "The file could not be read to its end: " if each.readable else "The file could not be read: ",
                    Captured(entry.get("message") or "no reason was recorded"),
                    ".",
                ),
            )
        )
    for cause, loss in sorted((entry.get("losses") or {}).items()):
        if cause not in told:
            said.append((f"Loss in {each.item}: {in_words(cause)}", _loss(each, cause, loss)))
    return said


def grave(inputs: Inputs) -> list[str]:
    """The terms of those that stand out: packets that contradict each other."""
    return [_contradiction(each, cause) for each in inputs for cause, _ in contradictions.warnings(each)]


def _contradiction(each: Input, cause: str) -> str:
    return text("Contradiction in {item}: {cause}", item=each.item, cause=in_words(cause))


def in_words(cause: str) -> str:
    """A cause of loss in words."""
    return visible(cause, 40).replace("_", " ")


def first_place(loss: Mapping[str, Any]) -> str:
    """`event 12`, `frame 12` of the source or `byte 12`: where it happened first; nothing where it is not known."""
    first = loss.get("first") or {}
    for field, what in (("event", "event"), ("source_frame", "frame"), ("offset", "byte")):
        if first.get(field) is not None:
            return f"{what} {first[field]}"
    return ""


def _loss(each: Input, cause: str, loss: Mapping[str, Any]) -> Phrase:
    count = int(loss.get("count") or 0)
    text = (OF_PACKETS if each.packets else OF_CALLS).get(cause) or CAUSES.get(
        cause, f"recorded as \u201c{visible(cause, 60).replace('_', ' ')}\u201d; see docs/formats.md"
    )
    if each.capture is None:
        text = text.replace("in the pcapng, ", "")
    amount = f"{plural(count, 'time')}, {size(int(loss['bytes']))}" if loss.get("bytes") else plural(count, "time")
    frames = each.count("frames")
    if cause in IN_NO_STREAM and 0 < count <= frames:
        amount += f", {100 * count / frames:.1f} % of all frames"
    place = first_place(loss)
    return f"{amount}: {text}{f' (first at {place})' if place else ''}."


def twice(inputs: Inputs, findings: Findings) -> list[tuple[int, int, int]]:
    """Inputs that seem to have recorded the same traffic: (source, source, conversations)."""
    pairs = sorted(findings.survey.twice.items())
    return [(one, other, count) for (one, other), count in pairs if inputs.overlap(one, other)]


def _of_survey(inputs: Inputs, findings: Findings) -> list[Said]:
    survey = findings.survey
    said: list[Said] = []
    pairs = twice(inputs, findings)
    for one, other, count in pairs[:PAIRS]:
        verb, each = "has" if count == 1 else "have", "it once for each input."
        if inputs.is_packets(one) != inputs.is_packets(other):
            each = "it once for each input, and an error may be two findings: one with its program, one without."
        said.append(
            (
                f"Recorded twice: {item(one)}, {item(other)}",
                f"{plural(count, 'conversation')} of {item(other)} {verb} the same addresses and ports as one of "
                f"{item(one)}, whose time overlaps: most likely the same traffic. Figures, charts and tables count "
                f"{each}",
            )
        )
    if len(pairs) > PAIRS:
        said.append(("Recorded twice", f"The same holds for {plural(len(pairs) - PAIRS, 'more pair')} of inputs."))
    if survey.open_before:
        said.append(
            (
                "Open before the capture",
                f"{plural(survey.open_before, 'conversation')} had begun before the "
                "capture did. What was said in them before cannot be known.",
            )
        )
    if survey.without_beginning:
        said.append(
            (
                "No handshake",
                f"The beginning of {plural(survey.without_beginning, 'TCP conversation')} is in no packet: it came "
                "before the capture or was missed. What was said before the first packet cannot be known.",
            )
        )
    if survey.one_sided:
        many = survey.one_sided > 1
        said.append(
            (
                "One direction only",
                f"Of {plural(survey.one_sided, 'TCP conversation')} the payload of one direction alone was captured; "
                f"sequence numbers show that there was more. Questions or answers in {'them' if many else 'it'} were "
                "not seen.",
            )
        )
    if survey.with_gaps:
        said.append(
            (
                "Missing payload",
                f"{plural(survey.with_gaps, 'conversation')} {'lacks' if survey.with_gaps == 1 else 'lack'} bytes "
                f"({size(survey.missing_bytes)} in all). A secret that stood there was not seen.",
            )
        )
    if survey.without_response:
        said.append(
            (
                "No response",
                f"{plural(survey.without_response, 'HTTP request')} had no response in the "
                "capture; whether a credential in them was accepted is unknown.",
            )
        )
    if survey.without_request:
        said.append(
            (
                "No request",
                f"{plural(survey.without_request, 'HTTP response')} came without the request in "
                "the capture; their paths are unknown.",
            )
        )
    return said


def _of_bounds(findings: Findings) -> list[Said]:
    said: list[Said] = []
    if findings.merged_records:
        said.append(
            (
                "Grouping",
                f"{plural(findings.merged_records, 'record')} beyond the limit of separate findings "
                "were counted together by rule and server. The annotations hold each of them.",
            )
        )
    for what, count in findings.told.left_out.items():
        if count:
            said.append(
                (
                    "Logins over time" if what == "logins" else "Hops of secrets",
                    f"{plural(count, 'record')} beyond a limit were not looked at for what only several show together. "
                    "The annotations hold each of them.",
                )
            )
    if findings.comments_left_out:
        said.append(
            (
                "Packet comments",
                f"{plural(findings.comments_left_out, 'packet')} with findings carry no comment "
                "in the pcapng, because a limit was reached. Findings and annotations hold them all.",
            )
        )
    return said


def _of_kind(inputs: Inputs) -> list[Said]:
    """What holds for every capture of a kind."""
    calls = f" ({items(inputs.calls, NAMED)})" if inputs.mixed else ""
    packets = f" ({items(inputs.packets, NAMED)})" if inputs.mixed else ""
    before = {
        (True, True): "before it reached a system call or the network",
        (True, False): "on the network",
        (False, True): "before it reached a system call",
        (False, False): "before it was captured",
    }[bool(inputs.packets), bool(inputs.calls)]
    keys = " Keys that a capture holds were not used." if inputs.packets else ""
    said: list[Said] = [
        (
            "Encryption",
            f"What was encrypted {before} (TLS, SSH) was not decrypted and is not judged.{keys} No finding here does "
            "not mean that nothing was sent.",
        )
    ]
    if len(inputs.readable) > 1:
        said.append(
            (
                "Clocks",
                "Each capture has the times of its own recorder. How far their clocks were apart is not known, so "
                "times of different captures are to be compared with care.",
            )
        )
    if any(each.capture for each in inputs.calls):
        said.append(
            (
                f"Rebuilt packets{calls}",
                "The packets in the pcapng were rebuilt from system calls. Sequence numbers, "
                "handshakes, MAC-level data and retransmissions were not on the wire in that form.",
            )
        )
    if inputs.packets:
        said += [
            (
                f"No processes{packets}",
                "A packet capture names no process, user or container. Who was behind an address has to be found "
                "elsewhere.",
            ),
            (
                f"Place of the capture{packets}",
                "A packet capture shows what passed the place where it was taken. What took another way, stayed "
                "inside a machine or a tunnel, or came too fast for the recorder is not in it.",
            ),
            (
                f"Order and checksums{packets}",
                "Streams were put together by sequence numbers; where bytes were captured more than once the first "
                "copy counts. Checksums were not verified, since network cards compute them after the capture: what "
                "a receiver threw away as damaged counts here.",
            ),
        ]
    return said
