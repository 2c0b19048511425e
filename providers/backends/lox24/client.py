"""The backend: every group of calls in one class."""

from __future__ import annotations

import datetime as dt

from providers.backends.lox24 import callbacks, limits
from providers.backends.lox24.account import AccountCalls
from providers.backends.lox24.groups import GroupCalls
from providers.backends.lox24.phones import PhoneCalls
from providers.backends.lox24.reports import ReportCalls
from providers.backends.lox24.sends import SendCalls
from providers.exceptions import ProviderError
from providers.types import CallbackEvent, CallbackRequest, ContactRecord, OutboundMessage


class Lox24(AccountCalls, GroupCalls, PhoneCalls, SendCalls, ReportCalls):
    """One account at LOX24."""

    @classmethod
    def problem_with_contact(cls, record: ContactRecord) -> ProviderError | None:
        return limits.problem_with_contact(record)

    @classmethod
    def problem_with_number(cls, phone: str) -> ProviderError | None:
        return limits.problem_with_number(phone)

    @classmethod
    def problem_with_message(cls, message: OutboundMessage, *, now: dt.datetime) -> ProviderError | None:
        return limits.problem_with_message(message, now=now)

    @classmethod
    def read_callback(cls, request: CallbackRequest, *, secret: str, now: dt.datetime) -> tuple[CallbackEvent, ...]:
        return callbacks.read_callback(request, now=now)
