"""What the demo starts with: an account at the sandbox, a phonebook, three options, people to log in as."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User

from contactsync.models import Campaign, CampaignTarget, CustomOption, Phonebook, PhonebookOption, ProviderAccount
from contactsync.sync.accounts import check_account, set_credentials

ACCOUNT = "IPPanel (sandbox)"
PHONEBOOK = "باشگاه مشتریان"
OPTIONS = (
    ("شهر", CustomOption.Kind.TEXT),
    ("امتیاز", CustomOption.Kind.INTEGER),
    ("تاریخ تولد", CustomOption.Kind.DATE),
)
CAMPAIGN = "تخفیف پاییزه"
MESSAGE = "باشگاه مشتریان: تا پایان هفته همهٔ خریدها ۲۰٪ تخفیف دارد. لغو۱۱"
PEOPLE = {"demo": "", "marketing": "Marketing", "lead": "Marketing lead"}


def sandbox_key() -> str:
    """The key that the demo's sandbox accepts; made once and kept beside the data."""
    path = settings.DATA_DIR / "sandbox.key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32), encoding="ascii")
    return path.read_text(encoding="ascii").strip()


def demo_password() -> str:
    """The password of the demo's people; made once and kept beside the data."""
    path = settings.DATA_DIR / "demo.password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9), encoding="ascii")
    return path.read_text(encoding="ascii").strip()


def is_somebody_elses() -> bool:
    """Whether the database holds accounts or people that the demo did not make."""
    strangers = User.objects.exclude(username__in=PEOPLE).exists()
    return strangers or ProviderAccount.objects.exclude(name=ACCOUNT).exists()


def make_people() -> None:
    """One superuser and one person of each group, all with the demo's password."""
    for name, group in PEOPLE.items():
        user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True, "is_superuser": not group})
        user.set_password(demo_password())
        user.save()
        if group:
            user.groups.set([Group.objects.get(name=group)])


def make_account(base_url: str) -> ProviderAccount:
    """The sandbox account, at today's port, checked."""
    fields: dict[str, Any] = {"provider": "ippanel", "default_sender": "+983000505", "default_region": "IR"}
    account, _ = ProviderAccount.objects.get_or_create(name=ACCOUNT, defaults=fields)
    account.base_url = base_url
    account.save(update_fields=["base_url"])
    set_credentials(account, {"api_key": sandbox_key()})
    return check_account(account)


def make_phonebook(account: ProviderAccount) -> Phonebook:
    """The phonebook with its three options; what is there already stays."""
    book, _ = Phonebook.objects.get_or_create(account=account, title=PHONEBOOK)
    for title, kind in OPTIONS:
        option, _ = CustomOption.objects.get_or_create(account=account, title=title, defaults={"kind": kind})
        PhonebookOption.objects.get_or_create(phonebook=book, option=option)
    return book


def make_campaign(book: Phonebook) -> Campaign:
    """A draft to everybody in the phonebook."""
    campaign, made = Campaign.objects.get_or_create(account=book.account, title=CAMPAIGN, defaults={"message": MESSAGE})
    if made:
        CampaignTarget.objects.create(campaign=campaign, phonebook=book, type=CampaignTarget.Type.ALL)
    return campaign
