"""The web's side of the sample: pages, requests and responses as bytes, with the place of their bodies."""

from __future__ import annotations

from typing import NamedTuple

HOST = "shop.example.org"
DATE = "Fri, 20 Nov 2026 09:15:07 GMT"
SERVER = "Apache/2.4.62 (Rocky Linux) PHP/8.2.20"
REASONS = {200: "OK", 302: "Found", 304: "Not Modified", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
REASONS |= {500: "Internal Server Error", 503: "Service Unavailable"}

FORM = """<!DOCTYPE html>
<html><head><title>Shop</title><link rel="stylesheet" href="/style.css"></head>
<body><h1>Sign in</h1>
<form name="loginForm" method="post" action="login.php">
Login: <input type="text" name="login"><br>
Password: <input type="password" name="pass"><br>
<input type="submit" name="Submit" value="Login">
</form></body></html>
"""
STYLE = "body { font-family: sans-serif; margin: 2em auto; max-width: 50em }\n" + "".join(
    f".item{number} {{ color: #{number * 4369:04x}ff; padding: {number % 7}px }}\n" for number in range(12)
)


class Message(NamedTuple):
    """A message on the wire, the ranges of its body within it, and the line that begins it."""

    wire: bytes
    body: list[tuple[int, int]]
    start: tuple[str, ...]

    @property
    def head(self) -> bytes:
        """The message up to the empty line."""
        return self.wire[: self.wire.index(b"\r\n\r\n") + 4]


class Request(NamedTuple):
    """What a client asks for."""

    method: str
    target: str
    message: Message
    host: str


class Response(NamedTuple):
    """What the server says, and the system calls that it says it with."""

    status: int
    message: Message
    calls: str = "writev"


def request(
    method: str,
    target: str,
    body: bytes = b"",
    *,
    agent: str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    host: str = HOST,
    headers: dict[str, str] | None = None,
) -> Request:
    """A request of HTTP/1.1."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", f"User-Agent: {agent}", "Accept: */*"]
    if method == "POST":
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode()
    ranges = [(len(head), len(head) + len(body))] if body else []
    return Request(method, target, Message(head + body, ranges, (method, target)), host)


def response(
    status: int,
    body: bytes = b"",
    *,
    kind: str = "text/html; charset=UTF-8",
    headers: dict[str, str] | None = None,
    calls: str = "writev",
    no_body: bool = False,
    chunks: int = 0,
) -> Response:
    """A response of HTTP/1.1; with no_body the length is told and nothing follows, with chunks it is cut in so many."""
    lines = [f"HTTP/1.1 {status} {REASONS[status]}", f"Date: {DATE}", f"Server: {SERVER}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if status != 304:
        lines += ["Transfer-Encoding: chunked"] if chunks else [f"Content-Length: {len(body)}"]
        lines.append(f"Content-Type: {kind}")
    lines.append("Keep-Alive: timeout=5, max=100\r\nConnection: Keep-Alive")
    wire = ("\r\n".join(lines) + "\r\n\r\n").encode()
    ranges: list[tuple[int, int]] = []
    if chunks:
        size = -(-len(body) // chunks)
        for at in range(0, len(body), size):
            part = body[at : at + size]
            wire += b"%x\r\n" % len(part)
            ranges.append((len(wire), len(wire) + len(part)))
            wire += part + b"\r\n"
        wire += b"0\r\n\r\n"
    elif body and not no_body and status != 304:
        ranges = [(len(wire), len(wire) + len(body))]
        wire += body
    return Response(status, Message(wire, ranges, (f"HTTP/1.1 {status}",)), calls)


def page(title: str, text: str) -> bytes:
    """A small page."""
    return f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><p>{text}</p></body></html>\n".encode()


def missing(path: str) -> bytes:
    """Apache's page for what is not there."""
    text = f"The requested URL {path} was not found on this server."
    return (
        '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head>\n<title>404 Not Found</title>\n'
        f"</head><body>\n<h1>Not Found</h1>\n<p>{text}</p>\n</body></html>\n"
    ).encode()


def long_page(size: int) -> bytes:
    """A catalogue of exactly `size` bytes in which every line differs."""
    lines = [f"<tr><td>{number}</td><td>Item {number * 7919 % 10007}</td></tr>\n" for number in range(size // 20)]
    text = "<html><body><table>\n" + "".join(lines)
    return (text[: size - 15] + "</body></html>\n").encode()
