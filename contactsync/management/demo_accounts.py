"""What the demo shows of each provider: an account at the sandbox, a phonebook with its sample file, a campaign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contactsync.models import Campaign, CampaignTarget, CustomOption, Phonebook, PhonebookOption, ProviderAccount
from contactsync.sync.accounts import check_account, set_credentials

Kind = CustomOption.Kind


@dataclass(frozen=True, slots=True)
class OptionPlan:
    """A custom option of the phonebook, and its place where the provider has places."""

    title: str
    kind: str = Kind.TEXT
    slot: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One account of the demo. `rows` are those of the sample: all, and those that become contacts."""

    provider: str
    name: str
    path: str  # of the base URL at the sandbox
    region: str
    sender: str
    phonebook: str
    sample: str
    rows: tuple[int, int]
    campaign: str
    message: str
    credentials: Mapping[str, str]  # "{key}" stands for the sandbox's key
    options: tuple[OptionPlan, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)  # field of the contact -> place
    columns: Mapping[str, str] = field(default_factory=dict)  # header -> option, where no title says it
    portal: Mapping[str, Any] = field(default_factory=dict)  # what a person makes in the provider's portal first
    template: str = ""  # its title at the sandbox
    template_values: Mapping[str, str] = field(default_factory=dict)

    def make_account(self, sandbox: str, key: str) -> ProviderAccount:
        """The account, at the sandbox's address of today, checked."""
        account, _ = ProviderAccount.objects.get_or_create(
            name=self.name,
            defaults={"provider": self.provider, "default_sender": self.sender, "default_region": self.region},
        )
        account.base_url = f"{sandbox}/{self.path}"
        account.save(update_fields=["base_url"])
        set_credentials(account, {name: value.format(key=key) for name, value in self.credentials.items()})
        check_account(account)
        if not account.default_sender and account.senders:
            account.default_sender = account.senders[0]["value"]
            account.save(update_fields=["default_sender"])
        return account

    def make_phonebook(self, account: ProviderAccount) -> Phonebook:
        """The phonebook with its options and places; what is there already stays."""
        book, _ = Phonebook.objects.get_or_create(account=account, title=self.phonebook)
        for name, place in self.fields.items():
            PhonebookOption.objects.get_or_create(phonebook=book, field=name, defaults={"slot": place})
        for plan in self.options:
            option, _ = CustomOption.objects.get_or_create(
                account=account, title=plan.title, defaults={"kind": plan.kind, "choices": list(plan.choices)}
            )
            PhonebookOption.objects.get_or_create(phonebook=book, option=option, defaults={"slot": plan.slot})
        return book

    def make_campaign(self, book: Phonebook) -> Campaign:
        """A draft to everybody in the phonebook."""
        campaign, made = Campaign.objects.get_or_create(
            account=book.account,
            title=self.campaign,
            defaults={
                "message": self.message,
                "template": self._template_id(book.account),
                "template_values": dict(self.template_values),
            },
        )
        if made:
            CampaignTarget.objects.create(campaign=campaign, phonebook=book, type=CampaignTarget.Type.ALL)
        return campaign

    def _template_id(self, account: ProviderAccount) -> str:
        return next((each["remote_id"] for each in account.templates if each["title"] == self.template), "")


IPPANEL = DemoAccount(
    provider="ippanel",
    name="IPPanel (sandbox)",
    path="ippanel/v1",
    region="IR",
    sender="+983000505",
    phonebook="باشگاه مشتریان",
    sample="sample-contacts-fa.csv",
    rows=(500, 444),
    campaign="تخفیف پاییزه",
    message="باشگاه مشتریان: تا پایان هفته همهٔ خریدها ۲۰٪ تخفیف دارد. لغو۱۱",
    credentials={"api_key": "{key}"},
    options=(OptionPlan("شهر"), OptionPlan("امتیاز", Kind.INTEGER), OptionPlan("تاریخ تولد", Kind.DATE)),
)
ATOM = DemoAccount(
    provider="atomtelecom",
    name="Atom Telecom (sandbox)",
    path="atomtelecom",
    region="AU",
    sender="ACME",
    phonebook="Store members",
    sample="sample-contacts-au.csv",
    rows=(60, 54),
    campaign="Member weekend",
    message="Hi {first_name|there}, member prices all weekend in store. Reply STOP to opt out.",
    credentials={"token": "{key}"},
    options=(
        OptionPlan("Suburb", slot="custom_1"),
        OptionPlan("Membership", slot="custom_2"),
        OptionPlan("Renewal date", slot="custom_3"),
    ),
    fields={"company": "company"},
)
LOX24 = DemoAccount(
    provider="lox24",
    name="LOX24 (sandbox)",
    path="lox24",
    region="DE",
    sender="ACME",
    phonebook="Stammkunden",
    sample="sample-contacts-de.csv",
    rows=(120, 110),
    campaign="Frühlingsaktion",
    message="Nur diese Woche: 15 % auf alles im Laden. Abmelden: STOP an diese Nummer.",
    credentials={"client_id": "41007", "api_key": "{key}"},
    options=(OptionPlan("Ort", slot="c"), OptionPlan("Kundennummer", slot="d"), OptionPlan("Geburtstag", slot="e")),
    fields={"first_name": "a", "last_name": "b"},
)
CALLBELL = DemoAccount(
    provider="callbell",
    name="Callbell (sandbox)",
    path="callbell/v1",
    region="IT",
    sender="",
    phonebook="newsletter",
    sample="sample-contacts-whatsapp.csv",
    rows=(50, 44),
    campaign="Novità d'autunno",
    message="Ciao {first_name}, sono arrivate le novità d'autunno!",
    credentials={"api_key": "{key}"},
    options=(
        OptionPlan("Città"),
        OptionPlan("Interessi", "multiple", choices=("Vini", "Viaggi", "Moda")),
        OptionPlan("Compleanno", Kind.DATE),
    ),
    fields={"email": "E-mail"},
    portal={
        "tags": ["newsletter"],
        "users": ["agente@example.org"],
        "custom_fields": [
            {"name": "Città", "type": "text"},
            {"name": "Interessi", "type": "checkbox", "options": ["Vini", "Viaggi", "Moda"]},
            {"name": "Compleanno", "type": "date"},
            {"name": "E-mail", "type": "email"},
        ],
    },
    template="welcome",
    template_values={"1": "{first_name}"},
)
ACCOUNTS = (IPPANEL, ATOM, LOX24, CALLBELL)
