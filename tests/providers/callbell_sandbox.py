"""Short ways to ask the Callbell dialect of the sandbox, and to look into its state."""

from __future__ import annotations

import json
from typing import Any

from providers.sandbox.callbell.state import CallbellState
from tests.factories import SANDBOX_KEY
from tests.sandbox_fixtures import Reply, SandboxClient

PHONE = "391110000001"
NEW = {"identifier": PHONE, "source": "whatsapp", "name": "Sara"}


def ask(client: SandboxClient, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    """One call as the document wants it."""
    given = {"Authorization": f"Bearer {SANDBOX_KEY}", "Accept": "application/json", **headers}
    if body is not None:
        given.setdefault("Content_Type", "application/json")
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.raw(method, f"/callbell/v1{path}", body, **given)


def state_of(client: SandboxClient) -> CallbellState:
    state: CallbellState = client.sandbox.state("callbell")
    return state


def violations(client: SandboxClient) -> list[tuple[str, str]]:
    return [(row.kind, row.where) for row in state_of(client).violations]
