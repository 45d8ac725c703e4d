"""Who visits the sample's server, and what is planted there for the auditor to find."""

from __future__ import annotations

import base64
from urllib.parse import quote, quote_plus

import mysql
from machine import SECOND, SNAPLEN, Connection, End, Machine, Row, Steps
from others import Others
from server import POLL, POLLIN, SERVER_IP, DatabaseLink, Lamp, Query, Visit
from truth import Exchange, Plant, Truth
from web import FORM, HOST, STYLE, Response, long_page, missing, page, request, response

from syswire.convert.scap.encoding import Address, Polled

SUBMITTED = page("Login", "Form submitted.")
LOGIN_SQL = "SELECT id, role FROM users WHERE login='{}' AND pass=SHA2('{}',256)"
ROLE = mysql.rows(["id", "role"], [["17", "customer"]])
STANDING_PORT = 40000


def get(target: str, answer: Response, method: str = "GET", query: Query | None = None, **headers: str) -> Visit:
    """A request without a body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Visit([request(method, target, headers=named)], [answer], query=query)


def index(way: str = "unix") -> Visit:
    """The page with the form; the way is that to the database, "" for none."""
    asked = Query(way, "SELECT name, price FROM items LIMIT 2", mysql.rows(["name", "price"], [["lamp", "12.50"]]))
    return get("/index.php", response(200, FORM.encode()), query=asked if way else None)


def not_there(path: str, method: str = "GET") -> Visit:
    """A page that is missing."""
    return get(path, response(404, missing(path), no_body=method == "HEAD"), method)


def post(user: str, secret: str, answer: Response, outcome: str, query: Query | None = None, pieces: int = 1) -> Visit:
    """The form is posted."""
    raw = quote_plus(secret)
    body = f"login={quote_plus(user)}&pass={raw}&Submit=Login".encode()
    plant = Plant("form-body", "pass", user, secret, raw.encode(), outcome)
    headers = {"Referer": f"http://{HOST}/index.php"}
    asked = request("POST", "/login.php", body, headers=headers)
    return Visit([asked], [answer], query=query, plants=(plant,), pieces=pieces)


def cut_post() -> Visit:
    """The form with a long comment before the password, so that the recorder cuts the password after five bytes."""
    tail = b"&pass=Half-of-me-is-lost&Submit=Login"
    secret_at = len(b"&pass=")
    head = len(request("POST", "/login.php", bytes(4000)).message.head)
    comment = b"x" * (SNAPLEN - 5 - secret_at - head - len(b"login=heidi&comment="))
    asked = request("POST", "/login.php", b"login=heidi&comment=" + comment + tail)
    plant = Plant("form-body", "pass", "heidi", "Half-", b"Half-", "unknown", complete=False)
    return Visit([asked], [response(200, SUBMITTED)], plants=(plant,))


def basic(user: str, secret: str, accepted: bool) -> Visit:
    """A page behind HTTP Basic."""
    token = base64.b64encode(f"{user}:{secret}".encode())
    if accepted:
        answer = response(200, page("Admin", "Orders: 12"))
    else:
        answer = response(401, page("401", "Unauthorized"), headers={"WWW-Authenticate": 'Basic realm="shop"'})
    plant = Plant("authorization-basic", None, user, secret, token, "accepted" if accepted else "refused")
    asked = request("GET", "/admin/", headers={"Authorization": f"Basic {token.decode()}"})
    return Visit([asked], [answer], plants=(plant,))


def reset_link() -> list[Visit]:
    """A password in the address, which then also stands in the next request's Referer and in the page."""
    user, secret = "dave", "Tr0ub4dor&3"
    raw = quote(secret, safe="")
    target = f"/reset.php?user={user}&password={raw}"
    plant = Plant("url-query", "password", user, secret, raw.encode(), "unknown")
    told = response(200, page("Reset", "Your new password is Tr0ub4dor&amp;3"))
    update = Query("tcp", f"UPDATE users SET pass='{secret}' WHERE login='{user}'", mysql.ok(1))
    follow = {"Referer": f"http://{HOST}{target}"}
    style = Visit([request("GET", "/style.css", headers=follow)], [response(200, STYLE.encode(), kind="text/css")])
    return [Visit([request("GET", target)], [told], query=update, plants=(plant,)), style]


def pipelined() -> Visit:
    """Three requests in one read."""
    visits = [
        get("/style.css", response(200, STYLE.encode(), kind="text/css")),
        not_there("/print.css"),
        index(""),
    ]
    return Visit([one.requests[0] for one in visits], [one.responses[0] for one in visits])


