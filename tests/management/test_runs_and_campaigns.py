"""runs, add_campaign, stop_campaign, resume_campaign: what people steer on pages, steered by commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from contactsync.campaigns import audience, lifecycle
from contactsync.models import Campaign, CampaignTarget, Phonebook, ProviderAccount, Run
from contactsync.sync import planner
from contactsync.sync.accounts import set_credentials
from providers.sandbox import SandboxServer
from providers.sandbox.callbell.records import MAIN_CHANNEL
from tests.factories import SANDBOX_KEY, make_contact, make_phonebook
from tests.sync.sides import AtomSide, CallbellSide, IPPanelSide, Side

Command = Callable[..., dict[str, Any]]


class TestRuns:
    @pytest.fixture
    def planned(self, phonebook: Phonebook) -> Run:
        run = planner.create_push_run(phonebook)
        planner.plan(run.pk)
        return run

    def test_open_runs_are_listed_and_one_is_shown(self, run: Command, planned: Run) -> None:
        assert run("runs")["runs"] == [{"run": planned.pk, "kind": "push", "about": "Customers", "state": "planned"}]
        shown = run("runs", planned.pk)
        assert (shown["exit"], shown["plan"]["create"]) == (0, 3)
        assert f"Not ended: {planned.pk}" in run("runs", planned.pk + 1)["why"]

    def test_a_plan_is_carried_out_after_a_yes(self, run: Command, planned: Run, answer: Any) -> None:
        assert "Add --yes" in run("runs", planned.pk, "--approve")["why"]
        answer("n")
        assert "waits for approval" in run("runs", planned.pk, "--approve")["why"]
        planned.refresh_from_db()
        assert planned.state == Run.State.PLANNED
        answer("y")
        done = run("runs", planned.pk, "--approve")
        assert (done["exit"], done["state"], done["created"]) == (0, "finished", 3)
        assert "so this is not possible" in run("runs", planned.pk, "--approve", "--yes")["why"]

    def test_a_plan_is_thrown_away(self, run: Command, planned: Run) -> None:
        assert run("runs", planned.pk, "--discard")["state"] == "discarded"
        assert run("runs")["runs"] == []

    def test_a_paused_run_goes_on_and_a_stopped_one_too(
        self, run: Command, planned: Run, phonebook: Phonebook, sandbox: SandboxServer
    ) -> None:
        set_credentials(phonebook.account, {"api_key": "a-wrong-key-of-thirty-two-characters"})
        paused = run("runs", planned.pk, "--approve", "--yes")
        assert (paused["exit"], paused["state"]) == (1, "paused")
        assert paused["reason"] == paused["why"]
        assert run("runs", planned.pk, "--stop")["state"] == "stopped"
        set_credentials(phonebook.account, {"api_key": SANDBOX_KEY})
        done = run("runs", planned.pk, "--resume")
        assert (done["exit"], done["state"], done["created"]) == (0, "finished", 3)

    def test_what_failed_is_closed_by_a_person(self, run: Command, phonebook: Phonebook) -> None:
        pushed = Run.objects.create(
            kind="push", account=phonebook.account, phonebook=phonebook, state="attention", counts={"failed": 1}
        )
        assert run("runs", pushed.pk, "--acknowledge")["state"] == "finished"

    def test_a_send_has_commands_of_its_own(self, run: Command, phonebook: Phonebook) -> None:
        send = Run.objects.create(kind="send", account=phonebook.account, state="paused")
        assert "resume_campaign" in run("runs", send.pk, "--resume")["why"]


@pytest.fixture
def book(main: ProviderAccount, side: Side) -> Phonebook:
    """Three people at the provider, who wrote to us just now."""
    main.default_sender = {"ippanel": "+983000505", "callbell": MAIN_CHANNEL}.get(side.slug, "ACME")
    main.save()
    side.prepare("Members")
    book = make_phonebook(main, title="Members")
    for number in range(3):
        make_contact(book, side.phone(number), first_name=f"Sara {number}", last_received_at=timezone.now())
    return book


def test_a_campaign_is_written_and_sent(run: Command, book: Phonebook, side: Side) -> None:
    run("push", "Members")
    if side.slug == "callbell":
        for number in range(3):
            side.state.receive(side.phone(number), "Ciao", makes_contact=False)
    made = run(
        "add_campaign",
        "Main",
        "News",
        "--message",
        "Hello {first_name}",
        "--phonebook",
        "Members",
        "--phone",
        side.phone(1),
    )
    assert (made["exit"], made["state"]) == (0, "draft"), made
    sent = run("send_campaign", made["campaign"])
    assert (sent["exit"], sent["accepted"]) == (0, 1), sent
    assert side.state.messages_to(side.phone(1)) == ["Hello Sara 1"]
    assert side.state.messages_to(side.phone(2)) == []


class TestWhatIsWrong:
    @pytest.fixture
    def side(self, sandbox: SandboxServer) -> Side:
        return AtomSide(sandbox)

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (["--message", "Hi", "--phonebook", "Nobody"], "There are: Members."),
            (["--message", "Hi {colour}", "--phonebook", "Members"], "colour"),
            (["--phonebook", "Members"], "The message is empty"),
            (["--message", "Hi", "--phonebook", "Members", "--at", "soon"], "2026-05-01T10:30"),
            (["--message", "Hi", "--phonebook", "Members", "--at", "2020-01-01T10:00"], "The time has passed"),
            (["--message", "Hi", "--phonebook", "Members", "--start", "2"], "no fixed order"),
            (["--message", "Hi", "--phonebook", "Members", "--size", "0"], "counted from 1"),
            (["--message", "Hi", "--phonebook", "Members", "--size", "1", "--phone", "1"], "Choose either rows"),
            (["--message", "Hi", "--phonebook", "Members", "--phone", "0412999999"], "Not in the phonebook"),
            (["--message", "Hi", "--phonebook", "Members", "--keyworded"], "fills nothing into a text"),
            (["--message", "Hi", "--phonebook", "Members", "--template", "x"], "Atom Telecom has no templates."),
            (["--message", "Hi", "--phonebook", "Members", "--value", "x"], "VARIABLE=TEXT"),
        ],
    )
    def test_it_is_said_and_no_draft_is_kept(
        self, run: Command, book: Phonebook, side: Side, arguments: list[str], complaint: str
    ) -> None:
        result = run("add_campaign", "Main", "News", *arguments)
        assert (result["exit"], complaint in result["why"]) == (1, True), result["why"]
        assert not Campaign.objects.exists()
        assert not side.sandbox.requests


class TestTemplates:
    @pytest.fixture
    def side(self, sandbox: SandboxServer) -> Side:
        return CallbellSide(sandbox)

    def test_one_is_found_by_its_title(self, run: Command, book: Phonebook, main: ProviderAccount) -> None:
        usable = [one for one in run("refresh_templates", "Main")["templates"] if one["is_usable"] and one["variables"]]
        values = [part for name in usable[0]["variables"] for part in ("--value", f"{name}={{first_name}}")]
        made = run("add_campaign", "Main", "News", "--phonebook", "Members", "--template", usable[0]["title"], *values)
        assert made["exit"] == 0, made
        campaign = Campaign.objects.get()
        assert (campaign.template, set(campaign.template_values)) == (usable[0]["id"], set(usable[0]["variables"]))
        why = run("add_campaign", "Main", "Second", "--phonebook", "Members", "--template", "nothing")["why"]
        assert usable[0]["title"] in why


class TestStopAndGoOn:
    @pytest.fixture
    def side(self, sandbox: SandboxServer) -> Side:
        return IPPanelSide(sandbox)

    @pytest.fixture
    def paused(self, run: Command, book: Phonebook, main: ProviderAccount) -> Campaign:
        campaign = Campaign.objects.create(account=main, title="News", message="Hello")
        CampaignTarget.objects.create(campaign=campaign, phonebook=book)
        lifecycle.begin_prepare(campaign, user=None)
        audience.freeze(campaign.pk)
        set_credentials(main, {"api_key": "a-wrong-key-of-thirty-two-characters"})
        assert run("send_campaign", campaign.pk)["state"] == "paused"
        return campaign

    def test_a_paused_campaign_goes_on(self, run: Command, paused: Campaign, main: ProviderAccount, side: Side) -> None:
        set_credentials(main, {"api_key": SANDBOX_KEY})
        assert run("check_account", "Main")["exit"] == 0
        done = run("resume_campaign", paused.pk)
        assert (done["exit"], done["state"], done["accepted"]) == (0, "sent", 3), done
        assert side.state.messages_to(side.phone(1)) == ["Hello"]
        assert "neither paused nor been stopped" in run("resume_campaign", paused.pk)["why"]

    def test_a_paused_campaign_is_stopped(self, run: Command, paused: Campaign) -> None:
        assert run("stop_campaign", paused.pk)["state"] == "stopped"
        assert "is not being sent: it is stopped" in run("stop_campaign", paused.pk)["why"]
