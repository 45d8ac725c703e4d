"""The words of the report that not every reader knows."""

from __future__ import annotations

from .inputs import Inputs
from .language import text


def glossary(inputs: Inputs) -> list[tuple[str, str]]:
    """Terms and what they mean, in the order of the English alphabet; those of one kind of input only where needed."""
    terms = [
        (
            text("404, 5xx"),
            text(
                "HTTP status codes: 404 says that the server has nothing at the address; 500 to 599 say that the "
                "server failed."
            ),
        ),
        (
            text("Challenge and answer"),
            text(
                "A login in which the server sends a number and the client answers with a digest of it and the "
                "password. The password does not cross the network, but with both, passwords can be tried until one "
                "gives the same answer."
            ),
        ),
        (text("Conversation"), _conversation(inputs)),
        (text("CWE"), text("Common Weakness Enumeration, a public list of kinds of weakness.")),
    ]
    if not inputs.only_packets:
        terms.append(
            (
                text("Event"),
                text(
                    "One recorded system call. The event number counts the events of a file from 1; evt.num is "
                    "sysdig's count."
                ),
            )
        )
    terms += [
        (
            text("Fingerprint"),
            text("Twelve hexadecimal digits of an HMAC-SHA-256 over a secret. Equal fingerprints mean equal secrets."),
        ),
        (text("Frame"), _frame(inputs)),
        (text("Snaplen"), _snaplen(inputs)),
    ]
    if inputs.packets:
        terms.append(
            (
                text("Source frame"),
                text(
                    "The frame of a packet capture that was read, by its number in Wireshark. In the pcapng it has the "
                    "same number, unless the source holds records that are no packets."
                ),
            )
        )
    return [
        *terms,
        (
            text("tcp.stream"),
            text("Wireshark's number for a TCP connection; `tcp.stream eq N` shows all of it."),
        ),
        (text("TLP"), text("Traffic Light Protocol 2.0 of FIRST: how far this report may be shared.")),
    ]


def _conversation(inputs: Inputs) -> str:
    if inputs.only_packets:
        return text(
            "What two endpoints said to each other: a TCP connection, or UDP datagrams of one pair of endpoints until "
            "60 s of silence."
        )
    return text(
        "What two endpoints said to each other: a TCP connection, a unix socket connection, or UDP datagrams of one "
        "pair of endpoints until 60 s of silence."
    )


def _frame(inputs: Inputs) -> str:
    if inputs.mixed:
        return text("A packet of the pcapng, rebuilt or the source's own, by its number in Wireshark.")
    if inputs.only_packets:
        return text("A packet of the pcapng that was written, by its number in Wireshark.")
    return text("A packet of the rebuilt pcapng, by its number in Wireshark.")


def _snaplen(inputs: Inputs) -> str:
    if inputs.mixed:
        return text("How many bytes of each read, write or frame the recorder kept.")
    if inputs.only_packets:
        return text("How many bytes of each frame the recorder kept.")
    return text("How many bytes of each read or write the recorder kept.")