def visitors(machine: Machine, lamp: Lamp) -> None:
    """Clients from elsewhere."""
    random = machine.random

    def come(at: float, ip: str, visits: list[Visit], closing: str = "client") -> None:
        start = machine.start + int(at * SECOND)
        thought = [visit._replace(think=random.randrange(200_000_000, 900_000_000)) for visit in visits]
        machine.session(start, lamp.visit(start, Address(ip, random.randrange(49152, 65000)), thought, closing=closing))

    alice = Query("unix", LOGIN_SQL.format("alice", "Wonder-land7"), ROLE)
    come(
        0.9, "10.0.0.7", [index(), post("alice", "Wonder-land7", response(200, SUBMITTED), "unknown", alice)], "server"
    )
    come(1.4, "198.51.100.23", [not_there("/hi"), not_there("/favicon.ico"), index("tcp")])
    wrong = response(403, page("Login", "Wrong password."))
    right = response(302, headers={"Location": "/account.php"})
    account = get("/account.php", response(200, page("Account", "Welcome."), calls="split"))
    come(2.2, "203.0.113.9", [index(), post("bob", "hunter1", wrong, "refused")])
    come(4.1, "203.0.113.9", [post("bob", "hunter2!", right, "accepted"), account], "server")
    come(3.0, "10.0.0.31", [post("carol@example.org", "p&ss w=rd+1%\u00e9", response(200, SUBMITTED), "unknown")])
    come(3.6, "10.0.0.31", reset_link())
    erin = post("erin", "Sechs-und-vierzig", response(200, SUBMITTED), "unknown", pieces=2)
    come(5.0, "2001:db8::77", [index(), erin, not_there("/v6-missing")])
    come(5.5, "10.0.0.40", [get("/catalogue.html", response(200, long_page(20_000))), not_there("/catalogue.css")])
    come(6.2, "10.0.0.40", [get("/terms.html", response(200, long_page(6_000), calls="split")), index()], "reset")
    manual = response(200, long_page(30_000), kind="application/pdf", calls="sendfile")
    come(7.0, "10.0.0.41", [get("/manual.pdf", manual), get("/list.php", chunked(), query=item_ids())], "server")
    old = response(304, headers={"ETag": '"5f1-6012"'})
    come(7.7, "10.0.0.42", [get("/style.css", old, If_None_Match='"5f1-6012"'), not_there("/missing.html", "HEAD")])
    come(8.3, "10.0.0.42", [get("/manual.pdf", manual_head(), "HEAD"), pipelined()])
    come(9.1, "10.0.0.66", [basic("admin", "letmein", accepted=False)])
    come(9.8, "10.0.0.50", [basic("admin", "S3cret:with:colons", accepted=True)] * 2, "server")
    broken = response(500, page("500", "Internal Server Error"))
    busy = response(503, page("503", "Service Unavailable"), headers={"Retry-After": "10"})
    come(10.5, "198.51.100.23", [get("/report.php", broken), get("/report.php", broken), get("/export.php", busy)])
    come(11.2, "198.51.100.80", [cut_post(), index()])
    come(12.6, "10.0.0.23", [post("alice", "Wonder-land7", response(200, SUBMITTED), "unknown", alice)])
    for number in range(10):
        known = f"/item.php?id={number}"
        browse = [index(), get(known, response(200, page("Item", f"Item {number}"))), not_there(f"/img/{number}.png")]
        come(13 + number * 0.9, f"10.0.1.{number + 1}", browse[: 2 + number % 2], "server" if number % 3 else "client")


def chunked() -> Response:
    """A page in five chunks."""
    return response(200, long_page(9_000), chunks=5, calls="chunks")


def manual_head() -> Response:
    """The answer to HEAD: a length, and no body."""
    return response(200, long_page(30_000), kind="application/pdf", no_body=True)


def item_ids() -> Query:
    """A question to the database."""
    return Query("unix", "SELECT id FROM items", mysql.rows(["id"], [["1"], ["2"], ["3"]]))


def older(machine: Machine, lamp: Lamp, others: Others) -> dict[str, Connection]:
    """Connections that were open before the capture began, each with its own story."""

    def link(client: str, port: int, server: str, server_port: int) -> Connection:
        made = Connection("tcp", Address(client, port), Address(server, server_port), preexisting=True)
        return machine.connection(made)

    body = link("198.51.100.7", 50110, SERVER_IP, 80)
    idle = link("10.0.0.7", 50777, SERVER_IP, 80)
    waiting = link("203.0.113.77", 61002, SERVER_IP, 80)
    database = link("127.0.0.1", STANDING_PORT, "127.0.0.1", 3306)
    remote = link("10.0.0.50", 60222, SERVER_IP, 22)
    for worker, one in zip(lamp.workers, (body, idle, waiting), strict=False):
        worker.new_fd(End(one, is_server=True), 10)
    machine.session(machine.start + 200_000, in_a_body(lamp))
    machine.session(machine.start + 2 * SECOND, after_a_rest(machine, lamp))
    machine.session(machine.start + 500_000, an_answer(lamp, waiting))
    thread = lamp.database_threads.pop(0)
    worker = lamp.workers[0]
    lamp.links[worker.tid] = DatabaseLink(
        worker.new_fd(End(database, is_server=False), 12), thread, thread.new_fd(End(database, is_server=True), 40)
    )
    thread.enter_receive(40, 16384, "recvfrom")
    machine.session(machine.start + SECOND, others.remote_shell(machine.start + SECOND, remote, 24))
    return {"body": body, "idle": idle, "waiting": waiting, "database": database, "remote": remote}


