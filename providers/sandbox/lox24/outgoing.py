"""What single SMS and bulks share: the fields of a message, its length, its price."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from providers.sandbox.ippanel.delivery import GSM_BASIC, GSM_EXTENDED, count_parts
from providers.sandbox.lox24.call import Call
from providers.sandbox.lox24.delivery import Sms, outcome_of, price_of, spread
from providers.sandbox.lox24.envelope import Refused, failure
from providers.sandbox.lox24.fields import Fields
from providers.sandbox.lox24.state import SERVICES

SENDER = re.compile(r"(\+?[1-9][0-9]{0,14}|[a-zA-Z0-9 ]{1,11})")
LANGUAGES = frozenset(
    [
        "EN",
        "DE",
        "FR",
        "IT",
        "ES",
        "PL",
        "NL",
        "RO",
        "PT",
        "CS",
        "HU",
        "SV",
        "DA",
        "FI",
        "SK",
        "HR",
        "TR",
        "RU",
        "BG",
        "UK",
    ]
)
COMMON = ("text", "sender_id", "service_code", "delivery_at", "is_unicode", "voice_lang", "source")
MAX_WRITTEN, MAX_GSM, MAX_UNICODE = 1785, 1530, 670


@dataclass
class Outgoing:
    """A message as it was handed over, without whom it is for."""

    text: str
    sender_id: str
    service_code: str
    delivery_at: int
    is_unicode: bool
    voice_lang: str | None
    source: int | None
    parts: int

    def due(self, now: float, maturity: float) -> float:
        return max(float(self.delivery_at), now + 0.2 * maturity)


def read_outgoing(call: Call, body: Fields) -> Outgoing:
    text = body.text("text", max_length=MAX_WRITTEN)
    sender = body.text("sender_id")
    if sender and not SENDER.fullmatch(sender):
        call.problems.add("sender_id", "This value is not valid.")
    service = body.text_or_null("service_code") or "direct"
    if service not in SERVICES:
        call.problems.violation("wrong type", "service_code", "The value you selected is not a valid choice.")
    elif service not in call.state.services:
        call.problems.add("service_code", "This service is not active for the account.")
    language = body.text_or_null("voice_lang")
    if language is not None and (language not in LANGUAGES or service == "direct"):
        call.problems.violation("wrong type", "voice_lang", "The value you selected is not a valid choice.")
    asked_unicode = body.boolean_or_null("is_unicode")
    is_unicode = not GSM_BASIC.union(GSM_EXTENDED).issuperset(text) if asked_unicode is None else asked_unicode
    length = (
        len(text.encode("utf-16-le")) // 2 if is_unicode else len(text) + sum(sign in GSM_EXTENDED for sign in text)
    )
    if length > (MAX_UNICODE if is_unicode else MAX_GSM):
        call.problems.add("text", "This value is too long.")
    return Outgoing(
        text, sender, service, read_time(call, body), is_unicode, language, read_source(call, body), count_parts(text)
    )


def read_time(call: Call, body: Fields) -> int:
    """Unix seconds; 0 or left out is at once."""
    at = body.integer("delivery_at") or 0
    if at and at <= call.now:
        call.problems.add("delivery_at", "This value should be in the future.")
    return at


def read_source(call: Call, body: Fields) -> int | None:
    source = body.integer_or_null("source")
    if source is not None and not -(2**31) <= source < 2**31:
        call.problems.violation("limit", "source", "This value should be a 32-bit integer.")
    return source


def charge(call: Call, parts: int, phones: Iterable[str]) -> None:
    """Raises `Refused` with 402 when the balance does not cover so many parts to each of these."""
    if sum(price_of(phone, parts) for phone in phones) > call.state.balance:
        raise Refused(failure(402, is_ld=call.is_ld))


def new_sms(
    call: Call, outgoing: Outgoing, phone: str, *, callback_data: str | None = None, bulk_id: str | None = None
) -> Sms:
    """A message that is not kept yet. In a bulk they leave one after the other."""
    maturity, state = call.settings.maturity, call.state
    due = outgoing.due(call.now, maturity) + (0.3 * maturity * spread(phone) if bulk_id else 0)
    outcome = (208, 0) if state.is_blocked(phone) else state.outcomes.get(phone, outcome_of(phone))
    return Sms(
        uuid=state.new_uuid(),
        phone=phone,
        text=outgoing.text,
        sender_id=outgoing.sender_id,
        created=call.now,
        due=due,
        maturity=maturity,
        outcome=outcome,
        parts=outgoing.parts,
        is_unicode=outgoing.is_unicode,
        service_code=outgoing.service_code,
        delivery_at=outgoing.delivery_at,
        source=outgoing.source,
        voice_lang=outgoing.voice_lang,
        callback_data=callback_data,
        bulk_id=bulk_id,
    )
