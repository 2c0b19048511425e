"""The backend: every group of calls in one class."""

from __future__ import annotations

import datetime as dt

from providers.backends.ippanel import limits
from providers.backends.ippanel.account import AccountCalls
from providers.backends.ippanel.books import BookCalls
from providers.backends.ippanel.contacts import ContactCalls
from providers.backends.ippanel.reports import ReportCalls
from providers.backends.ippanel.sends import SendCalls
from providers.exceptions import ProviderError
from providers.types import ContactRecord, OutboundMessage


class IPPanel(AccountCalls, BookCalls, ContactCalls, SendCalls, ReportCalls):
    """One account at IPPanel Edge."""

    @classmethod
    def problem_with_contact(cls, record: ContactRecord) -> ProviderError | None:
        return limits.problem_with_contact(record)

    @classmethod
    def problem_with_number(cls, phone: str) -> ProviderError | None:
        return limits.problem_with_number(phone)

    @classmethod
    def problem_with_message(cls, message: OutboundMessage, *, now: dt.datetime) -> ProviderError | None:
        return limits.problem_with_message(message, now=now)
