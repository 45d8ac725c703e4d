"""What the captures could not show, in words, with numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..convert.model.losses import CAUSES
from . import contradictions
from .display import size, visible
from .findings import Findings
from .inputs import Input, Inputs, item, items
from .language import later, phrase, plural, text
from .model import Captured, Phrase

Said = tuple[str, Phrase]
PAIRS, NAMED = 8, 4
# Where one sentence serves both kinds of input, the one that speaks of the kind at hand alone.
OF_PACKETS = later(
    {
        "snaplen": "frames were longer than what the recorder kept of each (snaplen); their lengths are known, the "
        "bytes are not",
        "not_captured": "bytes are in no frame; the sequence numbers and acknowledgements around them show that they "
        "were sent",
    }
)
OF_CALLS = later(
    {
        "snaplen": "system calls moved more bytes than the recorder kept of each (snaplen); their number is known, the "
        "bytes are not",
        "not_captured": "bytes moved that are in no event; what the other end did shows that they did",
    }
)
PLACES = later({"event": "event {number}", "source_frame": "frame {number}", "offset": "byte {number}"})
IN_NO_STREAM = ("unknown_link_type", "not_followed", "malformed_packet")


def limitations(inputs: Inputs, findings: Findings) -> list[Said]:
    """All of them: what each input lacks, what the records show to be missing, what no capture of its kind can show."""
    return [
        *(said for each in inputs for said in _of_input(each)),
        *_of_survey(inputs, findings),
        *_of_bounds(findings),
        *_of_search(inputs),
        *_of_kind(inputs),
    ]


def _of_input(each: Input) -> list[Said]:
    told = dict(contradictions.warnings(each))
    said: list[Said] = [(_contradiction(each, cause), warning) for cause, warning in told.items()]
    entry = each.entry
    if entry.get("status") not in (None, "complete"):
        reason: Phrase = Captured(entry["message"]) if entry.get("message") else text("no reason was recorded")
        said.append(
            (
                text("Damage in {item}", item=each.item),
                phrase("The file could not be read to its end: {reason}.", reason=reason)
                if each.readable
                else phrase("The file could not be read: {reason}.", reason=reason),
            )
        )
    for cause, loss in sorted((entry.get("losses") or {}).items()):
        if cause not in told:
            label = text("Loss in {item}: {cause}", item=each.item, cause=in_words(cause))
            said.append((label, _loss(each, cause, loss)))
    return said


def grave(inputs: Inputs) -> list[str]:
    """The terms of those that stand out: packets that contradict each other."""
    return [_contradiction(each, cause) for each in inputs for cause, _ in contradictions.warnings(each)]


def _contradiction(each: Input, cause: str) -> str:
    return text("Contradiction in {item}: {cause}", item=each.item, cause=in_words(cause))


def in_words(cause: str) -> str:
    """A cause of loss in words."""
    words = visible(cause, 40).replace("_", " ")
    return text(words) if cause in CAUSES else words


def first_place(loss: Mapping[str, Any]) -> str:
    """`event 12`, `frame 12` of the source or `byte 12`: where it happened first; nothing where it is not known."""
    first = loss.get("first") or {}
    for field, told in PLACES.items():
        if first.get(field) is not None:
            return text(told, number=first[field])
    return ""


def _loss(each: Input, cause: str, loss: Mapping[str, Any]) -> Phrase:
    count = int(loss.get("count") or 0)
    known = (OF_PACKETS if each.packets else OF_CALLS).get(cause) or CAUSES.get(cause)
    if known is None:
        words = visible(cause, 60).replace("_", " ")
        told = text("recorded as \u201c{cause}\u201d; see docs/formats.md", cause=words)
    else:
        told = text(known if each.capture is not None else known.replace("in the pcapng, ", ""))
    amount = plural(count, "time")
    if loss.get("bytes"):
        amount += text(", ") + size(int(loss["bytes"]))
    frames = each.count("frames")
    if cause in IN_NO_STREAM and 0 < count <= frames:
        amount += text(", ") + text("{share} % of all frames", share=f"{100 * count / frames:.1f}")
    if place := first_place(loss):
        return text("{amount}: {what} (first at {place}).", amount=amount, what=told, place=place)
    return text("{amount}: {what}.", amount=amount, what=told)


def twice(inputs: Inputs, findings: Findings) -> list[tuple[int, int, int]]:
    """Inputs that seem to have recorded the same traffic: (source, source, conversations)."""
    pairs = sorted(findings.survey.twice.items())
    return [(one, other, count) for (one, other), count in pairs if inputs.overlap(one, other)]


def _of_survey(inputs: Inputs, findings: Findings) -> list[Said]:
    survey = findings.survey
    said: list[Said] = []
    pairs = twice(inputs, findings)
    for one, other, count in pairs[:PAIRS]:
        same = text(
            "Of {other}, {conversations} as one of {one}, whose time overlaps: most likely the same traffic. Figures, "
            "charts and tables count it once for each input.",
            conversations=plural(
                count,
                "conversation has the same addresses and ports",
                "conversations have the same addresses and ports",
            ),
            one=item(one),
            other=item(other),
        )
        if inputs.is_packets(one) != inputs.is_packets(other):
            same += text(" An error may be two findings: one with its program, one without.")
        said.append((text("Recorded twice: {one}, {other}", one=item(one), other=item(other)), same))
    if len(pairs) > PAIRS:
        more = plural(len(pairs) - PAIRS, "more pair of inputs is like that.", "more pairs of inputs are like that.")
        said.append((text("Recorded twice"), more))
    told = (
        (
            text("Open before the capture"),
            plural(
                survey.open_before,
                "conversation had begun before the capture did. What was said in it before cannot be known.",
                "conversations had begun before the capture did. What was said in them before cannot be known.",
                none="",
            ),
        ),
        (
            text("No handshake"),
            plural(
                survey.without_beginning,
                "TCP conversation has its beginning in no packet: it came before the capture or was missed. What was "
                "said before the first packet cannot be known.",
                "TCP conversations have their beginning in no packet: it came before the capture or was missed. What "
                "was said before the first packet cannot be known.",
                none="",
            ),
        ),
        (
            text("One direction only"),
            plural(
                survey.one_sided,
                "TCP conversation was captured with the payload of one direction alone; sequence numbers show that "
                "there was more. Questions or answers in it were not seen.",
                "TCP conversations were captured with the payload of one direction alone; sequence numbers show that "
                "there was more. Questions or answers in them were not seen.",
                none="",
            ),
        ),
        (
            text("Missing payload"),
            text(
                "{conversations} ({size} in all). A secret that stood there was not seen.",
                conversations=plural(survey.with_gaps, "conversation lacks bytes", "conversations lack bytes"),
                size=size(survey.missing_bytes),
            )
            if survey.with_gaps
            else "",
        ),
        (
            text("No response"),
            plural(
                survey.without_response,
                "HTTP request had no response in the capture; whether a credential in it was accepted is unknown.",
                "HTTP requests had no response in the capture; whether a credential in them was accepted is unknown.",
                none="",
            ),
        ),
        (
            text("No request"),
            plural(
                survey.without_request,
                "HTTP response came without the request in the capture; its path is unknown.",
                "HTTP responses came without the request in the capture; their paths are unknown.",
                none="",
            ),
        ),
    )
    return [*said, *(each for each in told if each[1])]


def _of_bounds(findings: Findings) -> list[Said]:
    told = (
        (
            text("Grouping"),
            plural(
                findings.merged_records,
                "record beyond the limit of separate findings was counted together with others by rule and server. The "
                "annotations hold it.",
                "records beyond the limit of separate findings were counted together by rule and server. The "
                "annotations hold each of them.",
                none="",
            ),
        ),
        *(
            (
                text("Logins over time") if what == "logins" else text("Hops of secrets"),
                plural(
                    count,
                    "record beyond a limit was not looked at for what only several show together. The annotations hold "
                    "it.",
                    "records beyond a limit were not looked at for what only several show together. The annotations "
                    "hold each of them.",
                    none="",
                ),
            )
            for what, count in findings.told.left_out.items()
        ),
        (
            text("Captures compared"),
            plural(
                findings.sides.left_out + findings.doubles.left_out,
                "record beyond a limit was not compared with those of other captures. If another one holds it too, it "
                "counts in each.",
                "records beyond a limit were not compared with those of other captures. What another one holds too "
                "counts in each.",
                none="",
            ),
        ),
        (
            text("Packet comments"),
            plural(
                findings.comments_left_out,
                "packet with findings carries no comment in the pcapng, because a limit was reached. Findings and "
                "annotations hold them all.",
                "packets with findings carry no comment in the pcapng, because a limit was reached. Findings and "
                "annotations hold them all.",
                none="",
            ),
        ),
    )
    return [each for each in told if each[1]]


def _of_search(inputs: Inputs) -> list[Said]:
    """What the search for secrets that were handed on did not look at, or does not tell."""
    left = inputs.unfollowed
    once = [each for each in inputs if each.source in (left.get("unsearched") or ())]
    told = (
        (
            text("Secrets not followed"),
            plural(
                int(left.get("secrets") or 0),
                "secret beyond a limit was not looked for elsewhere; where it went is not known.",
                "secrets beyond a limit were not looked for elsewhere; where they went is not known.",
                none="",
            ),
        ),
        (
            text("Places of secrets"),
            plural(
                int(left.get("places") or 0),
                "place at which a secret was seen again is beyond a limit and not told.",
                "places at which secrets were seen again are beyond a limit and not told.",
                none="",
            ),
        ),
        (
            text("Files not searched"),
            text(
                "What programs wrote to files and were given as arguments was not searched for secrets in {items}: it "
                "takes a second reading, and there was but one.",
                items=items(once, NAMED),
            )
            if once
            else "",
        ),
    )
    return [each for each in told if each[1]]


def _of_kind(inputs: Inputs) -> list[Said]:
    """What holds for every capture of a kind."""
    calls = f" ({items(inputs.calls, NAMED)})" if inputs.mixed else ""
    packets = f" ({items(inputs.packets, NAMED)})" if inputs.mixed else ""
    before = text("before it was captured")
    if inputs.mixed:
        before = text("before it reached a system call or the network")
    elif inputs.packets:
        before = text("on the network")
    elif inputs.calls:
        before = text("before it reached a system call")
    keys = text(" Keys that a capture holds were not used.") if inputs.packets else ""
    said: list[Said] = [
        (
            text("Encryption"),
            text(
                "What was encrypted {before} (TLS, SSH) was not decrypted and is not judged.{keys} No finding here "
                "does not mean that nothing was sent.",
                before=before,
                keys=keys,
            ),
        )
    ]
    if len(inputs.readable) > 1:
        said.append(
            (
                text("Clocks"),
                text(
                    "Each capture has the times of its own recorder's clock, as UTC. How far clocks were apart is told "
                    "with the evidence, as far as messages that two captures hold show it; elsewhere it is not known, "
                    "so times of different captures are to be compared with care."
                ),
            )
        )
    if any(each.capture for each in inputs.calls):
        said.append(
            (
                text("Rebuilt packets{items}", items=calls),
                text(
                    "The packets in the pcapng were rebuilt from system calls. Sequence numbers, handshakes, MAC-level "
                    "data and retransmissions were not on the wire in that form."
                ),
            )
        )
    if inputs.packets:
        said += [
            (
                text("No processes{items}", items=packets),
                text(
                    "A packet capture names no process, user or container. Who was behind an address has to be found "
                    "elsewhere."
                ),
            ),
            (
                text("Place of the capture{items}", items=packets),
                text(
                    "A packet capture shows what passed the place where it was taken. What took another way, stayed "
                    "inside a machine or a tunnel, or came too fast for the recorder is not in it."
                ),
            ),
            (
                text("Order and checksums{items}", items=packets),
                text(
                    "Streams were put together by sequence numbers; where bytes were captured more than once the first "
                    "copy counts. Checksums were not verified, since network cards compute them after the capture: "
                    "what a receiver threw away as damaged counts here."
                ),
            ),
        ]
    return said
