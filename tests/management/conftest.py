"""Commands as people run them: their JSON, and their exit code."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from contactsync.models import Phonebook, ProviderAccount
from providers.sandbox import SandboxServer
from tests.factories import make_account, make_contact, make_phonebook
from tests.sync.sides import SIDES, Side


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


@pytest.fixture(params=sorted(SIDES))
def side(request: pytest.FixtureRequest, sandbox: SandboxServer) -> Side:
    """Each provider in turn."""
    made: Side = SIDES[request.param](sandbox)
    return made


@pytest.fixture
def main(side: Side, transactional_db: None) -> ProviderAccount:
    """The account “Main” at the provider of `side`."""
    account = side.account()
    account.name = "Main"
    account.save()
    return account


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Somebody sits at the command and answers so. What was asked is listed."""

    def answer(word: str) -> list[str]:
        asked: list[str] = []

        def told(question: str) -> str:
            asked.append(question)
            return word

        monkeypatch.setattr(sys, "stdin", Terminal())
        monkeypatch.setattr("builtins.input", told)
        return asked

    return answer
