"""Accounts at all providers that call us, sends to be told about, and the site at an address the sandbox can reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from contactsync.models import Call, Campaign, ProviderAccount, Recipient, Run
from contactsync.models.fields import Credentials
from contactsync.sync import line
from contactsync.sync.callback_address import callback_url
from contactsync.sync.connect import open_provider
from providers.sandbox import SandboxServer
from providers.sandbox.lox24.state import CLIENT_ID
from providers.types import OutboundMessage
from tests.factories import SANDBOX_KEY, make_account, make_campaign

CREDENTIALS = {
    "atomtelecom": {"token": SANDBOX_KEY},
    "callbell": {"api_key": SANDBOX_KEY},
    "ippanel": {"api_key": SANDBOX_KEY},
    "lox24": {"client_id": CLIENT_ID, "api_key": SANDBOX_KEY},
}
REGIONS = {"atomtelecom": "AU", "callbell": "IT", "ippanel": "IR", "lox24": "DE"}
SENDERS = {"atomtelecom": "ACME", "lox24": "ACME", "ippanel": "+983000505"}


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between attempts pass at once."""
    monkeypatch.setattr(line, "wait", lambda seconds: None)


@pytest.fixture
def account_at(sandbox: SandboxServer, db: None) -> Callable[..., ProviderAccount]:
    """A ready account at the sandbox of a provider."""

    def make(slug: str, **fields: Any) -> ProviderAccount:
        credentials = {**CREDENTIALS[slug], **fields.pop("credentials", {})}
        return make_account(
            provider=slug,
            base_url=sandbox.url(slug),
            credentials=Credentials.seal(credentials),
            default_region=REGIONS[slug],
            **{"default_sender": SENDERS.get(slug, ""), **fields},
        )

    return make


def sent(account: ProviderAccount, *phones: str, **changes: Any) -> Call:
    """One accepted send of a finished campaign, as the provider has it."""
    campaign = make_campaign(account, state=Campaign.State.SENT, message="Hello")
    run = Run.objects.create(
        kind=Run.Kind.SEND,
        account=account,
        campaign=campaign,
        state=Run.State.FINISHED,
        plan={"sender": account.default_sender},
    )
    call = Call.objects.create(
        run=run, sequence=1, operation="send_to_numbers", target={"numbers": list(phones)}, item_count=len(phones)
    )
    message = OutboundMessage(
        sender=account.default_sender,
        text="Hello",
        reference=str(call.uuid),
        numbers=phones,
        callback_url=callback_url(account, str(call.uuid)),
    )
    with open_provider(account) as provider:
        receipt = provider.send(message)
    known = {"state": Call.State.ACCEPTED, "references": list(receipt.references), "finished_at": timezone.now()}
    Call.objects.filter(pk=call.pk).update(**{**known, **changes})
    for phone in phones:
        Recipient.objects.create(
            campaign=campaign, phone=phone, text="Hello", state=Recipient.State.ACCEPTED, call=call, delivery="queued"
        )
    call.refresh_from_db()
    return call
