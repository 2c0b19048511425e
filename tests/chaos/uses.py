"""What people do with a provider, from beginning to end, so that trouble can be put anywhere in it.

A scene is made anew for every trouble. `work` is what the trouble hits; `finish` is what people do about it, and ends
with everything as it should be: that is asserted there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from typing import ClassVar

from django.contrib.auth.models import User
from django.utils import timezone

from contactsync.campaigns import audience, cancel, dispatch, lifecycle, reports
from contactsync.campaigns.problems import CampaignProblem
from contactsync.models import Call, Campaign, Contact, CustomOption, Phonebook, ProviderAccount, Recipient, Run
from contactsync.models.transitions import TransitionRefused
from contactsync.sync import accounts, executor, planner, removal
from contactsync.sync import lifecycle as runs
from contactsync.sync.connect import Operation, ProviderError, capabilities, provider_class
from providers.sandbox import SandboxServer
from providers.sandbox.ippanel.records import Pattern
from tests.campaigns.companies import COMPANIES, Company
from tests.campaigns.conftest import campaign_to
from tests.chaos.recovery import ROUNDS, assert_books_are_true, decide_unknown, mend_account, sweep_up
from tests.factories import make_contact, make_option, make_phonebook, make_user, numbers
from tests.sync.sides import SIDES, ours

COMPANY = {company.slug: company for company in COMPANIES}
SETTINGS = {"connect_timeout": 1, "read_timeout": 1}


class Scene:
    """One use of one provider."""

    name: ClassVar[str]

    def __init__(self, slug: str, sandbox: SandboxServer) -> None:
        self.slug, self.sandbox = slug, sandbox
        self.user: User = make_user()
        self.told = ""  # why the last step was refused
        self.prepare()

    @classmethod
    def fits(cls, slug: str) -> bool:
        """Whether the provider can do this at all."""
        return True

    def prepare(self) -> None:
        raise NotImplementedError

    @property
    def account(self) -> ProviderAccount:
        raise NotImplementedError

    def work(self) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        raise NotImplementedError

    def runs(self) -> Iterator[Run]:
        yield from Run.objects.filter(account=self.account).order_by("pk")


class PushScene(Scene):
    """A first push of options, phonebook and contacts; then a new title, a change, a deletion and somebody new."""

    name = "push"

    def prepare(self) -> None:
        self.side = SIDES[self.slug](self.sandbox)
        self.title = f"Book {next(numbers)}"
        self.side.prepare(self.title)
        account = self.side.account()
        fields = {field.name for field in provider_class(self.slug).setting_fields}
        account.settings = {**SETTINGS, **({"batch_size": 2} if "batch_size" in fields else {})}
        account.save()
        self.city: CustomOption = make_option(account, "City")
        self.book: Phonebook = make_phonebook(account, title=self.title, options=(self.city,))
        self.people = [self._contact(number) for number in range(3)]

    def _contact(self, number: int) -> Contact:
        options = {str(self.city.pk): f"City {number}"}
        return make_contact(self.book, self.side.phone(number), first_name="Sara", last_name="Here", options=options)

    @property
    def account(self) -> ProviderAccount:
        return ProviderAccount.objects.get(pk=self.book.account_id)

    def work(self) -> None:
        self._push()
        Contact.objects.filter(pk=self.people[0].pk).update(deleted_at=timezone.now())
        changed = Contact.objects.get(pk=self.people[1].pk)
        changed.first_name = "Changed"
        changed.save()
        self._contact(7)
        if capabilities(self.account).can(Operation.UPDATE_PHONEBOOK):
            Phonebook.objects.filter(pk=self.book.pk).update(title=f"{self.title} B")
        if capabilities(self.account).can(Operation.RENAME_OPTION):
            CustomOption.objects.filter(pk=self.city.pk).update(title="Town")
        self._push()

    def _push(self) -> Run | None:
        run = planner.create_push_run(Phonebook.objects.get(pk=self.book.pk), user=self.user)
        planner.plan(run.pk)
        run.refresh_from_db()
        if run.state == Run.State.PLANNED:
            try:
                runs.approve(run)
            except runs.RunRefused:  # an earlier one has paused, which this plan does not change
                return None
            executor.execute(run.pk)
            run.refresh_from_db()
        return run

    def finish(self) -> None:
        for _ in range(ROUNDS):
            sweep_up()
            mend_account(self.account, self.user)
            for run in self.runs():
                assert run.state not in {Run.State.RUNNING, Run.State.STOPPING}, (run.state, run.error_text)
                if run.state == Run.State.PAUSED:
                    assert run.error_text, "it pauses and does not say why"
                    executor.execute(runs.resume(run).pk)
            runs.mark_for_readding(Contact.objects.filter(phonebook=self.book))  # “try again what was refused”
            last = self._push()
            if last is not None and last.state == Run.State.FINISHED and last.plan["calls"] == 0:
                break
        book = Phonebook.objects.get(pk=self.book.pk)
        option = CustomOption.objects.get(pk=self.city.pk)
        assert self.side.people(book.title) == ours(book, option)
        states = set(book.contacts.values_list("sync_state", flat=True))
        assert states == {Contact.SyncState.SYNCED}, (states, last and last.error_text)
        assert not book.contacts.exclude(deleted_at=None).exists()
        for run in self.runs():
            assert not run.counts or run.counts["balances"], run.counts


class AroundScene(PushScene):
    """Everything but pushing and sending: the test of the account, its credit, a pull, a removal."""

    name = "around"

    def prepare(self) -> None:
        super().prepare()
        assert self._push() is not None

    def work(self) -> None:
        account = self.account
        accounts.check_account(account)
        for ask in (accounts.refresh_balance, accounts.refresh_templates):
            with suppress(ProviderError):
                ask(account)
        self._carry_out(planner.create_pull_run(Phonebook.objects.get(pk=self.book.pk)))
        self._remove()

    def _carry_out(self, run: Run) -> Run:
        executor.execute(run.pk)
        run.refresh_from_db()
        return run

    def _remove(self) -> None:
        book = Phonebook.objects.get(pk=self.book.pk)
        try:
            run = removal.create_phonebook_removal(book)
        except runs.RunRefused:  # not linked (any more), or not possible at this provider
            return
        planner.plan(run.pk)
        run.refresh_from_db()
        if run.state == Run.State.PLANNED:
            try:
                runs.approve(run)
            except runs.RunRefused:
                return
            self._carry_out(run)

    def finish(self) -> None:
        for _ in range(4):
            sweep_up()
            mend_account(self.account, self.user)
            for run in self.runs():
                if run.state == Run.State.PAUSED:
                    executor.execute(runs.resume(run).pk)
            self._remove()
        accounts.check_account(account := self.account)
        assert account.state == ProviderAccount.State.READY
        assert not account.state_reason, account.state_reason_text
        there = Phonebook.objects.get(pk=self.book.pk).remote_id
        if capabilities(account).can(Operation.DELETE_PHONEBOOK):
            assert not there
            with_it = [row for row in self.sandbox.requests if row.status == 200 and row.method == "DELETE"]
            assert len(with_it) <= 4
        pulls = Run.objects.filter(account=account, kind=Run.Kind.PULL)
        assert not pulls.exclude(state__in=[Run.State.FINISHED, Run.State.FAILED]).exists()
        self._leave()

    def _leave(self) -> None:
        assert not Run.objects.filter(account=self.account, state__in=[Run.State.RUNNING, Run.State.PAUSED]).exists()


class SendScene(Scene):
    """A campaign: prepared, approved, sent, reported."""

    name = "one text"
    message: ClassVar[str] = "Sale starts tomorrow"
    count: ClassVar[int] = 3

    def prepare(self) -> None:
        self.company: Company = COMPANY[self.slug]
        account = self.company.account(self.sandbox)
        self.phones = self.company.phones(self.count)
        self.book = self.company.book(account, self.sandbox, self.phones)
        self.campaign: Campaign = self.make(account)

    def make(self, account: ProviderAccount) -> Campaign:
        return campaign_to(account, self.book, message=self.message)

    @property
    def account(self) -> ProviderAccount:
        return ProviderAccount.objects.get(pk=self.book.account_id)

    def got(self, phone: str) -> int:
        return len(self.company.messages_to(self.sandbox, phone))

    def work(self) -> None:
        self._begin()
        self.assert_no_one_twice()
        self.sandbox.advance(3600)
        reports.pull(self.campaign.pk)

    def _begin(self) -> None:
        """Prepare and send, as far as that goes."""
        campaign = self.campaign
        campaign.refresh_from_db()
        try:
            if campaign.state == Campaign.State.DRAFT:
                lifecycle.begin_prepare(campaign, user=self.user)
                audience.freeze(campaign.pk)
                campaign.refresh_from_db()
            if campaign.state == Campaign.State.PREPARED and campaign.summary["recipients"]:
                run = lifecycle.begin_send(campaign, user=self.user, audience_hash=campaign.audience_hash)
                dispatch.execute(run.pk)
                campaign.refresh_from_db()
        except CampaignProblem as problem:
            self.told = problem.describe()

    def assert_no_one_twice(self) -> None:
        for phone in self.phones:
            assert self.got(phone) <= 1, f"{phone} got {self.got(phone)} messages"

    def finish(self) -> None:
        for _ in range(ROUNDS):
            sweep_up()
            for campaign_id in audience.abandoned():
                audience.freeze(campaign_id)
            self.assert_no_one_twice()
            self.campaign.refresh_from_db()
            if self.is_over():
                break
            mend_account(self.account, self.user)
            self.go_on()
        self.assert_no_one_twice()
        assert self.is_over(), (self.campaign.state, self.campaign.error_text)
        self.assert_all_is_told()

    def is_over(self) -> bool:
        return bool(self.campaign.state == Campaign.State.SENT)

    def go_on(self) -> None:
        """The next step of a person."""
        state, campaign = self.campaign.state, self.campaign
        if state in {Campaign.State.FAILED, Campaign.State.PREPARED}:
            assert campaign.error_text or state == Campaign.State.PREPARED
            lifecycle.back_to_draft(campaign)
        if campaign.state in {Campaign.State.DRAFT, Campaign.State.PREPARED}:
            self._begin()
            return
        assert campaign.state in {Campaign.State.PAUSED, Campaign.State.STOPPED, Campaign.State.ATTENTION}, (
            campaign.state
        )
        assert campaign.error_text, "it waits for a person and does not say why"
        assert_books_are_true(campaign)
        decide_unknown(campaign, self.user, lambda phone: bool(self.got(phone)))
        campaign.refresh_from_db()
        if campaign.state in {Campaign.State.SENT, Campaign.State.SCHEDULED, Campaign.State.CANCELLED}:
            return
        self.sandbox.advance(60)  # the same message is refused within 40 seconds by one of them
        try:
            dispatch.execute(lifecycle.resume(campaign, user=self.user, at_once=True).pk)
        except CampaignProblem:  # nobody is left whom a message could go to: those refused for good
            lifecycle.leave_unsent(campaign, user=self.user)

    def assert_all_is_told(self) -> None:
        self.sandbox.advance(3600)
        for _ in range(3):
            mend_account(self.account, self.user)
            reports.pull(self.campaign.pk)
        self.campaign.refresh_from_db()
        assert reports.equation(self.campaign).balances
        told = dict(Recipient.objects.filter(campaign=self.campaign).values_list("phone", "state"))
        for phone in self.phones:
            expected = int(told[phone] == Recipient.State.ACCEPTED)
            assert self.got(phone) == expected, (phone, told[phone], self.got(phone))
        if capabilities(self.account).can(Operation.READ_REPORT):
            assert not self.campaign.summary["report"]["error"], self.campaign.summary["report"]


class PersonalScene(SendScene):
    """A text of its own for each."""

    name = "several texts"
    message = "Hello {first_name}"


class TemplateScene(SendScene):
    """A text approved by the provider."""

    name = "template"

    @classmethod
    def fits(cls, slug: str) -> bool:
        return slug == "ippanel"

    def make(self, account: ProviderAccount) -> Campaign:
        self.sandbox.state("ippanel").patterns["abc"] = Pattern("abc", "Hello %name%", {"name": "string"})
        accounts.check_account(account)
        values = {"name": "{first_name}"}
        return campaign_to(account, self.book, message="", template="abc", template_values=values)


class ScheduledScene(SendScene):
    """Handed over for later, and taken back."""

    name = "cancelled"

    @classmethod
    def fits(cls, slug: str) -> bool:
        return provider_class(slug).capabilities.can(Operation.CANCEL_SEND)

    def make(self, account: ProviderAccount) -> Campaign:
        later = timezone.now() + dt.timedelta(hours=6)
        return campaign_to(account, self.book, message=self.message, scheduled_for=later)

    def work(self) -> None:
        self._begin()
        self._cancel()

    def _cancel(self) -> None:
        with suppress(CampaignProblem, TransitionRefused):
            cancel.cancel(self.campaign)

    def go_on(self) -> None:
        if self.campaign.state == Campaign.State.SCHEDULED:
            self._cancel()
            self.campaign.refresh_from_db()
            return
        super().go_on()

    def is_over(self) -> bool:
        if self.campaign.state == Campaign.State.SCHEDULED:
            # What a person says was handed over has no reference to cancel it by: that is told, and done in the panel.
            return Call.objects.filter(run__campaign=self.campaign, state=Call.State.ACCEPTED, references=[]).exists()
        return bool(self.campaign.state in {Campaign.State.CANCELLED, Campaign.State.SENT})

    def assert_all_is_told(self) -> None:
        if self.campaign.state == Campaign.State.SCHEDULED:
            self._cancel()
            assert "panel" in self.campaign.error_text
        assert reports.equation(self.campaign).balances


USES: tuple[type[Scene], ...] = (
    PushScene,
    AroundScene,
    SendScene,
    PersonalScene,
    TemplateScene,
    ScheduledScene,
)
