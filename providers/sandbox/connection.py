"""One TCP connection: HTTP in, HTTP out, and the ways in which it can go wrong."""

from __future__ import annotations

import http
import select
import socket
import socketserver
import struct
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from providers.sandbox.faults import Fault, FaultKind
from providers.sandbox.wire import Request, Response, json_response

if TYPE_CHECKING:
    from providers.sandbox.server import SandboxServer

MAX_BODY = 64 * 1024 * 1024
HANG_SECONDS = 60.0
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
HTML_ERROR = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


def is_loopback(authority: str) -> bool:
    """Whether a Host header, or the part of an Origin after the scheme, names this machine."""
    try:
        return urlsplit(f"//{authority}").hostname in LOOPBACK_NAMES
    except ValueError:
        return False


class Listener(ThreadingHTTPServer):
    """One thread per connection, all of which end when the server is stopped."""

    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: SandboxServer) -> None:
        self.sandbox = sandbox
        self._open: dict[threading.Thread, socket.socket] = {}
        self._open_lock = threading.Lock()
        super().__init__(address, Connection)

    def server_bind(self) -> None:
        """Bind without asking the resolver for a name, which can take seconds on a machine without network."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self._open_lock:
            self._open[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._open_lock:
                del self._open[threading.current_thread()]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is everyday life; anything else is our own error and is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        """Cut every connection that is still open and wait for its thread."""
        with self._open_lock:
            still_open = dict(self._open)
        for connection in still_open.values():
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # gone already
        for thread in still_open:
            thread.join(timeout=5)


class Connection(BaseHTTPRequestHandler):
    """Serves the requests of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 300
    server: Listener

    def handle_one_request(self) -> None:
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or len(self.raw_requestline) > 65536:
                self.close_connection = True
                return
            if self.parse_request():
                self._serve()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _serve(self) -> None:
        started = time.perf_counter()
        body = self._read_body()
        if body is None:
            return
        origin = self.headers.get("Origin", "")
        if not is_loopback(self.headers.get("Host", "")) or (origin and not is_loopback(origin.partition("://")[2])):
            self._send(json_response(403, {"error": "The sandbox answers this machine only."}))
            return
        target = urlsplit(self.path)
        sandbox = self.server.sandbox
        slug, _, rest = target.path.lstrip("/").partition("/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, "/" + rest, target.query, headers, body)
        if sandbox.has(slug):
            self._serve_provider(slug, request, started)
        else:
            self._send(sandbox.answer_locally(slug, request))

    def _serve_provider(self, slug: str, request: Request, started: float) -> None:
        sandbox = self.server.sandbox
        released, generation = sandbox.faults.released, sandbox.generation
        fault = sandbox.take_fault(slug, request)
        delay = sandbox.latency + (fault.seconds if fault and fault.kind is FaultKind.LATENCY else 0)
        if delay:
            released.wait(delay)
            if sandbox.generation != generation:  # reset meanwhile: this request belongs to what is forgotten
                self._reset()
                return
        response = sandbox.carry_out(slug, request) if fault is None or fault.carries_out else None
        if fault and fault.kind is not FaultKind.LATENCY:
            spoiled = spoil(fault, response, lambda status: sandbox.provider_error(slug, status))
        else:
            spoiled = response
        sandbox.record(slug, request, spoiled, fault=fault, seconds=time.perf_counter() - started)
        if spoiled is None:
            if fault and fault.kind is FaultKind.HANG:
                self._hang(fault.seconds or HANG_SECONDS, released)
            self._reset()
        elif fault and fault.kind is FaultKind.TRUNCATED:
            self._send(spoiled, cut_at=max(1, len(spoiled.body) // 2))
        else:
            self._send(spoiled)

    def _read_body(self) -> bytes | None:
        """The whole body; None when its length is not told or absurd, which is answered here.

        Raises `ConnectionResetError` for a client that went away in the middle of it: nothing is carried out then.
        """
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isascii() or not length.isdigit():
            self.close_connection = True
            self._send(json_response(411, {"error": "Send a Content-Length."}))
            return None
        if int(length) > MAX_BODY:
            self.close_connection = True
            self._send(json_response(413, {"error": f"At most {MAX_BODY} bytes."}))
            return None
        body = self.rfile.read(int(length)) if length != "0" else b""
        if len(body) < int(length):
            raise ConnectionResetError
        return body

    def _send(self, response: Response, *, cut_at: int | None = None) -> None:
        """Write the answer in one piece; `cut_at` promises all of the body, sends that many bytes, and hangs up."""
        try:
            phrase = http.HTTPStatus(response.status).phrase
        except ValueError:
            phrase = "Unknown"
        if cut_at is not None:
            self.close_connection = True
        lines = [
            f"HTTP/1.1 {response.status} {phrase}",
            f"Content-Type: {response.content_type}",
            f"Content-Length: {len(response.body)}",
            "Connection: " + ("close" if self.close_connection else "keep-alive"),
            *(f"{name}: {value}" for name, value in response.headers.items()),
        ]
        head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
        body = b"" if self.command == "HEAD" else response.body
        self.wfile.write(head + body[:cut_at])

    def _hang(self, seconds: float, released: threading.Event) -> None:
        """Say nothing until the client gives up, the fault is cleared, or the time is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not released.wait(0.02):
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return

    def _reset(self) -> None:
        """Drop the connection so that the client sees a reset, not an orderly end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.detach())

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are recorded with credentials blanked, not written to the terminal."""


def spoil(fault: Fault, response: Response | None, error: Callable[[int], Response]) -> Response | None:
    """What the client gets instead of the answer; None for a connection that is dropped."""
    match fault.kind:
        case FaultKind.STATUS_401 | FaultKind.STATUS_422 | FaultKind.STATUS_429 | FaultKind.STATUS_500:
            refusal = error(int(fault.kind.value.removeprefix("status_")))
            if fault.kind is FaultKind.STATUS_429 and fault.seconds:
                return Response(
                    refusal.status, refusal.body, refusal.content_type, {"Retry-After": f"{fault.seconds:g}"}
                )
            return refusal
        case FaultKind.HTML:
            return Response(200, HTML_ERROR.encode(), "text/html; charset=utf-8")
        case FaultKind.EMPTY:
            return Response(200)
        case FaultKind.TRUNCATED:
            return response or Response(200, b'{"data":')
        case _:
            return None
