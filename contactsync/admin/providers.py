"""The page “Providers”: what each of them can do, and how much at once, made from what the backends declare."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from contactsync.admin.words import CALLBACK_WAYS, FIELDS, operation_label
from contactsync.models import CustomOption
from contactsync.sync.connect import Capabilities, Operation, provider_choices, provider_class
from contactsync.templatetags.contactsync import listed, number

UNLIMITED = gettext_lazy("no limit")


@dataclass(frozen=True, slots=True)
class Cell:
    """One answer: yes, no with its reason, or a value in words (then `is_yes` is None)."""

    is_yes: bool | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    rows: list[Row]


Ask = Callable[[Capabilities], Cell]


def span(value: dt.timedelta | None) -> str:
    """A length of time in its largest whole unit; empty for None."""
    if value is None:
        return ""
    seconds = int(value.total_seconds())
    if seconds and seconds % 86400 == 0:
        return ngettext("%(count)s day", "%(count)s days", seconds // 86400) % {"count": number(seconds // 86400)}
    if seconds and seconds % 3600 == 0:
        return ngettext("%(count)s hour", "%(count)s hours", seconds // 3600) % {"count": number(seconds // 3600)}
    if seconds and seconds % 60 == 0:
        return ngettext("%(count)s minute", "%(count)s minutes", seconds // 60) % {"count": number(seconds // 60)}
    return ngettext("%(count)s second", "%(count)s seconds", seconds) % {"count": number(seconds)}


def _does(operation: Operation) -> Ask:
    return lambda can: Cell(True) if can.can(operation) else Cell(False, _(can.why_not(operation)))


def _flag(name: str, why: Any = "") -> Ask:
    return lambda can: Cell(True) if getattr(can, name) else Cell(False, str(why))


def _most(name: str) -> Ask:
    def ask(can: Capabilities) -> Cell:
        limit = getattr(can, name)
        return Cell(text=str(UNLIMITED) if limit is None else number(limit))

    return ask


def _time(name: str) -> Ask:
    return lambda can: Cell(text=span(getattr(can, name)) or "–")


def _kinds(can: Capabilities) -> Cell:
    return Cell(text=listed(label for kind, label in CustomOption.Kind.choices if kind in can.option_kinds))


def _places(can: Capabilities) -> Cell:
    if can.option_identity == "slot":
        return Cell(text=_("fixed places: %(places)s") % {"places": f"\u2068{listed(can.slots)}\u2069"})
    if can.option_identity == "name":
        return Cell(text=_("custom fields that exist at the provider, by their names"))
    return Cell(text=_("made at the provider by a push"))


def _schedule(can: Capabilities) -> Cell:
    if can.schedule_earliest is None:
        return Cell(False, _("The provider cannot schedule; the campaign waits here instead."))
    if can.schedule_latest is None:
        return Cell(text=_("from %(earliest)s ahead") % {"earliest": span(can.schedule_earliest)})
    window = {"earliest": span(can.schedule_earliest), "latest": span(can.schedule_latest)}
    return Cell(text=_("from %(earliest)s to %(latest)s ahead") % window)


def _callbacks(can: Capabilities) -> Cell:
    kind = str(can.callbacks.value)
    return Cell(False) if kind == "none" else Cell(text=str(CALLBACK_WAYS.get(kind, kind)))


def _line(name: str) -> Ask:
    """A sentence of the provider's own, where it has one."""

    def ask(can: Capabilities) -> Cell:
        text = getattr(can, name)
        return Cell(text=_(text) if text else "–")

    return ask


def _rate(can: Capabilities) -> Cell:
    return Cell(text=number(can.requests_per_second).removesuffix(".0"))


def _details(can: Capabilities) -> Cell:
    words = {"options": FIELDS["options"], "opt_out": gettext_lazy("whether the person unsubscribed")}
    return Cell(text=listed(str(words.get(name, name)) for name in sorted(can.details_tell)) or "–")


def _has(name: str) -> tuple[Any, Ask]:
    return FIELDS[name], _flag(f"has_{name}")


def _operations(*operations: Operation) -> list[tuple[Any, Ask]]:
    return [(operation_label(operation), _does(operation)) for operation in operations]


