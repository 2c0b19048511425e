"""The page “Providers”: what each of them can do, and how much at once, made from what the backends declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from contactsync.admin.accounts.provider_answers import (
    Cell,
    Question,
    callbacks,
    currency,
    details,
    flag,
    has,
    kinds,
    line,
    most,
    operations,
    places,
    rate,
    schedule,
    time,
)
from contactsync.admin.words import FIELDS
from contactsync.sync.connect import Operation as O
from contactsync.sync.connect import provider_choices, provider_class


@dataclass(frozen=True, slots=True)
class Row:
    """One question, and the answer of each provider."""

    label: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the table under its own title."""

    title: str
    rows: list[Row]


def table() -> list[Section]:
    """The whole table, a column for each installed provider in the order of the registry."""
    limits = [provider_class(slug).capabilities for slug, _label in provider_choices()]
    return [
        Section(title, [Row(capfirst(str(label)), [ask(can) for can in limits]) for label, ask in rows])
        for title, rows in _sections()
    ]


def notes() -> list[tuple[str, list[str]]]:
    """Each provider with what people should know of its ways."""
    return [
        (label, [_(note) for note in provider_class(slug).capabilities.notes]) for slug, label in provider_choices()
    ]


def page(site: Any, request: HttpRequest) -> TemplateResponse:
    """The page; everybody who may log in may see it."""
    request.current_app = site.name
    context = {
        **site.each_context(request),
        "title": _("Providers"),
        "labels": [label for _slug, label in provider_choices()],
        "sections": table(),
        "notes": notes(),
    }
    return TemplateResponse(request, "admin/contactsync/providers.html", context)


def _sections() -> list[tuple[str, list[Question]]]:
    """Title and rows of each part of the table."""
    return [
        (_("Account"), _account()),
        (_("Phonebooks"), _phonebooks()),
        (_("Custom options and fields"), _options()),
        (_("Contacts"), _contacts()),
        (_("Sends"), _sends()),
        (_("Reports and replies"), _reports()),
        (_("Callbacks"), _callbacks()),
        (_("Pace"), _pace()),
    ]


def _account() -> list[Question]:
    return [
        *operations(O.CHECK, O.READ_BALANCE, O.LIST_SENDERS, O.ESTIMATE_PRICE),
        (_("the price differs by country, and is asked for each"), flag("price_differs_by_country")),
        (_("currency"), currency),
    ]


def _phonebooks() -> list[Question]:
    return [
        *operations(O.LIST_PHONEBOOKS, O.CREATE_PHONEBOOK, O.UPDATE_PHONEBOOK, O.DELETE_PHONEBOOK),
        (_("a description is kept"), flag("has_description")),
        (_("characters of a title, at most"), most("max_title")),
        (_("contacts in one phonebook, at most"), most("max_contacts_per_phonebook")),
    ]


def _options() -> list[Question]:
    return [
        *operations(O.LIST_OPTIONS, O.CREATE_OPTION, O.RENAME_OPTION, O.DELETE_OPTION),
        (_("where options go"), places),
        (_("kinds of options"), kinds),
        (_("characters of a label, at most"), most("max_option_label")),
        (_("characters of a value, at most"), most("max_option_chars")),
        (FIELDS["name"], flag("has_name")),
        (_("first and last name apart"), flag("has_separate_names")),
        (_("a name can be emptied"), flag("can_clear_name")),
        *(has(name) for name in ("prefix", "company", "email", "tags", "assigned_user", "note")),
        (_("characters of a note, at most"), most("max_note_chars")),
    ]


def _contacts() -> list[Question]:
    return [
        *operations(O.LIST_CONTACTS, O.READ_CONTACT, O.CREATE_CONTACTS, O.UPDATE_CONTACT, O.DELETE_CONTACTS),
        *operations(O.LIST_SUPPRESSED),
        (_("contacts created in one call, at most"), most("max_batch")),
        (_("contacts created in one call, unless set otherwise"), most("default_batch")),
        (_("contacts deleted in one call, at most"), most("max_delete_batch")),
        (_("the answer names every contact's outcome"), flag("per_item_results")),
        (_("the answer holds the ids of new contacts"), flag("returns_contact_ids")),
        (_("values of options can be read back"), flag("reads_option_values")),
        (_("reading a single contact also tells"), details),
        (_("one number can be looked up"), flag("searches_numbers")),
        (_("only the recent contacts can be read"), flag("lists_recent")),
        (_("the phone number of a contact can be changed"), flag("can_change_phone")),
        (_("what else goes with a deleted contact"), line("deleting_contacts")),
        (_("a phonebook is a tag"), flag("phonebooks_are_tags")),
    ]


def _sends() -> list[Question]:
    return [
        *operations(O.SEND_TO_PHONEBOOK, O.SEND_KEYWORDS, O.SEND_TO_NUMBERS, O.SEND_TEXTS),
        *operations(O.SEND_TEMPLATE, O.LIST_TEMPLATES, O.CANCEL_SEND),
        (_("a part of a phonebook, by start and size"), flag("sends_slices")),
        (_("chosen contacts of a phonebook"), flag("sends_chosen")),
        (_("numbers in one send, at most"), most("max_numbers_per_send")),
        (_("parts of phonebooks in one send, at most"), most("max_targets_per_send")),
        (_("texts in one send, at most"), most("max_texts_per_send")),
        (_("messages are SMS, counted in parts"), flag("counts_parts")),
        (_("characters of a message, at most"), most("max_message_chars")),
        (_("SMS parts of a message, at most"), most("max_message_parts")),
        (_("schedule at the provider"), schedule),
        (_("a scheduled send can be cancelled until, before it goes"), time("cancel_until")),
        (_("the same send again is refused for"), time("duplicate_send_window")),
        (_("free text only so long after the person's last message"), time("reply_window")),
        (_("a template needs the person's consent"), flag("template_needs_consent")),
    ]


def _reports() -> list[Question]:
    return operations(O.READ_REPORT, O.FIND_SENDS, O.LIST_INBOX, O.READ_CONVERSATION)


def _callbacks() -> list[Question]:
    return [
        (_("the provider calls this application"), callbacks),
        *operations(O.SUBSCRIBE_CALLBACKS, O.UNSUBSCRIBE_CALLBACKS),
        (_("callbacks are signed"), flag("callbacks_are_signed")),
        (_("what to do at the provider"), line("callback_help")),
    ]


def _pace() -> list[Question]:
    return [
        (_("requests per second, unless set otherwise"), rate),
        (_("“too many requests” holds for every account on this server"), flag("blocks_address")),
    ]
