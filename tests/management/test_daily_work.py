"""push, pull, send_campaign, campaign_report, check_account: counts, JSON and exit codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contactsync.models import Campaign, CampaignTarget, Phonebook, ProviderAccount, Run
from contactsync.sync.accounts import set_credentials
from providers.sandbox import SandboxServer
from tests.factories import SANDBOX_KEY, make_account, make_campaign, make_contact, make_phonebook

Command = Callable[..., dict[str, Any]]


@pytest.fixture
def campaign(phonebook: Phonebook) -> Campaign:
    campaign = make_campaign(phonebook.account, message="Sale starts tomorrow")
    CampaignTarget.objects.create(campaign=campaign, phonebook=phonebook)
    return campaign


def test_a_dry_run_of_a_push_shows_the_plan_and_changes_nothing(
    run: Command, phonebook: Phonebook, sandbox: SandboxServer
) -> None:
    result = run("push", "Customers", "--dry-run")
    assert (result["exit"], result["plan"]["create"]) == (0, 3)
    assert sandbox.state("ippanel").phonebooks == {}
    assert Run.objects.get().state == Run.State.DISCARDED


def test_a_push_brings_the_provider_in_step_and_a_second_one_has_nothing_to_do(
    run: Command, phonebook: Phonebook, sandbox: SandboxServer
) -> None:
    first, second = run("push", "Customers"), run("push", "Customers")
    assert (first["exit"], first["created"], first["balances"]) == (0, 3, True)
    assert (second["exit"], second["planned"], second["unchanged"]) == (0, 0, 3)
    state = sandbox.state("ippanel")
    assert {contact.number for contact in state.contacts_of(state.phonebook("Customers"))} == {
        f"+98912000000{number}" for number in (1, 2, 3)
    }


def test_a_push_with_a_wrong_key_says_so_and_ends_with_one(run: Command, phonebook: Phonebook) -> None:
    set_credentials(phonebook.account, {"api_key": "a-wrong-key-of-thirty-two-characters"})
    result = run("push", "Customers")
    assert result["exit"] == 1
    assert result["state"] == "paused"
    assert result["why"]
    phonebook.account.refresh_from_db()
    assert phonebook.account.state == ProviderAccount.State.REFUSED


def test_a_pull_counts_what_is_gone_at_the_provider(run: Command, phonebook: Phonebook, sandbox: SandboxServer) -> None:
    run("push", "Customers")
    state = sandbox.state("ippanel")
    with state.lock:
        state.delete_contacts({state.contacts_of(state.phonebook("Customers"))[0].id})
    result = run("pull", "Customers")
    assert result["balances"] is True
    assert phonebook.contacts.filter(sync_state="missing").count() == 1


def test_a_campaign_goes_out_once_and_its_report_comes_back(
    run: Command, campaign: Campaign, sandbox: SandboxServer
) -> None:
    sent = run("send_campaign", campaign.pk)
    assert (sent["exit"], sent["accepted"], sent["balances"]) == (0, 3, True)
    again = run("send_campaign", campaign.pk)
    assert again["exit"] == 1
    assert "only a prepared one can be sent" in again["why"]
    sandbox.advance(3600)
    report = run("campaign_report", campaign.pk)
    assert (report["exit"], report["delivery"]) == (0, {"delivered": 3})
    for number in (1, 2, 3):
        assert sandbox.state("ippanel").messages_to(f"+98912000000{number}") == ["Sale starts tomorrow"]


def test_a_dry_run_of_a_campaign_says_everything_in_words(run: Command, campaign: Campaign) -> None:
    campaign.account.senders = [{"value": "+983000999", "label": ""}]
    campaign.account.save()
    result = run("send_campaign", campaign.pk, "--dry-run")
    assert result["exit"] == 0
    assert result["calls"] == ["By phone number: 3"]
    assert any("is not among those" in warning for warning in result["warnings"])


def test_a_report_of_what_was_not_sent_says_so_in_one_line(run: Command, campaign: Campaign) -> None:
    result = run("campaign_report", campaign.pk)
    assert result["exit"] == 1
    assert result["why"] == f"Campaign {campaign.pk} was not sent, so there is no report: it is draft."


def test_a_dry_run_of_a_campaign_prepares_it_and_sends_nothing(
    run: Command, campaign: Campaign, sandbox: SandboxServer
) -> None:
    result = run("send_campaign", campaign.pk, "--dry-run")
    assert (result["exit"], result["recipients"]) == (0, 3)
    assert sandbox.state("ippanel").sends == {}
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.PREPARED


def test_an_unknown_outcome_ends_with_one(run: Command, campaign: Campaign, sandbox: SandboxServer) -> None:
    sandbox.fault("reset_after", "POST /api/send$")
    result = run("send_campaign", campaign.pk)
    assert (result["exit"], result["unknown"], result["state"]) == (1, 3, "attention")
    for number in (1, 2, 3):
        assert len(sandbox.state("ippanel").messages_to(f"+98912000000{number}")) == 1


def test_checking_an_account_prints_its_facts(run: Command, phonebook: Phonebook) -> None:
    result = run("check_account", "IPPanel")
    assert (result["exit"], result["state"], result["senders"][0]) == (0, "ready", "+983000505")


def test_a_test_that_does_not_get_through_fails_the_command_and_not_the_account(
    run: Command, phonebook: Phonebook, sandbox: SandboxServer
) -> None:
    sandbox.fault("status_500", times=0)
    result = run("check_account", "IPPanel")
    assert (result["exit"], result["state"]) == (1, "ready")


def test_a_corrected_key_lets_the_paused_push_go_on_where_it_stopped(
    run: Command, phonebook: Phonebook, sandbox: SandboxServer, run_tasks: Callable[[], None]
) -> None:
    set_credentials(phonebook.account, {"api_key": "a-wrong-key-of-thirty-two-characters"})
    run("push", "Customers")
    refused = run("check_account", "IPPanel")
    assert (refused["exit"], refused["state"], refused["runs resumed"]) == (1, "refused", [])
    set_credentials(phonebook.account, {"api_key": SANDBOX_KEY})
    accepted = run("check_account", "IPPanel")
    assert len(accepted["runs resumed"]) == 1
    run_tasks()
    assert Run.objects.get(pk=accepted["runs resumed"][0]).state in {Run.State.PLANNED, Run.State.FINISHED}


@pytest.mark.parametrize(
    ("command", "arguments", "complaint"),
    [
        ("push", ["Nobody"], "no phonebook “Nobody”"),
        ("pull", ["Nobody"], "no phonebook “Nobody”"),
        ("send_campaign", [404], "no campaign 404"),
        ("campaign_report", [404], "no campaign 404"),
        ("check_account", ["Nobody"], "no account “Nobody”"),
    ],
)
def test_what_is_not_there_is_named(run: Command, command: str, arguments: list[Any], complaint: str) -> None:
    result = run(command, *arguments)
    assert result["exit"] == 1
    assert complaint in result["why"]


def test_two_phonebooks_of_one_title_need_the_account(run: Command, phonebook: Phonebook) -> None:
    make_contact(make_phonebook(make_account(name="Other"), title="Customers"))
    assert "--account" in run("push", "Customers", "--dry-run")["why"]
    assert run("push", "Customers", "--account", "IPPanel", "--dry-run")["exit"] == 0
