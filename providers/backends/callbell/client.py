"""The backend: every group of calls in one class."""

from __future__ import annotations

import datetime as dt

from providers.backends.callbell import limits
from providers.backends.callbell.account import AccountCalls
from providers.backends.callbell.books import BookCalls
from providers.backends.callbell.callbacks import CallbackCalls
from providers.backends.callbell.contacts import ContactCalls
from providers.backends.callbell.sends import SendCalls
from providers.backends.callbell.templates import TemplateCalls
from providers.exceptions import ProviderError
from providers.types import ContactRecord, OutboundMessage


class Callbell(AccountCalls, BookCalls, ContactCalls, TemplateCalls, SendCalls, CallbackCalls):
    """One account at Callbell."""

    @classmethod
    def problem_with_contact(cls, record: ContactRecord) -> ProviderError | None:
        return limits.problem_with_contact(record)

    @classmethod
    def problem_with_number(cls, phone: str) -> ProviderError | None:
        return limits.problem_with_number(phone)

    @classmethod
    def problem_with_message(cls, message: OutboundMessage, *, now: dt.datetime) -> ProviderError | None:
        return limits.problem_with_message(message)
