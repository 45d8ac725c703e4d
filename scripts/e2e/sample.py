#!/usr/bin/env python3
"""Records the sample, within namespaces of its own (scripts/make-sample makes them, and is what to run).

A shop at 10.0.0.5 (Apache, PHP, MariaDB on their usual ports) and three visitors in a network namespace of theirs,
joined to the shop's by a pair of veth. The recorder runs on the shop. Since it sees the whole kernel, what is not the
shop's is taken out afterwards (trim.py): other machines' visitors as well as the rest of this machine. Then the file is
read back and searched for what must not be in it; only if nothing is found it is put in place, with told.json beside
it: what Apache's log and curl say of the same minutes.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from trim import foreign, kept, trimmed

HERE = Path(__file__).resolve().parent
NAME, ADDRESS, PEER = "shop.example.org", "10.0.0.5", "10.0.0.1"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
ALICE, BOB = ("login=alice", "pass=Wonder-land7"), ("login=bob", "pass=builder+Can 1")
MALLORY = ("login=bob", "pass=guess&me=1")
VISITS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("198.51.100.23", FIREFOX, ("/index.php", "/style.css", "/about.html"), ()),
    ("198.51.100.23", FIREFOX, ("/hi", "/favicon.ico"), ()),
    ("10.0.0.7", FIREFOX, ("/index.php", "/style.css"), ()),
    ("10.0.0.7", FIREFOX, ("/login.php",), ALICE),
    ("203.0.113.9", "curl/7.88.1", ("/index.php",), ()),
    ("203.0.113.9", "curl/7.88.1", ("/login.php",), MALLORY),
    ("203.0.113.9", "curl/7.88.1", ("/login.php",), BOB),
    ("198.51.100.23", FIREFOX, ("/big.bin", "/old/page.html"), ()),
    ("198.51.100.23", FIREFOX, ("/login.php",), ALICE),
)
"""Who, with what, asks for what on one connection, and the form's fields if it is posted."""
ACCOUNTS = """\
root:x:0:0:root:/root:/bin/bash
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
mysql:x:105:111:MySQL Server:/nonexistent:/bin/false
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
GROUPS = "root:x:0:\nwww-data:x:33:\nmysql:x:111:\nnogroup:x:65534:\n"
ADMIN = """\
echo $$
read -r
curl -sS -o /dev/null http://127.0.0.1/about.html
mariadb --no-defaults --socket=/srv/shop/mysqld.sock --user=shop --password=db-Pass0 shop \
    --execute='SELECT login, COUNT(*) FROM visits GROUP BY login' >/dev/null
read -r
"""
"""Somebody at the shop itself, who looks after it while the visitors come."""
LARGEST = 500_000


def run(*command: object) -> str:
    """Run it to its end; SystemExit with what it said if it fails."""
    words = list(map(str, command))
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def network(process: int | str) -> Path:
    """Which network namespace a process is in."""
    return Path(f"/proc/{process}/ns/net").readlink()


def stage() -> subprocess.Popen[bytes]:
    """Lay out the two networks and the shop's accounts; returns the process that holds the visitors' network."""
    if network("self") == network(os.getppid()):
        raise SystemExit("run scripts/make-sample, which makes the namespaces")
    socket.sethostname("shop")
    run("mount", "-t", "tmpfs", "-o", "mode=755", "stage", "/srv")
    for name, text in (("passwd", ACCOUNTS), ("group", GROUPS), ("hosts", "127.0.0.1 localhost\n")):
        (Path("/srv") / name).write_text(text, "utf-8")
        run("mount", "--bind", f"/srv/{name}", f"/etc/{name}")
    outside = subprocess.Popen(["unshare", "--net", "sleep", "600"], stdin=subprocess.DEVNULL)
    while network(outside.pid) == network("self"):
        time.sleep(0.01)
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
    run("ip", "link", "set", "eth1", "netns", outside.pid)
    run("ip", "address", "add", f"{ADDRESS}/24", "dev", "eth0")
    run("ip", "link", "set", "eth0", "up")
    run("ip", "route", "add", "default", "via", PEER)
    for address in (PEER, *sorted({visit[0] for visit in VISITS})):
        there(outside, "ip", "address", "add", f"{address}/{24 if address.startswith('10.') else 32}", "dev", "eth1")
    there(outside, "ip", "link", "set", "lo", "up")
    there(outside, "ip", "link", "set", "eth1", "up")
    return outside


def there(outside: subprocess.Popen[bytes], *command: object) -> str:
    """Run it in the visitors' network."""
    return run("nsenter", f"--net=/proc/{outside.pid}/ns/net", *command)


