"""Commands as people run them: their JSON, and their exit code."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from contactsync.models import Phonebook
from providers.sandbox import SandboxServer
from tests.factories import make_account, make_contact, make_phonebook


@pytest.fixture
def run(transactional_db: None) -> Callable[..., dict[str, Any]]:
    """Run a command with `--json`: its result, with `exit` 0 or 1 and `why`."""

    def run(command: str, *arguments: Any) -> dict[str, Any]:
        out = io.StringIO()
        code, why = 0, ""
        try:
            call_command(command, *map(str, arguments), "--json", stdout=out)
        except CommandError as error:
            code, why = error.returncode, str(error)
        result: dict[str, Any] = json.loads(out.getvalue() or "{}")
        return {**result, "exit": code, "why": why}

    return run


@pytest.fixture
def phonebook(transactional_db: None, sandbox: SandboxServer) -> Phonebook:
    """Three contacts in a phonebook whose account speaks to the sandbox."""
    account = make_account(name="IPPanel", base_url=sandbox.url("ippanel"))
    book = make_phonebook(account, title="Customers")
    for number in (1, 2, 3):
        make_contact(book, f"+98912000000{number}", first_name=f"Person {number}")
    return book
