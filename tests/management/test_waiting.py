"""Commands wait for the work to end, and tell what the services refuse in their words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from contactsync.management import base
from contactsync.models import Call, Phonebook, Run
from contactsync.sync import line
from providers.sandbox import SandboxServer
from tests.factories import make_campaign
from tests.sync.conftest import expire_leases

Command = Callable[..., dict[str, Any]]
ADD = "POST /api/phonebooks/numbers/add-list-new"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the commands would have waited; every wait lets all leases and pauses run out."""
    waited: list[float] = []

    def pass_time(seconds: float) -> None:
        waited.append(seconds)
        Call.objects.update(not_before=None)
        expire_leases()

    monkeypatch.setattr(line, "wait", lambda seconds: None)
    monkeypatch.setattr(base, "wait", pass_time)
    return waited


def test_a_push_that_has_to_pause_goes_on_in_the_same_command(
    run: Command, phonebook: Phonebook, sandbox: SandboxServer, waits: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.fault("status_500", ADD, times=7)
    result = run("push", "Customers")
    assert (result["exit"], result["state"], result["created"]) == (0, "finished", 3)
    assert waits
    assert "waits for its next attempt until" in capsys.readouterr().err


def test_an_interrupted_command_leaves_the_run_to_the_worker(
    run: Command, phonebook: Phonebook, sandbox: SandboxServer, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(base, "wait", interrupted)
    sandbox.fault("status_500", ADD, times=7)
    result = run("push", "Customers")
    assert result["exit"] == 130
    assert "left to the worker" in result["why"]
    assert Run.objects.get().state == Run.State.RUNNING


def test_a_phonebook_that_another_run_works_on_is_said(run: Command, phonebook: Phonebook) -> None:
    Run.objects.create(kind="push", account=phonebook.account, phonebook=phonebook, state="running")
    assert "Another run works on this phonebook" in run("pull", "Customers")["why"]
    assert "Another run works on this phonebook" in run("push", "Customers")["why"]


def test_what_is_wrong_with_a_campaign_is_said(phonebook: Phonebook) -> None:
    campaign = make_campaign(phonebook.account, message="")
    with pytest.raises(CommandError) as caught:
        call_command("send_campaign", campaign.pk)
    assert str(caught.value)
