"""New accounts without a browser: from a command, and from the environment of an unattended install."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from contactsync.crypto import Undecryptable
from contactsync.models import ProviderAccount
from contactsync.models.fields import Credentials
from contactsync.phone import is_region
from contactsync.sync.connect import Misconfigured, open_provider, provider_class

UNOPENABLE = "its credentials cannot be opened with the configured keys; enter the key again on its page, or put the old key back into CREDENTIAL_KEYS"
NO_SUCH_REGION = gettext_noop("There is no country with this code. Write two letters, such as IR, DE or IT.")
KEPT = ["provider", "base_url", "credentials", "default_sender", "state", "state_reason", "updated_at"]


def create_account(
    name: str,
    *,
    provider: str,
    credentials: Mapping[str, str],
    base_url: str = "",
    sender: str = "",
    region: str = "IR",
    provider_settings: Mapping[str, str] | None = None,
) -> ProviderAccount:
    """A new account, not checked yet. Raises `Misconfigured` or `ValidationError` when anything about it is wrong; then nothing is kept."""
    if not is_region(region.upper()):
        raise ValidationError({"default_region": f"“{region}”: {_(NO_SUCH_REGION)}"})
    account = ProviderAccount(
        name=name,
        provider=provider,
        base_url=base_url,
        default_sender=sender,
        default_region=region.upper(),
        settings=dict(provider_settings or {}),
        credentials=Credentials.seal(credentials),
    )
    _prove(account)
    account.full_clean()
    account.save()
    return account


def account_from_environment() -> tuple[ProviderAccount | None, str]:
    """Keep the account of PROVIDER_… in step with the environment, until a person edits it in the browser.

    Returns the account and what was done: "made", "changed", "unchanged", "edited here, left alone" or `UNOPENABLE`; then
    nothing was changed, as a key that was only forgotten may still open what is kept.
    `(None, "")` when PROVIDER is not set. Raises `Misconfigured` when the values make no account.
    """
    if not settings.PROVIDER:
        return None, ""
    backend = provider_class(settings.PROVIDER)
    credentials = {backend.credential_fields[0].name: settings.PROVIDER_TOKEN} if settings.PROVIDER_TOKEN else {}
    with transaction.atomic():
        kept = ProviderAccount.objects.select_for_update().filter(name=backend.label)
        account = kept.first() or ProviderAccount(name=backend.label, from_environment=True)
        if not account.from_environment:
            return account, "edited here, left alone"
        wanted = (settings.PROVIDER, settings.PROVIDER_BASE_URL, settings.PROVIDER_SENDER, credentials)
        try:
            is_same = bool(account.pk) and wanted == _as_kept(account)
        except Undecryptable:
            return account, UNOPENABLE
        if is_same:
            return account, "unchanged"
        account.provider, account.base_url, account.default_sender, _credentials = wanted
        account.credentials = Credentials.seal(credentials)
        account.state, account.state_reason = ProviderAccount.State.UNCHECKED, {}
        _prove(account)
        made = account.pk is None
        account.save(update_fields=None if made else KEPT)
    return account, "made" if made else "changed"


def _as_kept(account: ProviderAccount) -> tuple[str, str, str, dict[str, str]]:
    return account.provider, account.base_url, account.default_sender, account.credentials.open()


def _prove(account: ProviderAccount) -> None:
    """Let the backend refuse what it cannot work with: an unknown provider, a missing key, a malformed address."""
    backend = provider_class(account.provider)
    if not account.credentials:
        missing = ", ".join(field.name for field in backend.credential_fields if field.required)
        raise Misconfigured(gettext_noop("The credentials are missing: %(missing)s."), params={"missing": missing})
    open_provider(account, even_if_stopped=True).close()
