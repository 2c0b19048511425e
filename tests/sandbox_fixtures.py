"""The sandbox for tests: one server per test session, emptied before each test that asks for it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from providers.sandbox import SandboxServer


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def data(self) -> Any:
        return self.json["data"]

    @property
    def errors(self) -> dict[str, list[str]]:
        return self.json["meta"]["errors"]


class SandboxClient:
    """Bare HTTP to the sandbox over one kept connection, able to send what a proper client never would."""

    def __init__(self, sandbox: SandboxServer) -> None:
        self.sandbox = sandbox
        self.connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=5)

    def raw(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """Exactly this request; keyword arguments are headers, `_` read as `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, named)
        with self.connection.getresponse() as answer:
            return Reply(answer.status, dict(answer.getheaders()), answer.read().decode())

    def call(self, method: str, path: str, body: Any = None, *, key: str = "", slug: str = "ippanel") -> Reply:
        """One well-formed call of a provider's API with the valid key."""
        base = self.sandbox.url(slug).removeprefix(self.sandbox.url())
        headers = {"Authorization": key or self.sandbox.settings.key}
        if body is None:
            return self.raw(method, base + path, **headers)
        return self.raw(method, base + path, json.dumps(body).encode(), **headers, Content_Type="application/json")


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxServer]:
    from tests.factories import SANDBOX_KEY  # imports models, which must wait for Django

    with SandboxServer(key=SANDBOX_KEY) as server:
        yield server


@contextmanager
def noting_violations(server: SandboxServer) -> Iterator[list[object]]:
    """Everything that was asked against a document, until the end, where the server is emptied; also what a `reset` forgets."""
    noted: list[object] = []
    forget = server.reset

    def note_and_forget() -> None:
        for slug, dialect in server.dialects.items():
            noted.extend((slug, violation) for violation in dialect.state.violations)
        forget()

    server.reset = note_and_forget  # type: ignore[method-assign]
    try:
        yield noted
    finally:
        server.reset = forget  # type: ignore[method-assign]
        note_and_forget()


@pytest.fixture
def sandbox(sandbox_server: SandboxServer, request: pytest.FixtureRequest) -> Iterator[SandboxServer]:
    """The provider's place: `url("ippanel")`, `state("ippanel")`, `fault(...)`, `requests`, `advance(seconds)`.

    At the end of every test: nothing was asked of any provider that its document does not allow. Exempt are tests that
    speak to the sandbox by hand (`client_of_sandbox`), and those marked `violations_expected`.
    """
    sandbox_server.reset()
    with noting_violations(sandbox_server) as violations:
        yield sandbox_server
    on_purpose = "client_of_sandbox" in request.fixturenames or request.node.get_closest_marker("violations_expected")
    assert on_purpose or not violations, f"Asked for against the document: {violations}"


@pytest.fixture
def client_of_sandbox(sandbox: SandboxServer) -> Iterator[SandboxClient]:
    client = SandboxClient(sandbox)
    yield client
    client.connection.close()
