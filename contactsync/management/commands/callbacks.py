"""The address that the provider of an account calls."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from contactsync.management.base import ServiceCommand, find_account, insist
from contactsync.management.planned import agrees, can_ask
from contactsync.models import ProviderAccount
from contactsync.sync import callbacks
from contactsync.sync.callback_address import callback_url
from contactsync.sync.connect import CallbackKind, Operation, capabilities

REPLACES = (
    "The provider keeps one address only: if other software is called by it now, that software is called no more."
)
NOBODY = "The provider will no longer call any address, this site included. Delivery reports are still read from it."


class Command(ServiceCommand):
    help = (
        "Show the address that the provider can call, and have it called or not where the provider has a call for that."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("account")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--subscribe", action="store_true", help="Have the provider call this site.")
        what.add_argument("--unsubscribe", action="store_true", help="Stop the provider's calls.")
        parser.add_argument("--yes", action="store_true", help="Do not ask.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        if options["subscribe"]:
            insist(account, Operation.SUBSCRIBE_CALLBACKS)
            self._agree(REPLACES, yes=options["yes"])
            callbacks.subscribe(account)
        elif options["unsubscribe"]:
            insist(account, Operation.UNSUBSCRIBE_CALLBACKS)
            self._agree(NOBODY, yes=options["yes"])
            callbacks.unsubscribe(account)
        account.refresh_from_db()
        self.conclude(_facts(account), ok=True, as_json=options["json"])

    def _agree(self, meaning: str, *, yes: bool) -> None:
        if yes:
            return
        if not can_ask():
            raise CommandError(f"{meaning} Nobody can be asked here, so nothing was done. Add --yes if it shall be so.")
        self.stderr.write(meaning)
        if not agrees("Go on?"):
            raise CommandError("Nothing was done.")


def _facts(account: ProviderAccount) -> dict[str, Any]:
    limits = capabilities(account)
    way = limits.callbacks
    text = limits.why_not(Operation.SUBSCRIBE_CALLBACKS) if way is CallbackKind.NONE else limits.callback_help
    return {
        "account": account.name,
        "way": way.value,
        "address": callback_url(account) if way in {CallbackKind.PORTAL, CallbackKind.SUBSCRIBED} else "",
        "help": _(text) if text else "",
        "subscribed_at": account.callback_subscribed_at or "",
        "last_called_us_at": account.called_back_at or "",
    }
