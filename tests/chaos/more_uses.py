"""Uses of a provider that only some of them have: the other ways to send, and the removal of an option."""

from __future__ import annotations

from django.utils import timezone

from contactsync.models import Campaign, Contact, CustomOption, Phonebook, ProviderAccount, Run
from contactsync.sync import accounts, executor, removal
from contactsync.sync import lifecycle as runs
from contactsync.sync.connect import Operation, capabilities, provider_class
from contactsync.sync.mapping import payload_of, places_of, record_of
from tests.campaigns.conftest import campaign_to
from tests.chaos.recovery import ROUNDS, mend_account, sweep_up
from tests.chaos.uses import COMPANY, PushScene, Scene, SendScene
from tests.factories import make_contact, make_option, make_phonebook, numbers


class ByNumberScene(SendScene):
    """A campaign to a phonebook that the provider does not have, where the others go to one that it has."""

    name = "by number"

    @classmethod
    def fits(cls, slug: str) -> bool:
        return provider_class(slug).capabilities.can(Operation.SEND_TO_PHONEBOOK)

    def make(self, account: ProviderAccount) -> Campaign:
        Phonebook.objects.filter(pk=self.book.pk).update(remote_id="")
        Contact.objects.filter(phonebook=self.book).update(remote_id="", sync_state=Contact.SyncState.NEW)
        return super().make(account)


class ConsentScene(SendScene):
    """A template that goes only to people who have agreed."""

    name = "template with consent"

    @classmethod
    def fits(cls, slug: str) -> bool:
        return provider_class(slug).capabilities.template_needs_consent

    def make(self, account: ProviderAccount) -> Campaign:
        accounts.check_account(account)
        welcome = next(row["remote_id"] for row in account.templates if row["title"] == "welcome")
        self.book.contacts.update(consented_at=timezone.now(), consent_source="form")
        values = {"1": "{first_name}"}
        return campaign_to(account, self.book, message="", template=welcome, template_values=values)


class KeywordScene(SendScene):
    """The provider fills in what it knows of each contact."""

    name = "filled in there"

    @classmethod
    def fits(cls, slug: str) -> bool:
        return provider_class(slug).capabilities.can(Operation.SEND_KEYWORDS)

    def prepare(self) -> None:
        self.company = COMPANY[self.slug]
        account, state = self.company.account(self.sandbox), self.sandbox.state(self.slug)
        self.phones = self.company.phones(self.count)
        option = state.add_option("City", "string")
        city = make_option(account, "City", remote_key=str(option.id))
        title = f"Book {next(numbers)}"
        there = state.add_phonebook(title, option_ids=[option.id])
        self.book = make_phonebook(account, title=title, remote_id=str(there.id), options=(city,))
        for phone in self.phones:
            contact = make_contact(self.book, phone, options={str(city.pk): "Tehran"})
            contact.remote_id = str(state.add_contact(there, phone, options={city.remote_key: "Tehran"}).id)
            contact.pushed_payload = payload_of(record_of(contact, places=places_of(self.book)))
            contact.pushed_hash = contact.fingerprint()
            contact.sync_state = Contact.SyncState.SYNCED
            contact.save()
        self.campaign = campaign_to(account, self.book, message="In {City}.", is_keyworded=True)


class OptionScene(PushScene):
    """An option with the values of everybody is removed at the provider, and stays here."""

    name = "option removal"

    @classmethod
    def fits(cls, slug: str) -> bool:
        return provider_class(slug).capabilities.can(Operation.DELETE_OPTION)

    def prepare(self) -> None:
        super().prepare()
        assert self._push() is not None

    def work(self) -> None:
        try:
            run = removal.create_option_removal(CustomOption.objects.get(pk=self.city.pk))
        except runs.RunRefused:  # done already, or another removal has not ended
            return
        executor.execute(run.pk)  # plans it
        run.refresh_from_db()
        if run.state == Run.State.PLANNED:
            executor.execute(runs.approve(run).pk)

    def finish(self) -> None:
        for _ in range(ROUNDS):
            sweep_up()
            mend_account(self.account, self.user)
            for run in self.runs():
                if run.state == Run.State.PAUSED:
                    executor.execute(runs.resume(run).pk)
            if not CustomOption.objects.get(pk=self.city.pk).remote_key:
                break
            self.work()
        assert not CustomOption.objects.get(pk=self.city.pk).remote_key
        assert not self.sandbox.state(self.slug).options
        assert self.book.contacts.exclude(options={}).count() == len(self.people)
        assert capabilities(self.account).can(Operation.CREATE_OPTION)


MORE: tuple[type[Scene], ...] = (ByNumberScene, ConsentScene, KeywordScene, OptionScene)