def record(file: Path, outside: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Start the shop and the recorder, let the visitors come; returns what was true meanwhile."""
    servers = subprocess.Popen(
        ["/usr/bin/python3", HERE / "lamp.py", "--address", ADDRESS, "--address", "127.0.0.1", "--port", "80",
         "--database-port", "3306", "--folder", "/srv/shop"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    admin = subprocess.Popen(
        ["bash", "-c", ADMIN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd="/",
    )
    recorder = None
    try:
        assert servers.stdout and servers.stdin and admin.stdout and admin.stdin
        shop = json.loads(servers.stdout.readline() or "null") or sys.exit("the servers did not start")
        shell = int(admin.stdout.readline())
        recorder = subprocess.Popen([sys.executable, "-m", "syswire", "capture", "-w", file, "-s", "4096"])
        wait_for(file, recorder)
        answers = []
        for number, visit in enumerate(VISITS):
            for status, size, target in map(str.split, there(outside, *curl(*visit)).splitlines()):
                answers.append([visit[0], int(status), int(size), target])
            if number == 4:
                admin.stdin.write("\n")
                admin.stdin.flush()
            time.sleep(0.3)
        time.sleep(6)  # until the last connections were closed by the server
        recorder.send_signal(signal.SIGINT)
        if recorder.wait(60):
            raise SystemExit(f"the recorder ended with {recorder.returncode}")
        log = (Path(shop["folder"]) / "access.log").read_text("utf-8").splitlines()
        return {"roots": [shop["apache2"], shop["mariadbd"], shell], "answers": answers, "apache": log}
    finally:
        if recorder and recorder.poll() is None:
            recorder.kill()
        for process in (admin, servers):
            if process.stdin:
                process.stdin.close()
            process.wait(60)


def curl(address: str, agent: str, targets: tuple[str, ...], form: tuple[str, ...]) -> list[str]:
    """The command of a visit; it prints a line for each answer."""
    command = ["curl", "-sS", "--interface", address, "--resolve", f"{NAME}:80:{ADDRESS}", "--user-agent", agent]
    command += ["-w", "%{http_code} %{size_download} %{url_effective}\\n"]
    for field in form:
        command += ["--data-urlencode", field]
    if form:
        command += ["--data", "Submit=Login", "--referer", f"http://{NAME}/index.php"]
    for target in targets:
        command += ["-o", "/dev/null", f"http://{NAME}{target}"]
    return command


def wait_for(file: Path, recorder: subprocess.Popen[bytes]) -> None:
    """Until the state at the start is written: the probe is attached then."""
    end = time.monotonic() + 90
    while not (file.exists() and file.stat().st_size):
        if recorder.poll() is not None or time.monotonic() > end:
            raise SystemExit("the recorder does not record")
        time.sleep(0.05)
    time.sleep(1)


def main() -> int:
    """Record, trim, check, put in place."""
    target = Path(sys.argv[1]).resolve()
    outer_host = socket.gethostname()
    outside = stage()
    try:
        raw = Path("/srv/raw.scap")
        told = record(raw, outside)
        whole = raw.read_bytes()
        ours = kept(whole, set(told.pop("roots")))
        small = trimmed(whole, ours)
    finally:
        outside.kill()
        outside.wait()
    packed = gzip.compress(small, 9, mtime=0)
    found = foreign(small, ours, outer_host)
    if len(packed) > LARGEST:
        found.append(f"it has {len(packed)} bytes, more than {LARGEST}")
    if found:
        print(*(f"not put in place: {one}" for one in found), sep="\n", file=sys.stderr)
        return 1
    for name, data in (("act1.scap.gz", packed), ("told.json", json.dumps(told, indent=1).encode() + b"\n")):
        new = target / f".{name}.new"
        new.write_bytes(data)
        new.rename(target / name)
        print(target / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
