"""The address at which a provider can tell us something."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from contactsync.models import ProviderAccount
from contactsync.sync.connect import is_at_home
from providers.address import is_loopback


def is_reachable(account: ProviderAccount) -> bool:
    """Whether the account's provider can reach us at all: nobody outside can reach a site of this machine only.

    A provider on this machine, as the sandbox is, can.
    """
    return not is_loopback(urlsplit(settings.SITE_URL).hostname or "") or is_at_home(account)


def callback_url(account: ProviderAccount, reference: str = "") -> str:
    """Where the account's provider may call us; empty when it could not reach us there.

    `reference` is the uuid of our call, where the address goes along with a send.
    """
    if not is_reachable(account):
        return ""
    address = f"{settings.SITE_URL}/callbacks/{account.callback_key}/"
    return f"{address}{reference}/" if reference else address
