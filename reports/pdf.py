"""report.pdf, laid out by WeasyPrint in a child process with limits of time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from .errors import RendererMissing, RenderFailed

SECONDS = 300
MEMORY = 2 << 30
MISSING = 5
REMEDY = (
    "the PDF needs WeasyPrint and its libraries; on Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 "
    "libharfbuzz0b libharfbuzz-subset0 libfontconfig1 fonts-dejavu-core"
)


def render(page: bytes, *, seconds: int = SECONDS, memory: int = MEMORY) -> bytes:
    """The PDF of a page made by `html.pages`. The same page gives the same bytes.

    Args:
        page: HTML, UTF-8.
        seconds: limit of processor time of the child, and a quarter of its limit of wall time.
        memory: limit of the child's address space, in bytes.

    Raises:
        RendererMissing: WeasyPrint or a library of it is not there.
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
    try:
        done = subprocess.run(
            [sys.executable, str(child), str(seconds), str(memory)],
            input=page,
            timeout=4 * seconds,
            capture_output=True,
            env=environment,
            cwd="/",
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RenderFailed(f"the PDF was not made: no end after {4 * seconds} s") from error
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
