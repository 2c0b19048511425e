"""Encrypt the stored credentials again with the newest key."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from contactsync.crypto import Undecryptable, rotate
from contactsync.management.base import ServiceCommand
from contactsync.models import ProviderAccount
from contactsync.models.fields import Credentials


class Command(ServiceCommand):
    help = "Encrypt all accounts’ credentials with the first key in CREDENTIAL_KEYS, so that older keys can be removed."

    def handle(self, *args: Any, **options: Any) -> None:
        rotated, failed = 0, []
        accounts = [account for account in ProviderAccount.objects.order_by("name") if account.credentials]
        for account in accounts:
            try:
                fresh = Credentials(rotate(account.credentials.token, settings.CREDENTIAL_KEYS))
            except Undecryptable:
                failed.append(account.name)
                continue
            # Where somebody has just saved another key, theirs is kept: it is encrypted with the newest key already.
            ProviderAccount.objects.filter(pk=account.pk, credentials=account.credentials).update(credentials=fresh)
            rotated += 1
        why = f"These credentials do not open with any key in CREDENTIAL_KEYS: {', '.join(failed)}. Enter them again."
        self.conclude(
            {"accounts": len(accounts), "rotated": rotated, "failed": failed},
            ok=not failed,
            as_json=options["json"],
            why=why,
        )
