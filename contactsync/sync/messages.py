"""From what a planned call is about to the message a provider is handed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from contactsync.models import ProviderAccount
from contactsync.sync.connect import Operation, ProviderError, provider_class, reason_of
from providers.types import BookRef, ChosenContacts, OutboundMessage, TemplateUse, TextForNumbers, WholePhonebooks


def outbound_message(
    target: Mapping[str, Any],
    *,
    sender: str,
    text: str,
    reference: str,
    send_at: dt.datetime | None = None,
    callback_url: str = "",
) -> OutboundMessage:
    """The message a call's `target` describes.

    `target` is one of, ids being the provider's:
    `{"numbers": [E.164, …]}`, with `"template": {"id": …, "values": {variable: value}, "has_consent": bool}` for a template;
    `{"texts": [{"numbers": [E.164, …], "text": …}, …]}`;
    `{"targets": [{"type": "all", "phonebook_ids": [id, …], "start": n, "size": n} or {"type": "detail",
    "phonebook_id": id, "number_ids": [id, …]}, …]}`, with `"keyworded": text` where the provider fills this text in.
    """
    return OutboundMessage(
        sender=sender,
        text=target.get("keyworded") or text,
        reference=reference,
        targets=tuple(_part(part) for part in target.get("targets", ())),
        numbers=tuple(target.get("numbers", ())),
        texts=tuple(TextForNumbers(tuple(one["numbers"]), one["text"]) for one in target.get("texts", ())),
        is_keyworded="keyworded" in target,
        template=_template(target.get("template")),
        send_at=send_at,
        callback_url=callback_url,
    )


def _part(part: Mapping[str, Any]) -> WholePhonebooks | ChosenContacts:
    if part["type"] == "all":
        books = tuple(BookRef(str(book)) for book in part["phonebook_ids"])
        return WholePhonebooks(books, start=part.get("start"), size=part.get("size"))
    return ChosenContacts(BookRef(str(part["phonebook_id"])), tuple(str(number) for number in part["number_ids"]))


def _template(use: Mapping[str, Any] | None) -> TemplateUse | None:
    if use is None:
        return None
    return TemplateUse(str(use["id"]), dict(use["values"]), has_consent=use["has_consent"])


def operation_of(target: Mapping[str, Any]) -> Operation:
    """Which of the sends a call with this target is."""
    return outbound_message(target, sender="", text="", reference="").operation


def message_problem(
    account: ProviderAccount,
    target: Mapping[str, Any],
    *,
    sender: str,
    text: str,
    send_at: dt.datetime | None = None,
) -> dict[str, Any]:
    """Why this provider would refuse this send, as a reason to store; empty when it looks right. Makes no call."""
    message = outbound_message(target, sender=sender, text=text, reference="", send_at=send_at)
    return _reason(provider_class(account.provider).problem_with_message(message, now=timezone.now()))


def number_problem(account: ProviderAccount, phone: str) -> dict[str, Any]:
    """Why this provider cannot send to this number, as a reason to store; empty when it can."""
    return _reason(provider_class(account.provider).problem_with_number(phone))


def keyword(account: ProviderAccount, option_key: str) -> str:
    """The placeholder that the provider fills in itself. Raises `Unsupported` where it has none."""
    return provider_class(account.provider).keyword(option_key)


def template_text(account: ProviderAccount, text: str, values: Mapping[str, str]) -> str:
    """What a template's `text` comes to with these values."""
    backend = provider_class(account.provider)
    by_place = {backend.template_place(variable): value for variable, value in values.items()}
    if not by_place:
        return text
    # All at once: a value that looks like a place stays as it is.
    return re.sub("|".join(map(re.escape, by_place)), lambda found: by_place[found[0]], text)


def _reason(problem: ProviderError | None) -> dict[str, Any]:
    return reason_of(problem) if problem else {}
