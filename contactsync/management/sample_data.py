"""What the demo starts with beside its accounts: the key of the sandbox, people to log in as."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.models import Group, User

from contactsync.management.demo_accounts import ACCOUNTS
from contactsync.models import ProviderAccount

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
    return strangers or ProviderAccount.objects.exclude(name__in=[each.name for each in ACCOUNTS]).exists()


def make_people() -> None:
    """One superuser and one person of each group, all with the demo's password."""
    for name, group in PEOPLE.items():
        user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True, "is_superuser": not group})
        user.set_password(demo_password())
        user.save()
        if group:
            user.groups.set([Group.objects.get(name=group)])
