"""Campaigns with a call for each person, and what the rows say of them beside what the provider has."""

from __future__ import annotations

from collections import Counter

from django.contrib.auth.models import User
from django.db import transaction

from contactsync.campaigns import reports
from contactsync.models import Call, Campaign, Phonebook, Recipient, Run
from providers.sandbox import SandboxServer
from tests.campaigns.companies import Company
from tests.campaigns.conftest import approve, campaign_to, prepare

WORKED_ON = {Campaign.State.SENDING, Campaign.State.STOPPING}


def prepared_send(book: Phonebook, user: User, title: str) -> Campaign:
    """A campaign with a text for each person."""
    return prepare(campaign_to(book.account, book, title=title, message="{first_name}: " + title), user)


def approved_send(book: Phonebook, user: User, title: str) -> Run:
    """With a call for each text too, as one has that goes on after a call with many texts was refused."""
    campaign = prepared_send(book, user, title)
    run = approve(campaign, user)
    with transaction.atomic():
        Recipient.objects.filter(campaign=campaign).update(call=None)
        run.calls.all().delete()
        Run.objects.filter(pk=run.pk).update(plan={**run.plan, "one_by_one": True})
    return run


def is_over(campaign: Campaign) -> bool:
    campaign.refresh_from_db()
    return campaign.state not in WORKED_ON


class Ledger:
    """What the rows say of a campaign, beside what the provider has."""

    def __init__(self, company: Company, sandbox: SandboxServer, campaign: Campaign) -> None:
        self.company, self.sandbox, self.campaign = company, sandbox, campaign
        while True:  # a worker may be finding out what became of a call
            self.calls = list(Call.objects.filter(run__campaign=campaign).order_by("pk"))
            self.recipients = list(Recipient.objects.filter(campaign=campaign).select_related("call"))
            campaign.refresh_from_db()
            now = Call.objects.filter(run__campaign=campaign).order_by("pk").values_list("state", flat=True)
            if [call.state for call in self.calls] == list(now):
                break

    def unknown(self) -> set[int]:
        return {call.pk for call in self.calls if call.state == Call.State.UNKNOWN}

    def got(self, recipient: Recipient) -> int:
        """How often the provider has accepted this text for this number."""
        return self.company.messages_to(self.sandbox, recipient.phone).count(recipient.text)

    def doubles(self) -> int:
        return sum(self.got(recipient) > 1 for recipient in self.recipients)

    def assert_true(self) -> None:
        """Nobody has it twice, whoever counts as sent to has it, and the sum is right."""
        assert self.doubles() == 0
        accepted: Counter[str] = Counter()
        for call in self.calls:
            assert call.state != Call.State.ON_WIRE
            if call.state == Call.State.ACCEPTED:
                texts = call.target.get("texts", [call.target])
                accepted.update(phone for one in texts for phone in one["numbers"])
        assert self.recipients
        for recipient in self.recipients:
            found = self.got(recipient), accepted[recipient.phone]
            may_be = {Recipient.State.ACCEPTED: {(1, 1)}, Recipient.State.UNKNOWN: {(0, 0), (1, 0)}}
            assert found in may_be.get(Recipient.State(recipient.state), {(0, 0)}), (recipient.phone, recipient.state)
        assert reports.equation(self.campaign).balances

    def assert_whole(self) -> None:
        """Everybody has it once, and the campaign says so."""
        self.assert_true()
        assert {self.got(recipient) for recipient in self.recipients} == {1}
        assert self.campaign.state == Campaign.State.SENT, self.campaign.error_text
