"""Exactly who: accepted, refused, on the wire, unknown, waiting, not attempted. Each list can be downloaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contactsync.admin.common import link, may
from contactsync.admin.files import downloads
from contactsync.models import Call, Campaign, Recipient, Run, RunItem
from contactsync.sync.equation import carried_out, in_doubt

ON_WIRE, WAITING, NOT_ATTEMPTED, NOT_SENT = "on_wire", "waiting", "not_attempted", "not_sent"
#: the words of the sum above them
LABELS: dict[str, Any] = {
    "accepted": gettext_lazy("accepted"),
    "refused": gettext_lazy("refused"),
    ON_WIRE: gettext_lazy("on the wire"),
    "unknown": gettext_lazy("outcome not known"),
    WAITING: gettext_lazy("waiting"),
    NOT_ATTEMPTED: gettext_lazy("not attempted"),
    NOT_SENT: gettext_lazy("not sent"),
}
#: list -> state of those in it
OF_CAMPAIGN: dict[str, str] = {
    "accepted": Recipient.State.ACCEPTED,
    "refused": Recipient.State.REFUSED,
    ON_WIRE: Recipient.State.ON_WIRE,
    "unknown": Recipient.State.UNKNOWN,
    WAITING: Recipient.State.PLANNED,
    NOT_SENT: Recipient.State.NOT_SENT,
}
OF_RUN: dict[str, str] = {
    "accepted": RunItem.State.DONE,
    "refused": RunItem.State.FAILED,
    "unknown": RunItem.State.UNKNOWN,
    WAITING: RunItem.State.PLANNED,
    NOT_ATTEMPTED: RunItem.State.NOT_ATTEMPTED,
}
#: title and value, of an item and the list it is in
ITEM_COLUMNS: tuple[tuple[Any, Callable[[RunItem, str], Any]], ...] = (
    (gettext_lazy("phone number"), lambda item, _name: item.phone),
    (gettext_lazy("what"), lambda item, _name: item.get_operation_display()),
    (gettext_lazy("state"), lambda item, name: _state_in(item, name)),
    (gettext_lazy("id at the provider"), lambda item, _name: item.remote_id),
    (gettext_lazy("call"), lambda item, _name: item.call_id),
    (gettext_lazy("reason"), lambda item, _name: item.error_text),
)


@dataclass(frozen=True, slots=True)
class OutcomeList:
    """One list: how many are in it, and where it is downloaded; no address for those who may not."""

    name: str
    label: str
    count: int
    address: str

    @property
    def state(self) -> str:
        """For its colour."""
        return self.name


def people_in(campaign: Campaign, name: str) -> QuerySet[Recipient]:
    """The people of one list. Raises 404 for a list there is not."""
    if name not in OF_CAMPAIGN:
        raise Http404(_("There is no such list."))
    return campaign.recipients.filter(state=OF_CAMPAIGN[name])


def items_in(run: Run, name: str) -> QuerySet[RunItem]:
    """The contacts of one list, or all. What left is planned until it is settled: its call says in which list it is."""
    items = run.items.exclude(operation=RunItem.Operation.CANNOT)
    if not name:
        return items
    if name == ON_WIRE:
        return items.filter(_on_wire(run))
    if name not in OF_RUN:
        raise Http404(_("There is no such list."))
    found = Q(state=OF_RUN[name])
    if name == "accepted":
        return items.filter(found | carried_out())
    if name == "unknown":
        return items.filter(found | in_doubt(run))
    if name == WAITING:
        return items.filter(found).exclude(_on_wire(run)).exclude(carried_out()).exclude(in_doubt(run))
    return items.filter(found)


def _on_wire(run: Run) -> Q:
    calls = list(run.calls.filter(state=Call.State.ON_WIRE).values_list("pk", flat=True))
    return Q(state=RunItem.State.PLANNED, call__isnull=False, call__in=calls)


def of_campaign(request: HttpRequest, campaign: Campaign, counts: Mapping[str, int]) -> list[OutcomeList]:
    """The lists of a campaign; together they are its audience. `counts` are those of `progress.of_campaign`."""
    address = link(campaign, "export") if may(request.user, "export_campaign") else ""
    return _lists({name: counts.get(state, 0) for name, state in OF_CAMPAIGN.items()}, address)


def of_run(request: HttpRequest, run: Run, counts: Mapping[str, int]) -> list[OutcomeList]:
    """The lists of a run that works on contacts; together they are all it was to do. `counts` are those of `progress.of_run`."""
    address = link(run, "export") if may(request.user, "export_contact") else ""
    found = {name: counts.get(state, 0) for name, state in OF_RUN.items()}
    found[ON_WIRE] = items_in(run, ON_WIRE).count()
    found[WAITING] = max(0, found[WAITING] - found[ON_WIRE])
    return _lists(found, address)


def _lists(counts: dict[str, int], address: str) -> list[OutcomeList]:
    return [
        OutcomeList(name, str(label), counts[name], f"{address}?list={name}" if address else "")
        for name, label in LABELS.items()
        if name in counts and (counts[name] or name != WAITING)
    ]


def export_items(run: Run, name: str, form: str) -> HttpResponseBase:
    """One list of a run as a file of the form "csv" or "xlsx"."""
    if form not in downloads.WRITERS:
        raise Http404(_("Files are “csv” or “xlsx”."))
    rows = items_in(run, name).order_by("pk").iterator(chunk_size=downloads.CHUNK)
    lines = ([getter(item, name) for _title, getter in ITEM_COLUMNS] for item in rows)
    return downloads.WRITERS[form](f"run-{run.pk}-{name or 'all'}", [title for title, _getter in ITEM_COLUMNS], lines)


def _state_in(item: RunItem, name: str) -> str:
    """In the word of its list where the item itself is still planned: it may have left all the same."""
    is_by_call = name and item.state == RunItem.State.PLANNED
    return str(LABELS[name]) if is_by_call else str(item.get_state_display())
