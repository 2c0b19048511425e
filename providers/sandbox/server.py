"""The sandbox server: start it, prepare what it holds, look at what was asked."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from providers.sandbox.clock import Clock
from providers.sandbox.connection import Listener
from providers.sandbox.control import answer_control
from providers.sandbox.dialect import DIALECTS, Dialect, Settings, load_dialect
from providers.sandbox.faults import Fault, FaultKind, Faults
from providers.sandbox.page import render_page
from providers.sandbox.storage import Storage
from providers.sandbox.wire import RecordedRequest, Request, Response, json_response

HOST = "127.0.0.1"
KEPT_REQUESTS = 5_000
TICK_SECONDS = 0.25
REDACTED = "[redacted]"


class SandboxServer:
    """All dialects behind one loopback port. Thread-safe. Use `start` and `stop`, or a `with` block.

    `port` 0 takes a free one. Any `host` but 127.0.0.1 raises `ValueError`. `clock` replaces `time.time`,
    `maturity` is the time from a send to its last delivery state, `latency` is added to every answer (seconds).
    `data` is a file that keeps the state between runs. With `limits` the documented rates are kept to.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        key: str,
        host: str = HOST,
        clock: Callable[[], float] | None = None,
        maturity: float = 10.0,
        latency: float = 0.0,
        data: Path | None = None,
        limits: bool = False,
    ) -> None:
        if host != HOST:
            raise ValueError(f"The sandbox listens on {HOST} only, not on {host}.")
        if not key:
            raise ValueError("The sandbox needs a key.")
        self._initial = (key, maturity, limits, latency)
        self.generation = 0  # counts resets
        self.clock = Clock(clock)
        self.settings = Settings(key=key, clock=self.clock, maturity=maturity, limits=limits)
        self.callbacks = self.settings.callbacks
        self.latency = latency
        self.faults = Faults()
        self.dialects: dict[str, Dialect] = {slug: load_dialect(slug, self.settings) for slug in DIALECTS}
        self._requests: deque[RecordedRequest] = deque(maxlen=KEPT_REQUESTS)
        self._counter = 0
        self._record_lock = threading.Lock()
        self._storage = Storage(data, self.dialects, self.clock) if data else None
        if self._storage:
            self._storage.load()
        self._listener = Listener((HOST, port), self)
        self._thread: threading.Thread | None = None
        self._ticker: threading.Thread | None = None
        self._stopping = threading.Event()
        self._tick_lock = threading.Lock()

    # Life

    def start(self) -> SandboxServer:
        """Serve in a thread of its own and come back at once."""
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self._stopping.clear()
        self._ticker = threading.Thread(target=self._run_ticker, daemon=True)
        self._ticker.start()
        if self._storage:
            self._storage.start()
        return self

    def stop(self) -> None:
        """Hang up, free the port and save."""
        self.faults.clear()
        self._stopping.set()
        if self._ticker:
            self._ticker.join()
            self._ticker = None
        if self._thread:
            self._listener.shutdown()
            self._thread.join()
            self._thread = None
        self._listener.server_close()
        self._listener.hang_up()
        if self._storage:
            self._storage.stop()

    def __enter__(self) -> SandboxServer:
        return self.start()

    def __exit__(self, *exc_info: object) -> None:
        self.stop()

    def reset(self) -> None:
        """Forget state, faults, requests and time travel; key, maturity, limits and latency are again as at the start."""
        self.generation += 1
        self.faults.clear()
        self.clock.offset = 0.0
        self.settings.key, self.settings.maturity, self.settings.limits, self.latency = self._initial
        with self._tick_lock:  # nothing of what is forgotten may be called back about afterwards
            for dialect in self.dialects.values():
                dialect.reset()
            self.callbacks.clear()
        with self._record_lock:
            self._requests.clear()
        self._touch()

    # Looking and preparing

    @property
    def port(self) -> int:
        return int(self._listener.server_address[1])

    def url(self, slug: str = "") -> str:
        """The base URL an account of this provider uses; without a slug, the address of the page."""
        origin = f"http://{HOST}:{self.port}"
        return f"{origin}/{slug}{self.dialects[slug].base_path}" if slug else origin

    def state(self, slug: str) -> Any:
        """What a provider holds now; its type is the dialect's own."""
        return self.dialects[slug].state

    @property
    def requests(self) -> list[RecordedRequest]:
        """What was asked of providers since the last reset, oldest first."""
        with self._record_lock:
            return list(self._requests)

    def requests_to(self, path: str, *, provider: str = "") -> list[RecordedRequest]:
        """The requests a fault of this `path` would match, such as "POST /api/send"."""
        wanted = Fault(FaultKind.LATENCY, provider, path)
        return [r for r in self.requests if wanted.matches(r.provider, r.method, self._spellings(r.provider, r.path))]

    @property
    def changing_requests(self) -> list[RecordedRequest]:
        """The requests to routes that write or send, whatever came of them."""
        return [request for request in self.requests if request.changes]

    def fault(self, kind: str, path: str = "", **options: Any) -> Fault:
        """Plan a failure; options are the fields of `Fault`. It counts its own `hits`."""
        fault = Fault(FaultKind(kind), path=path, **options)
        self.faults.add(fault)
        return fault

    def advance(self, seconds: float) -> None:
        """Move the sandbox's time forward. Calls back that come due are in `callbacks` when this returns; `callbacks.join()` waits for them."""
        self.clock.advance(seconds)
        self._tick()
        self._touch()

    def use_key(self, key: str) -> None:
        """Make this the only valid key, until the next reset."""
        self.settings.key = key

    # For the connections

    def has(self, slug: str) -> bool:
        return slug in self.dialects

    def take_fault(self, slug: str, request: Request) -> Fault | None:
        return self.faults.take(slug, request.method, self._spellings(slug, request.path))

    def carry_out(self, slug: str, request: Request) -> Response:
        dialect = self.dialects[slug]
        response = dialect.handle(request)
        if dialect.changes(request):
            self._touch()
        return response

    def provider_error(self, slug: str, status: int) -> Response:
        return self.dialects[slug].error(status)

    def answer_locally(self, first: str, request: Request) -> Response:
        """The page, the control API, or 404."""
        if first == "" and request.path == "/" and request.method in ("GET", "HEAD"):
            return render_page(self)
        if first == "_sandbox":
            return answer_control(self, request)
        return json_response(404, {"error": f"There is no provider “{first}”.", "providers": sorted(self.dialects)})

    def record(
        self, slug: str, request: Request, response: Response | None, *, fault: Fault | None, seconds: float
    ) -> None:
        """Remember a request without its credentials."""
        dialect = self.dialects[slug]
        key = self.settings.key
        secret = dialect.secret_headers
        with self._record_lock:
            self._counter += 1
            self._requests.append(
                RecordedRequest(
                    number=self._counter,
                    at=self.clock.now(),
                    provider=slug,
                    method=request.method,
                    path=request.path.replace(key, REDACTED),
                    query=request.query.replace(key, REDACTED),
                    headers={
                        name: REDACTED if name in secret else value.replace(key, REDACTED)
                        for name, value in request.headers.items()
                    },
                    body=request.body.replace(key.encode(), REDACTED.encode()),
                    status=response.status if response else None,
                    fault=fault.kind.value if fault else "",
                    changes=dialect.changes(request),
                    seconds=seconds,
                )
            )

    def _spellings(self, slug: str, path: str) -> tuple[str, ...]:
        base = self.dialects[slug].base_path
        return (path, path.removeprefix(base)) if base else (path,)

    def _tick(self) -> None:
        with self._tick_lock:
            for dialect in self.dialects.values():
                dialect.tick()

    def _run_ticker(self) -> None:
        while not self._stopping.wait(TICK_SECONDS):
            self._tick()

    def _touch(self) -> None:
        if self._storage:
            self._storage.changed()
