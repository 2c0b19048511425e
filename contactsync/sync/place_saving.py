"""Save which option and field of a phonebook goes to which place at its provider."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from contactsync.models import CustomOption, Phonebook, PhonebookOption, Run
from contactsync.models.transitions import StepRefused
from contactsync.sync.connect import Capabilities, capabilities
from contactsync.sync.lifecycle import replace_plans
from contactsync.sync.mapping import fields_of

FIELD, OPTION = "field:", "option:"
LONGEST = 100  # of a place, as the model has it
WORKED_ON = [Run.State.QUEUED, Run.State.RUNNING, Run.State.STOPPING, Run.State.PAUSED]


class PlacesRefused(StepRefused):
    """The places cannot be saved so; the text says why, in the active language."""


def save(phonebook: Phonebook, slots: Mapping[str, str]) -> None:
    """Put these sources (`option:<pk>`, `field:<name>`) into these places; the phonebook's other rows stay as they are.

    An empty place: an option stays here, untold; a field is not told either. Plans that nobody approved are thrown
    away, as they were made for the old places. Raises `PlacesRefused`, and then nothing is changed.
    """
    if phonebook.runs.filter(state__in=WORKED_ON).exclude(kind=Run.Kind.SEND).exists():
        raise PlacesRefused(_("A run works on this phonebook. Wait until it has ended, or stop it, then try again."))
    with transaction.atomic():
        write(phonebook, slots)
        replace_plans(phonebook)


def write(phonebook: Phonebook, slots: Mapping[str, str]) -> None:
    """As `save`, within a plan that is being made for these places."""
    limits = capabilities(phonebook.account)
    slots = {source: slot.strip() for source, slot in slots.items()}
    with transaction.atomic():
        rows = {source: _row_of(phonebook, source, limits) for source in slots}
        _check(phonebook, slots, rows, limits)
        # First all are freed, as two may change places with one another.
        phonebook.option_places.filter(pk__in=[row.pk for row in rows.values() if row.pk]).update(slot="")
        for source, row in rows.items():
            _write_row(row, slots[source], limits)


def _row_of(phonebook: Phonebook, source: str, limits: Capabilities) -> PhonebookOption:
    if source.startswith(OPTION):
        key = source.removeprefix(OPTION)
        option = CustomOption.objects.filter(account=phonebook.account_id, pk=key).first() if key.isdecimal() else None
        if option is None:
            raise PlacesRefused(_("This option does not exist (any more). Reload the page."))
        found = phonebook.option_places.filter(option=option).first()
        return found or PhonebookOption(phonebook=phonebook, option=option)
    name = source.removeprefix(FIELD)
    if name not in PhonebookOption.Field.values:
        raise PlacesRefused(_("There is no field “%(name)s”.") % {"name": name})
    own = fields_of(limits)
    row = phonebook.option_places.filter(field=name).first() or PhonebookOption(phonebook=phonebook, field=name)
    if name in own or (name == PhonebookOption.Field.FULL_NAME and "first_name" in own):
        raise PlacesRefused(_("The provider has a place of its own for “%(field)s”.") % {"field": row})
    return row


def _check(
    phonebook: Phonebook, slots: Mapping[str, str], rows: Mapping[str, PhonebookOption], limits: Capabilities
) -> None:
    others = phonebook.option_places.exclude(pk__in=[row.pk for row in rows.values() if row.pk]).exclude(slot="")
    taken = {row.slot: str(row) for row in others}
    for source, slot in slots.items():
        row = rows[source]
        if not slot:
            continue
        if limits.option_identity == "slot" and slot not in limits.slots:
            raise PlacesRefused(
                _("The provider has no place “%(slot)s”. Its places are: %(slots)s.")
                % {"slot": slot, "slots": ", ".join(limits.slots)}
            )
        if limits.option_identity == "id" and row.option is None:
            raise PlacesRefused(
                _("The provider has no place for “%(field)s”. To tell it, use a custom option.") % {"field": row}
            )
        if len(slot) > LONGEST:
            raise PlacesRefused(
                _("The name “%(slot)s” is longer than %(limit)s characters.") % {"slot": slot, "limit": LONGEST}
            )
        if slot in taken:
            raise PlacesRefused(
                _("“%(one)s” and “%(other)s” cannot both go to “%(slot)s”.")
                % {"one": taken[slot], "other": row, "slot": slot}
            )
        taken[slot] = str(row)


def _write_row(row: PhonebookOption, slot: str, limits: Capabilities) -> None:
    if row.option is None and not slot:
        if row.pk:
            row.delete()
        return
    row.stays_here = not slot
    row.slot = slot if limits.option_identity != "id" else ""
    row.save()
