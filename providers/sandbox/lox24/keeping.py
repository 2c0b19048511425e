"""A LOX24 account as JSON-ready values, and back."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from providers.sandbox.dialect import Violation
from providers.sandbox.lox24.delivery import Bulk, Sms
from providers.sandbox.lox24.records import Blocked, Group, Phone

if TYPE_CHECKING:
    from providers.sandbox.lox24.state import LOX24State

SCALARS = (
    "currency", "balance", "services", "is_active", "is_text_deleted", "batch_shape", "batch_status", "page_size",
    "callback_urls", "inbound_url", "inbound_number", "next_ids", "blocked_until",
)  # fmt: skip


def dump_state(state: LOX24State) -> dict[str, Any]:
    """Everything as JSON-ready values."""
    return {
        "account": {name: getattr(state, name) for name in SCALARS},
        "quirks": sorted(state.quirks),
        "outcomes": {phone: list(outcome) for phone, outcome in state.outcomes.items()},
        "groups": [asdict(row) for row in state.groups.values()],
        "phones": [asdict(row) for row in state.phones.values()],
        "sms": [asdict(row) for row in state.sms.values()],
        "bulks": [asdict(row) for row in state.bulks.values()],
        "blocked": [asdict(row) for row in state.blocked],
        "bad_logins": list(state.bad_logins),
        "violations": [asdict(row) for row in state.violations],
    }


def load_state(state: LOX24State, data: dict[str, Any]) -> None:
    """Undo `dump_state` on a fresh state."""
    for name in SCALARS:
        setattr(state, name, data["account"][name])
    state.quirks = set(data["quirks"])
    state.outcomes = {phone: (codes[0], codes[1]) for phone, codes in data["outcomes"].items()}
    state.groups = {row["id"]: Group(**row) for row in data["groups"]}
    state.phones = {row["id"]: Phone(**row) for row in data["phones"]}
    state.sms = {row["uuid"]: _sms(row) for row in data["sms"]}
    state.open = list(state.sms.values())
    state.bulks = {row["uuid"]: Bulk(**row) for row in data["bulks"]}
    state.blocked = [Blocked(**row) for row in data["blocked"]]
    state.bad_logins = deque(data["bad_logins"])
    state.violations = [Violation(**row) for row in data["violations"]]


def _sms(row: dict[str, Any]) -> Sms:
    return Sms(**{**row, "outcome": tuple(row["outcome"]), "told": tuple(row["told"])})
