"""findings.sarif: places lead to the right capture."""

from __future__ import annotations

import io
import json
from pathlib import Path

from syswire.reports.export import sarif
from syswire.reports.findings import judge

from .case import lamp, together, wire


def test_places_lead_to_their_own_capture(tmp_path: Path) -> None:
    manifest = together(tmp_path, lamp(), wire(source=1))
    manifest["inputs"].reverse()  # an artifact's index is its place in the list, not the number of the input
    out = io.BytesIO()
    sarif.write(out, judge(tmp_path, manifest), manifest, revealed=False)
    (run,) = json.loads(out.getvalue())["runs"]
    of_carol = [result for result in run["results"] if "user carol" in result["message"]["text"]]
    of_alice = [result for result in run["results"] if "user alice" in result["message"]["text"]]
    for results, name in ((of_carol, "./wire.pcap"), (of_alice, "./act1.scap")):
        (result,) = results
        for place in result["locations"]:
            told = place["physicalLocation"]["artifactLocation"]
            assert told["uri"] == run["artifacts"][told["index"]]["location"]["uri"] == name
