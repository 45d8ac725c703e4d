"""The recording of PHP-FPM behind nginx through tshark and through convert."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from support.outputs import syswire
from support.tshark import Tshark


def test_nginx_and_php(data: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    file = data / "protocols" / "fastcgi.pcap"
    tshark = Tshark(tool("tshark"), file, "-d", "tcp.port==9009,fcgi")
    asked = tshark.fields(
        "fcgi.begin_request.role", "tcp.stream", "fcgi.id", "fcgi.begin_request.role",
        "fcgi.begin_request.keep_conn", "fcgi.nv_name",
    )  # fmt: skip
    ended = tshark.fields(
        "fcgi.end_request.app_status", "tcp.stream", "fcgi.end_request.app_status", "fcgi.end_request.protocol_status"
    )
    written = syswire("convert", file, tmp_path / "out")
    records = {str(written.stream_of(record)["tcp_stream"]): record for record in written.records["fastcgi"]}
    assert len(records) == len(asked) == len(ended) == 6
    for stream, ids, role, keep, names in asked:
        request = records[stream[0]]["request"]
        assert request["request_id"] == int(ids[0])
        assert (request["role"], role) == ("responder", ["1"])
        assert request["keep_connection"] is (keep == ["1"])
        assert [name for name, _ in request["params"]] == names
    for stream, app, status in ended:
        response = records[stream[0]]["response"]
        assert (response["app_status"], response["protocol_status"]) == (int(app[0]), "request-complete")
        assert status == ["0"]
