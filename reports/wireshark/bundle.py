"""The files of DIR/wireshark: a configuration profile, the script beside it, and how to use both.

Their size does not grow with the findings: findings and processes stand in the comments of the pcapng, which the
script and the filters read. Of the capture only port numbers reach these files; of the rules their short names, which
`literal` quotes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files as resources
from string import ascii_letters, digits
from typing import Any

from ..findings import Findings
from ..findings.kinds import WITH_SECRET
from ..findings.severity import LEVELS
from ..inputs import Inputs
from ..repeat import HTTP_PORTS, odd_ports

PROFILE = "profiles/syswire"
SCRIPT = "syswire.lua"
FINDING = 'frame.comment contains "syswire SW-"'
NOT_FOUND = "http.response.code == 404 || http2.headers.status == 404"
SERVER_ERROR = "(http.response.code >= 500 && http.response.code < 600)"
_PLAIN = frozenset(ascii_letters + digits + " -_/:,")
COLOURS = {
    "critical": ((65535, 65535, 65535), (40092, 0, 8738)),
    "high": ((0, 0, 0), (65535, 40606, 33924)),
    "medium": ((0, 0, 0), (65535, 54741, 32639)),
    "low": ((0, 0, 0), (65535, 63479, 47288)),
    "info": ((0, 0, 0), (56540, 60395, 65535)),
}
"""Foreground and background of 16 bits a channel; at least 7:1 apart in each pair."""
COLUMNS = (
    ("No.", "%m"),
    ("Time (UTC)", "%Yut"),
    ("Source", "%s"),
    ("Destination", "%d"),
    ("Protocol", "%p"),
    ("Length", "%L"),
    ("Process", "%Cus:syswire.process:0:R"),
    ("Finding", "%Cus:syswire.finding:0:R"),
    ("Info", "%i"),
    ("Comment", "%Cus:frame.comment:0:R"),
)

Manifest = Mapping[str, Any]


def files(findings: Findings, manifest: Manifest, *, revealed: bool) -> Iterator[tuple[str, bytes]]:
    """(name relative to DIR/wireshark, content) of every file of the bundle."""
    odd = odd_ports(manifest, findings)
    yield f"{PROFILE}/colorfilters", _colours().encode("ascii")
    yield f"{PROFILE}/preferences", _preferences().encode("ascii")
    yield f"{PROFILE}/dfilter_buttons", _buttons(findings).encode("ascii")
    yield f"{PROFILE}/decode_as_entries", _decode_as(odd).encode("ascii")
    yield SCRIPT, resources(__package__).joinpath(SCRIPT).read_bytes()
    yield "README.txt", _readme(manifest, odd, revealed=revealed).encode("utf-8")


def of_severity(level: str) -> str:
    """A display filter for the frames of findings of a severity; it needs no script."""
    return f'frame.comment matches "^syswire SW-[0-9]+ {level}:"'


def literal(text: str) -> str:
    """A regular expression within a display filter's string that matches the text, whatever it holds."""
    return "".join(letter if letter in _PLAIN else "." for letter in text)


def credentials(shorts: Iterable[str]) -> str:
    """A display filter for findings of rules with these short names; without any it lets nothing by."""
    names = "|".join(literal(short) for short in shorts)
    return (
        f'frame.comment matches "^syswire SW-[0-9]+ [a-z]+: ({names})(,| .accepted)"' if names else "frame.number == 0"
    )


def _colours() -> str:
    lines = ["# Made by syswire: frames of findings, the gravest first."]
    for level in LEVELS:
        front, back = (f"[{','.join(str(channel) for channel in pair)}]" for pair in COLOURS[level])
        lines.append(f"@syswire {level}@{of_severity(level)}@{back}{front}")
    lines.append("@syswire 404@http.response.code == 404@[60395,60395,60395][0,0,0]")
    return "\n".join(lines) + "\n"


