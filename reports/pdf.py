"""report.pdf, laid out by WeasyPrint in a child process with limits of time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .errors import RendererMissing, RenderFailed

SECONDS = 300
MEMORY = 2 << 30
MISSING, NO_FONT = 5, 6
REMEDY = (
    "the PDF needs WeasyPrint and its libraries; on Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 "
    "libharfbuzz0b libharfbuzz-subset0 libfontconfig1 fonts-dejavu-core"
)


FONTS = "the PDF needs one with Japanese letters; on Debian: apt-get install fonts-ipafont-gothic, or fonts-noto-cjk"


class Attached(NamedTuple):
    """A file that is embedded. `relationship`: PDF's AFRelationship, what it is to the document."""

    name: str
    data: bytes
    type: str
    description: str
    relationship: str = "Data"


def render(
    page: bytes,
    *,
    variant: str = "ua-1",
    attachments: Sequence[Attached] = (),
    created: int = 0,
    letters: str = "",
    seconds: int = SECONDS,
    memory: int = MEMORY,
) -> bytes:
    """The PDF of a page made by `html.pages`. The same page and attachments give the same bytes.

    Args:
        page: HTML, UTF-8.
        variant: `ua-1` or `a-3a`, as which it is made (PDF/UA-1, ISO 14289-1; PDF/A-3a, ISO 19005-3).
        attachments: files that are embedded.
        created: the date of the attachments, seconds since 1970; PDF/A asks for one.
        letters: for which there has to be a font, or nothing is made.
        seconds: limit of processor time of the child, and a quarter of its limit of wall time.
        memory: limit of the child's address space, in bytes.

    Raises:
        RendererMissing: WeasyPrint or a library of it is not there, or no font has the letters.
        RenderFailed: it ran into a limit, or failed.
    """
    child = Path(__file__).with_name("pdf_child.py")
    # The child must not look for modules beside itself (reports/html.py is not the library's html), but wherever we do.
    environment = {name: value for name, value in os.environ.items() if name in ("HOME", "PATH", "SOURCE_DATE_EPOCH")}
    environment |= {
        "PYTHONSAFEPATH": "1",
        "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
    head = {
        "variant": variant,
        "page": len(page),
        "created": created,
        "letters": letters,
        "attachments": [
            {
                "name": each.name,
                "type": each.type,
                "description": each.description,
                "relationship": each.relationship,
                "length": len(each.data),
            }
            for each in attachments
        ],
    }
    try:
        done = subprocess.run(
            [sys.executable, str(child), str(seconds), str(memory)],
            input=b"".join((json.dumps(head).encode(), b"\n", page, *(each.data for each in attachments))),
            timeout=4 * seconds,
            capture_output=True,
            env=environment,
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RenderFailed(f"the PDF was not made: no end after {4 * seconds} s") from error
    if done.returncode == NO_FONT:
        raise RendererMissing(f"no font for the report's language: {FONTS}")
    if done.returncode == MISSING:
        raise RendererMissing(f"{done.stderr.decode('utf-8', 'replace').strip()[-200:]}: {REMEDY}")
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF-"):
        raise RenderFailed(f"the PDF was not made: {_reason(done.returncode, seconds, memory)}")
    return done.stdout


def _reason(code: int, seconds: int, memory: int) -> str:
    if code in (-9, -24):
        return f"its layout took more than {seconds} s of processor time"
    if code == 7:
        return f"its layout took more than {memory >> 20} MiB of memory"
    return f"the layout process ended with status {code}"
