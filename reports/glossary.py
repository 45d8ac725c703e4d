"""The words of the report that not every reader knows."""

from __future__ import annotations

from .inputs import Inputs

ERRORS = (
    "404, 5xx",
    "HTTP status codes: 404 says that the server has nothing at the address; 500 to 599 say that the server failed.",
)
WEAKNESS = ("CWE", "Common Weakness Enumeration, a public list of kinds of weakness.")
FINGERPRINT = (
    "Fingerprint",
    "Twelve hexadecimal digits of an HMAC-SHA-256 over a secret. Equal fingerprints mean equal secrets.",
)
CHALLENGE = (
    "Challenge and answer",
    "A login in which the server sends a number and the client answers with a digest of it and the password. The "
    "password does not cross the network, but with both, passwords can be tried until one gives the same answer.",
)
STREAM = ("tcp.stream", "Wireshark's number for a TCP connection; `tcp.stream eq N` shows all of it.")
SHARING = ("TLP", "Traffic Light Protocol 2.0 of FIRST: how far this report may be shared.")
EVENT = (
    "Event",
    "One recorded system call. The event number counts the events of a file from 1; evt.num is sysdig's count.",
)


def glossary(inputs: Inputs) -> list[tuple[str, str]]:
    """Terms and what they mean, in the order of the alphabet; those of packets or system calls only where needed."""
    sockets = "" if inputs.only_packets else " a unix socket connection,"
    terms = [
        ERRORS,
        CHALLENGE,
        (
            "Conversation",
            f"What two endpoints said to each other: a TCP connection,{sockets} or UDP datagrams of one pair of "
            "endpoints until 60 s of silence.",
        ),
        WEAKNESS,
    ]
    if not inputs.only_packets:
        terms.append(EVENT)
    terms += [FINGERPRINT, ("Frame", _frame(inputs)), ("Snaplen", _snaplen(inputs))]
    if inputs.packets:
        terms.append(
            (
                "Source frame",
                "The frame of a packet capture that was read, by its number in Wireshark. In the pcapng it has the "
                "same number, unless the source holds records that are no packets.",
            )
        )
    return [*terms, STREAM, SHARING]


def _frame(inputs: Inputs) -> str:
    if inputs.mixed:
        return "A packet of the pcapng, rebuilt or the source's own, by its number in Wireshark."
    whose = "the pcapng that was written" if inputs.only_packets else "the rebuilt pcapng"
    return f"A packet of {whose}, by its number in Wireshark."


def _snaplen(inputs: Inputs) -> str:
    what = "frame" if inputs.only_packets else "read, write or frame" if inputs.mixed else "read or write"
    return f"How many bytes of each {what} the recorder kept."
