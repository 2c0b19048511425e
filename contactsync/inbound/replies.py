"""What people write to us: kept once, and what follows from it for their contacts and for the suppression list."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from contactsync.inbound.opt_out import is_opt_out
from contactsync.inbound.storable import storable
from contactsync.models import Contact, InboundMessage, ProviderAccount, Suppression
from contactsync.phone import parse_phone
from contactsync.sync.callbacks import ToldMessage


def keep_replies(account: ProviderAccount, messages: Iterable[ToldMessage]) -> int:
    """Keep those that are new, with what follows from them, each in one transaction. Returns how many were new.

    Whoever asks for no more messages is suppressed, with their words as the reason; nothing lifts a suppression.
    """
    return sum(_keep(account, message) for message in messages)


@transaction.atomic
def _keep(account: ProviderAccount, message: ToldMessage) -> bool:
    phone = number_of(message.phone, region=account.default_region)
    text = storable(message.text)
    reply, is_new = InboundMessage.objects.get_or_create(
        account=account,
        remote_id=storable(message.remote_id, most=100),
        defaults={
            "phone": storable(phone, most=40),
            "to": storable(message.to, most=100),
            "text": text,
            "received_at": message.received_at,
            "is_opt_out": is_opt_out(text, region=account.default_region),
        },
    )
    if is_new:
        _follow(reply)
    return is_new


def _follow(reply: InboundMessage) -> None:
    at = min(reply.received_at, timezone.now())  # a clock that is ahead must not keep a conversation open for longer
    earlier = Q(last_received_at=None) | Q(last_received_at__lt=at)
    Contact.objects.filter(earlier, phone=reply.phone, phonebook__account=reply.account_id).update(last_received_at=at)
    if reply.is_opt_out and reply.phone.startswith("+"):
        suppress(reply)


def suppress(reply: InboundMessage) -> bool:
    """Put the number of a reply on the suppression list, with its text as the reason. False when it is there already."""
    _row, is_new = Suppression.objects.get_or_create(
        phone=reply.phone, defaults={"reason": reply.text[:255], "source": Suppression.Source.REPLY}
    )
    return is_new


def number_of(text: str, *, region: str) -> str:
    """The number in international form where it can be told, else the text as it is."""
    if text.startswith("+"):
        return text
    verdict = parse_phone(text, region)
    return verdict.e164 if verdict.is_valid else text
