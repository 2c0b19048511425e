"""replies, refresh_templates, price, balance, opt_outs, callbacks, cancel_campaign: what there is, or why not."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from contactsync.models import Campaign, CampaignTarget, Phonebook, ProviderAccount, Suppression
from contactsync.sync.connect import Operation, capabilities
from providers.sandbox import SandboxServer
from providers.sandbox.callbell.records import MAIN_CHANNEL
from tests.factories import make_campaign, make_contact, make_phonebook
from tests.sync.sides import CallbellSide, IPPanelSide, Lox24Side, Side

Command = Callable[..., dict[str, Any]]
ASKING = [
    ("replies", [], Operation.LIST_INBOX),
    ("refresh_templates", [], Operation.LIST_TEMPLATES),
    ("price", ["Hello", "+989121234567"], Operation.ESTIMATE_PRICE),
    ("balance", [], Operation.READ_BALANCE),
    ("opt_outs", [], Operation.LIST_SUPPRESSED),
    ("callbacks", ["--subscribe", "--yes"], Operation.SUBSCRIBE_CALLBACKS),
    ("callbacks", ["--unsubscribe", "--yes"], Operation.UNSUBSCRIBE_CALLBACKS),
]


@pytest.mark.parametrize(("command", "more", "operation"), ASKING)
def test_each_provider_does_it_or_refuses_before_any_call(
    run: Command, main: ProviderAccount, side: Side, command: str, more: list[str], operation: Operation
) -> None:
    limits = capabilities(main)
    if side.slug in {"ippanel", "lox24"}:
        main.default_sender = "+983000505"
        main.save()
    result = run(command, "Main", *more)
    if limits.can(operation):
        assert (result["exit"], result["account"]) == (0, "Main"), result
        return
    assert (result["exit"], result["why"]) == (1, limits.why_not(operation))
    assert not side.sandbox.requests


@pytest.mark.parametrize(("command", "more"), [(command, more) for command, more, _operation in ASKING])
def test_a_wrong_account_is_said_with_what_there_is(
    run: Command, transactional_db: None, command: str, more: list[str]
) -> None:
    assert run(command, "Nobody", *more)["why"] == "There is no account “Nobody”. Accounts: none yet."


class TestAtIPPanel:
    @pytest.fixture
    def side(self, sandbox: SandboxServer) -> Side:
        return IPPanelSide(sandbox)

    def test_new_replies_are_printed_once(self, run: Command, main: ProviderAccount, side: Side) -> None:
        side.sandbox.dialects["ippanel"].receive({"from": side.phone(1), "message": "قیمت؟"})
        side.sandbox.dialects["ippanel"].receive({"from": side.phone(2), "message": "لغو۱۱"})
        first = run("replies", "Main")
        assert [(reply["phone"], reply["text"], reply["is_opt_out"]) for reply in first["replies"]] == [
            (side.phone(1), "قیمت؟", False),
            (side.phone(2), "لغو۱۱", True),
        ]
        assert (first["new"], first["asking_for_no_more"]) == (2, 1)
        assert Suppression.objects.get().phone == side.phone(2)
        assert run("replies", "Main")["replies"] == []
        side.sandbox.dialects["ippanel"].receive({"from": side.phone(1), "message": "ممنون"})
        out = io.StringIO()
        call_command("replies", "Main", stdout=out)
        assert f"{side.phone(1)}: ممنون" in out.getvalue()

    def test_price_and_balance_are_numbers(self, run: Command, main: ProviderAccount) -> None:
        price = run("price", "Main", "سلام", "09121234567", "--sender", "+983000505")
        assert (price["parts"], price["currency"]) == (1, "IRR")
        assert float(price["price_low"]) > 0
        balance = run("balance", "Main")
        main.refresh_from_db()
        assert float(balance["balance"]) == float(main.balance or 0) > 0


class TestAtLox24:
    @pytest.fixture
    def side(self, sandbox: SandboxServer) -> Side:
        return Lox24Side(sandbox)

    def test_who_is_blocked_there_is_suppressed_here(self, run: Command, main: ProviderAccount, side: Side) -> None:
        side.state.block(side.phone(5))
        assert (run("opt_outs", "Main")["newly_suppressed"], run("opt_outs", "Main")["newly_suppressed"]) == (1, 0)
        assert Suppression.objects.get().phone == side.phone(5)


class TestAtCallbell:
    @pytest.fixture
    def side(self, sandbox: SandboxServer) -> Side:
        return CallbellSide(sandbox)

    def test_templates_are_read_anew(self, run: Command, main: ProviderAccount) -> None:
        titles = [template["title"] for template in run("refresh_templates", "Main")["templates"]]
        main.refresh_from_db()
        assert titles == [template["title"] for template in main.templates] != []

    def test_the_provider_calls_this_site_after_a_yes(
        self, run: Command, main: ProviderAccount, side: Side, answer: Any
    ) -> None:
        assert "Add --yes" in run("callbacks", "Main", "--subscribe")["why"]
        answer("no")
        assert run("callbacks", "Main", "--subscribe")["why"] == "Nothing was done."
        assert not side.sandbox.requests
        answer("yes")
        told = run("callbacks", "Main", "--subscribe")
        main.refresh_from_db()
        assert main.callback_key in told["address"]
        assert main.callback_subscribed_at
        assert run("callbacks", "Main", "--unsubscribe")["subscribed_at"] == ""


@pytest.fixture
def later(main: ProviderAccount, side: Side) -> Campaign:
    """A campaign to one person, in two hours."""
    title = "Book for later"
    side.prepare(title)
    book: Phonebook = make_phonebook(main, title=title)
    make_contact(book, side.phone(1), first_name="Sara", last_received_at=timezone.now())
    main.default_sender = {"ippanel": "+983000505", "callbell": MAIN_CHANNEL}.get(side.slug, "ACME")
    main.save()
    campaign = make_campaign(main, message="Hello", scheduled_for=timezone.now() + dt.timedelta(hours=2))
    CampaignTarget.objects.create(campaign=campaign, phonebook=book)
    return campaign


def test_a_scheduled_campaign_is_taken_back_wherever_it_waits(run: Command, later: Campaign, side: Side) -> None:
    assert "nothing to cancel: it is draft" in run("cancel_campaign", later.pk)["why"]
    run("push", "Book for later")
    sent = run("send_campaign", later.pk)
    assert sent["exit"] == 0, sent
    there = sent["state"] == Campaign.State.SCHEDULED
    done = run("cancel_campaign", later.pk)
    assert (done["exit"], done["state"]) == (0, "cancelled"), done
    assert (done["cancelled_at_the_provider"], done["never_handed_over"]) == ((1, 0) if there else (0, 1))
    assert "nothing to cancel" in run("cancel_campaign", later.pk)["why"]


def test_what_is_no_campaign_is_said_with_the_newest(run: Command, later: Campaign) -> None:
    why = run("cancel_campaign", later.pk + 1)["why"]
    assert f"There is no campaign {later.pk + 1}. The newest: {later.pk} “{later.title}”." == why