def in_a_body(lamp: Lamp) -> Steps:
    """The capture begins while a body is being sent; what follows on the connection is whole."""
    worker = lamp.workers[0]
    worker.wait(lamp.machine.start + 200_000)
    rest = long_page(23_000)
    for at in range(0, len(rest), 8000):
        worker.send(10, rest[at : at + 8000])
        following = worker.now + 400_000
        yield following
        worker.wait(following)
    asked = Query("standing", "SELECT 1", mysql.rows(["1"], [["1"]]))
    visits = [index()._replace(query=asked), not_there("/old/page.html"), index()._replace(query=asked)]
    yield from lamp.serve(worker, 10, [visit._replace(think=SECOND) for visit in visits], SECOND)
    yield from lamp.finish(worker, 10, "client")


def after_a_rest(machine: Machine, lamp: Lamp) -> Steps:
    """A keep-alive connection that had rested for a while: only the exit of its poll is in the capture."""
    worker = lamp.workers[1]
    worker.wait(machine.start + 2 * SECOND)
    machine.record(Row(worker.now, worker.tid, worker.cpu, POLL[1], [1, [Polled(10, POLLIN)], 5000]))
    lamp.answer(worker, 10, index(), None)
    yield worker.now
    yield from lamp.finish(worker, 10, "server")


def an_answer(lamp: Lamp, connection: Connection) -> Steps:
    """The request was read before the capture began, the 404 is sent within it."""
    worker = lamp.workers[2]
    worker.wait(lamp.machine.start + 500_000)
    answer = response(404, missing("/before-the-capture"))
    lamp.truth.exchange(Exchange(connection, None, 0, answer, 0, worker.pid, None))
    lamp.respond(worker, 10, answer)
    yield worker.now
    yield from lamp.finish(worker, 10, "client")


def neighbours(machine: Machine, lamp: Lamp, others: Others) -> None:
    """What happens on the machine itself."""
    start = machine.start
    frank = post("frank", "L00pback.secret", response(200, SUBMITTED), "unknown")
    agent = request("POST", "/login.php", frank.requests[0].message.wire.split(b"\r\n\r\n")[1], agent="curl/8.5.0")
    frank = frank._replace(requests=[agent])
    form = "login=frank&pass=L00pback.secret&Submit=Login"
    for at, visit, args, race, size in (
        (4.7, frank, ["-d", form, f"http://{HOST}/login.php"], "send", 16384),
        (6.8, not_there("/nope"), [f"http://{HOST}/nope"], "receive", 16384),
        (8.8, get("/terms.html", response(200, long_page(6_000))), [f"http://{HOST}/terms.html"], "", 3000),
        (10.1, get("/catalogue.html", response(200, long_page(20_000))), [f"http://{HOST}/catalogue.html"], "", 16384),
        (14.3, not_there("/status"), [f"http://{HOST}/status"], "send", 100),
    ):
        when = start + int(at * SECOND)
        machine.session(when, others.local(when, visit, args, race=race, size=size))
    machine.session(start + 11 * SECOND, others.refused(start + 11 * SECOND, Address("127.0.0.1", 8081)))
    machine.session(start + 3 * SECOND, others.look_up(start + 3 * SECOND))
    for at, command in (
        (6, "/usr/bin/php /usr/local/bin/cleanup.php"),
        (18, "/usr/sbin/logrotate /etc/logrotate.conf"),
    ):
        machine.session(start + at * SECOND, others.job(start + at * SECOND, command))

    def grow() -> Steps:
        yield start + 12 * SECOND
        lamp.master.wait(start + 12 * SECOND)
        worker = others.fork(lamp.master, 1209)
        worker.uid = worker.gid = 48
        worker.lowest = 10
        lamp.idle.insert(0, worker)
        worker.enter((248, 249), [0x1000], [])

    machine.session(start + 12 * SECOND, grow())


def plant_elsewhere(truth: Truth) -> None:
    """Where secrets stand beside the requests that carry them."""
    truth.also += [
        {"secret": "Wonder-land7", "where": "SQL over the unix socket"},
        {"secret": "Tr0ub4dor&3", "where": "SQL over 127.0.0.1:3306"},
        {"secret": "Tr0ub4dor&3", "where": "Referer of the request that follows"},
        {"secret": "Tr0ub4dor&3", "where": "body of the response"},
        {"secret": "L00pback.secret", "where": "arguments of curl"},
    ]