def _sections() -> Iterable[tuple[Any, Sequence[tuple[Any, Ask]]]]:
    """Title and rows of each part of the table; a row is its label and what to ask a provider's capabilities."""
    O = Operation  # noqa: E741 - the rows below are a table
    yield (
        _("Account"),
        [
            *_operations(O.CHECK, O.READ_BALANCE, O.LIST_SENDERS, O.ESTIMATE_PRICE),
            (_("the price differs by country, and is asked for each"), _flag("price_differs_by_country")),
            (_("currency"), lambda can: Cell(text=can.currency or "–")),
        ],
    )
    yield (
        _("Phonebooks"),
        [
            *_operations(O.LIST_PHONEBOOKS, O.CREATE_PHONEBOOK, O.UPDATE_PHONEBOOK, O.DELETE_PHONEBOOK),
            (_("a description is kept"), _flag("has_description")),
            (_("characters of a title, at most"), _most("max_title")),
            (_("contacts in one phonebook, at most"), _most("max_contacts_per_phonebook")),
        ],
    )
    yield (
        _("Custom options and fields"),
        [
            *_operations(O.LIST_OPTIONS, O.CREATE_OPTION, O.RENAME_OPTION, O.DELETE_OPTION),
            (_("where options go"), _places),
            (_("kinds of options"), _kinds),
            (_("characters of a label, at most"), _most("max_option_label")),
            (_("characters of a value, at most"), _most("max_option_chars")),
            (FIELDS["name"], _flag("has_name")),
            (_("first and last name apart"), _flag("has_separate_names")),
            (_("a name can be emptied"), _flag("can_clear_name")),
            *(_has(name) for name in ("prefix", "company", "email", "tags", "assigned_user", "note")),
            (_("characters of a note, at most"), _most("max_note_chars")),
        ],
    )
    yield (
        _("Contacts"),
        [
            *_operations(O.LIST_CONTACTS, O.READ_CONTACT, O.CREATE_CONTACTS, O.UPDATE_CONTACT, O.DELETE_CONTACTS),
            *_operations(O.LIST_SUPPRESSED),
            (_("contacts created in one call, at most"), _most("max_batch")),
            (_("contacts created in one call, unless set otherwise"), _most("default_batch")),
            (_("contacts deleted in one call, at most"), _most("max_delete_batch")),
            (_("the answer names every contact's outcome"), _flag("per_item_results")),
            (_("the answer holds the ids of new contacts"), _flag("returns_contact_ids")),
            (_("values of options can be read back"), _flag("reads_option_values")),
            (_("reading a single contact also tells"), _details),
            (_("one number can be looked up"), _flag("searches_numbers")),
            (_("only the recent contacts can be read"), _flag("lists_recent")),
            (_("the phone number of a contact can be changed"), _flag("can_change_phone")),
            (_("what else goes with a deleted contact"), _line("deleting_contacts")),
        ],
    )
    yield (
        _("Sends"),
        [
            *_operations(O.SEND_TO_PHONEBOOK, O.SEND_KEYWORDS, O.SEND_TO_NUMBERS, O.SEND_TEXTS),
            *_operations(O.SEND_TEMPLATE, O.LIST_TEMPLATES, O.CANCEL_SEND),
            (_("a part of a phonebook, by start and size"), _flag("sends_slices")),
            (_("chosen contacts of a phonebook"), _flag("sends_chosen")),
            (_("numbers in one send, at most"), _most("max_numbers_per_send")),
            (_("parts of phonebooks in one send, at most"), _most("max_targets_per_send")),
            (_("texts in one send, at most"), _most("max_texts_per_send")),
            (_("messages are SMS, counted in parts"), _flag("counts_parts")),
            (_("characters of a message, at most"), _most("max_message_chars")),
            (_("SMS parts of a message, at most"), _most("max_message_parts")),
            (_("schedule at the provider"), _schedule),
            (_("a scheduled send can be cancelled until, before it goes"), _time("cancel_until")),
            (_("the same send again is refused for"), _time("duplicate_send_window")),
            (_("free text only so long after the person's last message"), _time("reply_window")),
            (_("a template needs the person's consent"), _flag("template_needs_consent")),
        ],
    )
    yield _("Reports and replies"), _operations(O.READ_REPORT, O.FIND_SENDS, O.LIST_INBOX, O.READ_CONVERSATION)
    yield (
        _("Call backs"),
        [
            (_("the provider calls this application"), _callbacks),
            *_operations(O.SUBSCRIBE_CALLBACKS, O.UNSUBSCRIBE_CALLBACKS),
            (_("call backs are signed"), _flag("callbacks_are_signed")),
            (_("what to do at the provider"), _line("callback_help")),
        ],
    )
    yield (
        _("Pace"),
        [
            (_("requests per second, unless set otherwise"), _rate),
            (_("“too many requests” holds for every account on this server"), _flag("blocks_address")),
        ],
    )


def table() -> list[Section]:
    """The whole table, a column for each installed provider in the order of the registry."""
    limits = [provider_class(slug).capabilities for slug, _label in provider_choices()]
    return [
        Section(str(title), [Row(capfirst(str(label)), [ask(can) for can in limits]) for label, ask in rows])
        for title, rows in _sections()
    ]


def notes() -> list[tuple[str, list[str]]]:
    """What people should know of each provider's ways, and the address where the account's own is not named."""
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