def _preferences() -> str:
    columns = ",\n".join(f'\t"{title}", "{form}"' for title, form in COLUMNS)
    return (
        "# Made by syswire.\n"
        f"gui.column.format: \n{columns}\n"
        "# Payload that the recording cut never completes a body: show each response by itself.\n"
        "http.desegment_body: FALSE\n"
        "# Names of unix sockets come from the capture; nothing is asked of the network, nor of this machine's files.\n"
        "nameres.network_name: TRUE\n"
        "nameres.use_external_name_resolver: FALSE\n"
        "nameres.dns_pkt_addr_resolution: FALSE\n"
        "nameres.hosts_file_handling: TRUE\n"
    )


def _buttons(findings: Findings) -> str:
    rules = (findings.rule(position) for position in range(len(findings)))
    secret = sorted({rule.short for rule in rules if rule.kind in WITH_SECRET})  # what this case has: people read it
    buttons = [
        ("Findings", FINDING, "Frames of all findings"),
        ("Credentials", credentials(secret), "Findings on secrets"),
        ("404", NOT_FOUND, "Pages that are missing"),
        ("5xx", SERVER_ERROR, "Errors of the server"),
        *((level, of_severity(level), f"Findings of severity {level}") for level in LEVELS),
        ("Processes", "syswire.process", "Conversations with a known process; needs syswire.lua"),
    ]
    rows = (",".join(_cell(cell) for cell in ("TRUE", *button)) for button in buttons)
    return "# Made by syswire.\n" + "".join(f"{row}\n" for row in rows)


def _cell(text: str) -> str:
    """A cell of a table of Wireshark's: quotes and backslashes as hexadecimal."""
    return '"' + text.replace("\\", "\\x5c").replace('"', "\\x22") + '"'


def _decode_as(odd: Iterable[int]) -> str:
    rows = "".join(f"decode_as_entry: tcp.port,{port},(none),HTTP\n" for port in odd)
    return f"# Made by syswire: ports on which HTTP was seen.\n{rows}"


def _readme(manifest: Manifest, odd: list[int], *, revealed: bool) -> str:
    inputs = Inputs(manifest)
    written = any(each.capture is not None for each in inputs)
    secrets = "The comments of the captures CONTAIN SECRETS in clear text (--reveal was given).\n\n" if revealed else ""
    ports = ", ".join(str(port) for port in odd)
    decoded = f"Ports given to HTTP beside Wireshark's own {len(HTTP_PORTS)}: {ports}.\n" if odd else ""
    missing = "" if written else "No capture was written (--no-pcapng): there is nothing to open.\n\n"
    return f"""Findings and processes in Wireshark

{secrets}{missing}Try it without copying anything, from the directory of the report:

  WIRESHARK_CONFIG_DIR="$PWD/wireshark" tshark -C syswire -X lua_script:wireshark/{SCRIPT} -r CAPTURE.pcapng

Keep it: copy profiles/syswire into the folder "profiles" of the personal configuration, and {SCRIPT} into the
personal Lua plugins. Help > About Wireshark > Folders, and tshark -G folders, tell where these are; on Linux

  mkdir -p ~/.config/wireshark/profiles ~/.local/lib/wireshark/plugins
  cp -r profiles/syswire ~/.config/wireshark/profiles/
  cp {SCRIPT} ~/.local/lib/wireshark/plugins/

Then choose the profile "syswire" at the lower right of the window, or start with -C syswire. Do not let Wireshark
itself run on this folder as its configuration: it writes its own settings there, and syswire verify tells.

Fields of {SCRIPT}: syswire.finding, syswire.severity, syswire.text, syswire.more, syswire.stream, syswire.process,
syswire.pid, syswire.user, syswire.client.process, syswire.client.pid, syswire.server.process, syswire.server.pid.

  tshark -X lua_script:{SCRIPT} -r CAPTURE.pcapng -Y 'syswire.process == "httpd"'
  tshark -X lua_script:{SCRIPT} -r CAPTURE.pcapng -Y 'syswire.finding == "SW-0001"'

Colours and the buttons on findings read the comments and need no script; the columns Process and Finding, and the
button Processes do. A process is known for both ends of a stream, so a filter by process shows both directions.
{decoded}Read the original files of the case with it, not a copy without comments (.pcap has none).
"""
