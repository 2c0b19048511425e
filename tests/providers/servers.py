"""Very small servers on real sockets: one that misbehaves on purpose, one that writes down what it is asked."""

from __future__ import annotations

import atexit
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Behaviour = Callable[["RawServer", socket.socket], None]


class RawServer:
    """Serves connection after connection, each with the next behaviour; the last one is for all that follow."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self._behaviours = behaviours
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._open: list[socket.socket] = []
        self.stopped = threading.Event()
        self.connections = 0
        self.closed = 0
        self.requests: list[bytes] = []

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def url(self, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> RawServer:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()  # wakes `accept`
        self._thread.join(timeout=5)
        self._listener.close()

    def _serve(self) -> None:
        while not self.stopped.is_set():
            connection, _ = self._listener.accept()
            if self.stopped.is_set():
                connection.close()
                return
            behaviour = self._behaviours[min(self.connections, len(self._behaviours) - 1)]
            self.connections += 1
            with contextlib.suppress(OSError):
                behaviour(self, connection)
            connection.close()
            self.closed += 1

    def read_request(self, connection: socket.socket) -> bytes:
        """One request, body included; b"" when the client has hung up."""
        received = b""
        while b"\r\n\r\n" not in received:
            if not (chunk := connection.recv(65_536)):
                return b""
            received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        lengths = [
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
        ]
        while len(body) < sum(lengths):
            body += connection.recv(65_536)
        self.requests.append(head + b"\r\n\r\n" + body)
        return self.requests[-1]


def reset(connection: socket.socket) -> None:
    """Close so that the other side gets a reset, not an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def raw(*pieces: bytes, pause: float = 0.0) -> Behaviour:
    """Read one request, write these bytes, hang up."""

    def behave(server: RawServer, connection: socket.socket) -> None:
        if server.read_request(connection):
            for piece in pieces:
                connection.sendall(piece)
                server.stopped.wait(pause)

    return behave


def http(body: bytes | str | object = b"", *, status: int = 200, head: str = "", length: int | None = None) -> bytes:
    """A complete answer; objects become JSON."""
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content) if length is None else length}"]
    if "content-type" not in head.lower():
        lines.append("Content-Type: application/json")
    return "\r\n".join([*lines, *filter(None, [head]), "", ""]).encode() + content


def answering(*answers: bytes) -> Behaviour:
    """Answer the requests of one connection in turn and keep it open, then hang up."""

    def behave(server: RawServer, connection: socket.socket) -> None:
        for answer in answers:
            if not server.read_request(connection):
                return
            connection.sendall(answer)

    return behave


def hanging(server: RawServer, connection: socket.socket) -> None:
    """Take everything, say nothing."""
    server.read_request(connection)
    server.stopped.wait(10)


def silent(server: RawServer, connection: socket.socket) -> None:
    """Accept and do not even read."""
    server.stopped.wait(10)


def reset_while_reading(server: RawServer, connection: socket.socket) -> None:
    connection.recv(1)
    reset(connection)


def reset_after_reading(server: RawServer, connection: socket.socket) -> None:
    server.read_request(connection)
    reset(connection)


def closing_after_reading(server: RawServer, connection: socket.socket) -> None:
    server.read_request(connection)


def trickling(server: RawServer, connection: socket.socket) -> None:
    """An answer that never ends and never pauses long enough to time out."""
    server.read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n[")
    while not server.stopped.wait(0.02):
        connection.sendall(b" ")


def trickling_in(head: bytes, piece: bytes) -> Behaviour:
    """As `trickling`, in a part of the answer that comes before its body."""

    def behave(server: RawServer, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(head)
        while not server.stopped.wait(0.02):
            connection.sendall(piece)

    return behave


#: what an answer may be stuck in without ever pausing long enough to time out
TRICKLES = {
    "body": trickling,
    "status": trickling_in(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers": trickling_in(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
    "chunk": trickling_in(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
}


_held: list[socket.socket] = []


def free_port() -> int:
    """A port on which nobody listens. It stays taken until the tests end: another worker's server on it would be asked instead."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))  # and no `listen`: whoever connects is refused
    _held.append(holder)
    return int(holder.getsockname()[1])


@atexit.register
def _release() -> None:
    for holder in _held:
        holder.close()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "nothing happened for five seconds"
        time.sleep(0.005)


def same(sent: bytes, expected: object) -> bool:
    """Equal with the types: to Python alone, 1, 1.0 and True are the same."""
    return json.dumps(json.loads(sent), sort_keys=True) == json.dumps(expected, sort_keys=True)


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass
class Recorder:
    """Answers every request with what was put in line for it, in order, and writes the request down."""

    url: str
    asked: list[Asked] = field(default_factory=list)
    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)

    def will_answer(self, payload: object, *, status: int = 200, **headers: str) -> None:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.answers.append((status, body, {name.replace("_", "-"): value for name, value in headers.items()}))

    @property
    def last(self) -> Asked:
        return self.asked[-1]


@contextlib.contextmanager
def recording() -> Iterator[Recorder]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            recorder.asked.append(Asked(self.command, parts.path, parts.query, dict(self.headers), body))
            status, content, headers = recorder.answers.pop(0) if recorder.answers else (500, b"nothing in line", {})
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    recorder = Recorder(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield recorder
    finally:
        server.shutdown()
        thread.join(timeout=5)
        server.server_close()
